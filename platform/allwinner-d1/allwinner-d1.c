// SPDX-License-Identifier: BSD-2-Clause
/* Boards with an Allwinner D1: Nezha, LicheeRV, MangoPi MQ-Pro. One C906, RAM from 0x40000000. */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0x40000000, 2 * MIB), "OpenSBI"},
};

const struct platform platform_allwinner_d1 = {
	.name = "allwinner-d1",
	.compatible = "allwinner,sun20i-d1\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
};

const struct platform_notes platform_allwinner_d1_notes = {
	.platform = &platform_allwinner_d1,
	.load = 0x4a000000,
	.previous = "boot0 or SPL: item u-boot of a TOC1 at sector 32800, with items opensbi and dtb "
		    "(0x44000000)",
	.watchdog = "SoC watchdog 0x20500a0 serves SBI's cold and warm reset; RAM likely kept, UNCONFIRMED",
	.quirk =
		{
			{"maee",
			 "PTEs need T-Head's attributes when th.sxstatus has MAEE set; found by the core's "
			 "ids",
			 "Linux arch/riscv/errata/thead/errata.c; UNCONFIRMED here, QEMU has no MAEE"},
			{"no-memory-node", "mainline's FDT has no memory: U-Boot's SPL must fill it in",
			 "Linux allwinner/sun20i-d1-nezha.dtb"},
		},
};
