// SPDX-License-Identifier: BSD-2-Clause
/* Milk-V Pioneer: Sophgo SG2042, 64 C920 of the first generation. RAM from 0, as ZSBL finds it. */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0, 2 * MIB), "OpenSBI"},
	{LOST(0x20000000, 2 * MIB), "ZSBL FDT"},
	{LOST(0x28000000, 2 * MIB), "ZSBL"},
};

const struct platform platform_milkv_pioneer = {
	.name = "milkv-pioneer",
	.compatible = "sophgo,sg2042\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
};

const struct platform_notes platform_milkv_pioneer_notes = {
	.platform = &platform_milkv_pioneer,
	.load = 0x2000000,
	.previous =
		"ZSBL: the kernel file that conf.ini names (raw); FDT at 0x20000000, initrd at 0x30000000",
	.watchdog = "the board's MCU serves SBI's cold and warm reset; RAM UNCONFIRMED",
	.quirk =
		{
			{"maee",
			 "PTEs need T-Head's attributes when th.sxstatus has MAEE set; found by the core's "
			 "ids",
			 "Linux arch/riscv/errata/thead/errata.c; UNCONFIRMED here, QEMU has no MAEE"},
			{"no-memory-node",
			 "mainline's FDT has no memory: ZSBL fills it in from DDR's registers",
			 "Linux sophgo/sg2042-milkv-pioneer.dtb"},
		},
};
