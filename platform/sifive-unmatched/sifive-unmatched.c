// SPDX-License-Identifier: BSD-2-Clause
/*
 * SiFive HiFive Unmatched (FU740).
 *
 * U-Boot's SPL: bss at 0x85000000, heap of 1 MiB (Debian 2025.01, measured on sifive_u) or 8 MiB (its
 * successors' default) at 0x85100000. It moves images by whole cache lines, so it changes up to 64 bytes
 * below each, too.
 */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0x80000000, 2 * MIB), "OpenSBI"},
	{LOST(0x85000000, 9 * MIB), "SPL heap"},
};

const struct platform platform_sifive_unmatched = {
	.name = "sifive-unmatched",
	.compatible = "sifive,hifive-unmatched-a00\0sifive,fu740-c000\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
	.llc_flush = 0x2010200,
};

const struct platform_notes platform_sifive_unmatched_notes = {
	.platform = &platform_sifive_unmatched,
	.load = 0x80200000,
	.previous = "U-Boot SPL: FIT at SD sector 2082 or NOR byte 0x105000; load address is the FIT's",
	.watchdog = "DA9063's; any SBI reset goes through that PMIC, which drops the rails",
	.quirk =
		{
			{"reset-drops-rails",
			 "cold and warm reset are one and cycle the power: RAM is doubtful",
			 "UNCONFIRMED on hardware; OpenSBI lib/utils/reset/fdt_reset_da9063.c"},
			{"stale-llc", "2 MiB of L2 are lost on a reset: what must last is written back",
			 "FU740-C000 manual, L2 Flush64; UNCONFIRMED that S-mode may store there on every "
			 "firmware"},
		},
};
