// SPDX-License-Identifier: BSD-2-Clause
/*
 * Microchip PolarFire SoC Icicle Kit, and QEMU's microchip-icicle-kit.
 *
 * HSS, on the monitor hart, copies its payload out of the buffer below the end of low RAM, also when it
 * restarts after a warm reset. Newer FDTs begin with the name of a reference design, so the SoC's name
 * decides.
 */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0xbfc00000, 4 * MIB), "HSS payload"},
};

const struct platform platform_microchip_icicle = {
	.name = "microchip-icicle",
	.compatible = "microchip,mpfs-icicle-kit\0microchip,mpfs\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
	.llc_flush = 0x2010200,
};

const struct platform_notes platform_microchip_icicle_notes = {
	.platform = &platform_microchip_icicle,
	.load = 0x80200000,
	.previous = "HSS: payload with exec-addr, priv-mode prv_s, our DTB as ancilliary-data; it is "
		    "OpenSBI, too",
	.watchdog = "a U54's watchdog is a cold reset in HSS' stock setting: DRAM is retrained and tested",
	.quirk =
		{
			{"warm-reset-only",
			 "only SBI's warm reset keeps RAM: HSS restarts the harts, not the DDR",
			 "hart-software-services 2026.04, read"},
			{"cold-reset-memtest",
			 "a cold reset writes a word at each power of two from the bases of DDR",
			 "hart-software-services 2026.04, read"},
			{"no-srst", "generic OpenSBI has no reset device here, HSS has",
			 "measured on QEMU's microchip-icicle-kit"},
		},
};
