// SPDX-License-Identifier: BSD-2-Clause
/*
 * Banana Pi BPI-F3 and other boards with a SpacemiT K1. RAM: 2 GiB from 0, the rest from 4 GiB on.
 *
 * The vendor's SPL has a heap of 32 MiB; where mainline's reads a FIT to is in its spacemit_k1_defconfig
 * (SPL_LOAD_FIT_ADDRESS). How much of the two buffers is written depends on the FIT: 32 MiB each stay free.
 */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0, 2 * MIB), "OpenSBI"},
	{LOST(0x4000000, 32 * MIB), "SPL heap"}, /* the vendor's */
	{LOST(0x8000000, 32 * MIB), "SPL FIT"},	 /* mainline's */
	{LOST(0x20000000, 32 * MIB), "SPL FIT"}, /* the vendor's */
};

const struct platform platform_bananapi_f3 = {
	.name = "bananapi-f3",
	.compatible = "spacemit,k1\0spacemit,k1-x\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
};

const struct platform_notes platform_bananapi_f3_notes = {
	.platform = &platform_bananapi_f3,
	.load = 0x200000,
	.previous = "SPL: FIT in the partition named uboot (os U-Boot, crc32 hashes), after one in opensbi",
	.watchdog = "the P1 PMIC's reset serves SBI's cold and warm reset; RAM UNCONFIRMED",
	.quirk =
		{
			{"no-memory-node", "mainline's FDT has no memory: U-Boot's SPL must fill it in",
			 "Linux spacemit/k1-bananapi-f3.dtb"},
			{"svpbmt",
			 "there, and not used: PBMT 0 leaves it to the PMAs, which are right for RAM",
			 "the same"},
		},
};
