// SPDX-License-Identifier: BSD-2-Clause
/*
 * StarFive VisionFive 2, and the other boards with a JH7110 (Star64, Mars, Orange Pi RV): the same SPL.
 *
 * Its heap is in the middle of RAM: 4 MiB in U-Boot 2025.01, 8 MiB in its successors and the vendor's.
 */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0x40000000, 2 * MIB), "OpenSBI"},
	{LOST(0x80000000, 8 * MIB), "SPL heap"},
};

const struct platform platform_starfive_visionfive2 = {
	.name = "starfive-visionfive2",
	.compatible = "starfive,jh7110\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
	.llc_flush = 0x2010200,
};

const struct platform_notes platform_starfive_visionfive2_notes = {
	.platform = &platform_starfive_visionfive2,
	.load = 0x40200000,
	.previous = "U-Boot SPL: FIT at NOR byte 0x100000, or GPT partition 2; the vendor's SPL: fw_payload",
	.watchdog =
		"SoC watchdog 0x13070000 (unlock 0x1acce551 at +0xc00, load +0, control +8); RAM UNCONFIRMED",
	.quirk =
		{
			{"cold-reset-cuts-power", "SBI's cold reset is a restart of the PMIC: RAM is lost",
			 "AXP15060 register 0x32; UNCONFIRMED on hardware"},
			{"stale-llc", "2 MiB of L2 are lost on a reset: what must last is written back",
			 "JH7110 dtsi, starfive,jh7110-ccache; UNCONFIRMED that S-mode may store there"},
			{"uncached-alias",
			 "RAM is there once more, uncached, 8 GiB higher: never write by both",
			 "JH7110 memory map"},
		},
};
