// SPDX-License-Identifier: BSD-2-Clause
/*
 * SiFive HiFive Unleashed (FU540), and QEMU's sifive_u.
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

const struct platform platform_sifive_unleashed = {
	.name = "sifive-unleashed",
	.compatible = "sifive,hifive-unleashed-a00\0sifive,fu540-c000\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
	.llc_flush = 0x2010200,
};

const struct platform_notes platform_sifive_unleashed_notes = {
	.platform = &platform_sifive_unleashed,
	.load = 0x80200000,
	.previous = "U-Boot SPL: FIT at SD sector 2082 or NOR byte 0x105000; load address is the FIT's",
	.watchdog = "gpio-restart (gpio 10) serves SBI's cold and warm reset; no power-off",
	.quirk =
		{
			{"mmu-type-lies", "QEMU's own FDT says sv48, the harts take Sv39: satp is probed",
			 "measured on QEMU 10 sifive_u"},
			{"fdt-behind-image", "SPL puts the FDT right behind our file, which covers our bss",
			 "U-Boot 2025.01, measured on sifive_u"},
			{"stale-llc", "2 MiB of L2 are lost on a reset: what must last is written back",
			 "FU540-C000 manual, L2 Flush64; UNCONFIRMED that S-mode may store there on every "
			 "firmware"},
		},
};
