// SPDX-License-Identifier: BSD-2-Clause
/*
 * Milk-V Duo, Duo 256M, Duo S, LicheeRV Nano: Sophgo CV1800B, SG2002, SG2000. RAM from 0x80000000, a C906.
 *
 * FSBL tests DDR from its base on (how far is not known: 16 MiB are given up) and unpacks images at
 * 0x81800000. The second core's RTOS has the last 2 MiB of the 256 and 512 MiB boards; Linux' FDTs reserve it
 * on some only.
 */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0x80000000, 16 * MIB), "FSBL"},
	{LOST(0x81800000, 17 * MIB), "FSBL"},
	{LOST(0x8fe00000, 2 * MIB), "RTOS"}, /* 256 MiB */
	{LOST(0x9fe00000, 2 * MIB), "RTOS"}, /* 512 MiB */
};

const struct platform platform_milkv_duo = {
	.name = "milkv-duo",
	.compatible = "sophgo,cv1800b\0sophgo,sg2002\0sophgo,sg2000\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
};

const struct platform_notes platform_milkv_duo_notes = {
	.platform = &platform_milkv_duo,
	.load = 0x80200000,
	.entry = 0x20,
	.previous = "FSBL: LOADER_2ND of fip.bin, entered 32 bytes behind its load address; FDT from "
		    "OpenSBI's build",
	.watchdog = "RTC block: warm reset by 0x05025008, unlocked by 0x05025004; keeps RAM on SG2000",
	.quirk =
		{
			{"maee",
			 "PTEs need T-Head's attributes when th.sxstatus has MAEE set; found by the core's "
			 "ids",
			 "Linux arch/riscv/errata/thead/errata.c; UNCONFIRMED here, QEMU has no MAEE"},
			{"no-srst", "the stage and a dying kernel can't reset the board by SBI",
			 "OpenSBI 1.6: no driver for CV18xx"},
			{"entry-at-0x20", "FSBL enters its header's end, which is no page: a shim moves us",
			 "Sophgo fsbl, read"},
		},
};
