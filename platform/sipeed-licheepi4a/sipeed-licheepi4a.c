// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sipeed LicheePi 4A and other boards with a T-Head TH1520.
 *
 * Two chains: the vendor's has OpenSBI at 0 and us at 2 MiB, mainline U-Boot's has OpenSBI at 2 GiB. Both are
 * covered, since the FDT does not tell them apart.
 */
#include "platform/platforms.h"

static const struct platform_lost lost[] = {
	{LOST(0, 2 * MIB), "OpenSBI"}, /* the vendor's */
	{LOST(0x10000000, 4 * MIB), "SPL heap"},
	{LOST(0x80000000, 2 * MIB), "OpenSBI"}, /* mainline's */
};

const struct platform platform_sipeed_licheepi4a = {
	.name = "sipeed-licheepi4a",
	.compatible = "thead,th1520\0",
	.lost = lost,
	.lost_count = ARRAY_SIZE(lost),
};

const struct platform_notes platform_sipeed_licheepi4a_notes = {
	.platform = &platform_sipeed_licheepi4a,
	.load = 0x200000,
	.previous =
		"vendor U-Boot in M-mode: booti of a file with an Image header; FDT at most 29 MiB above us",
	.watchdog = "PMIC's, behind the AON firmware; OpenSBI has no reset device",
	.quirk =
		{
			{"maee",
			 "PTEs need T-Head's attributes when th.sxstatus has MAEE set; found by the core's "
			 "ids",
			 "Linux arch/riscv/errata/thead/errata.c; UNCONFIRMED here, QEMU has no MAEE"},
			{"no-srst", "the stage and a dying kernel can't reset the board by SBI",
			 "OpenSBI 1.6: no driver for TH1520"},
			{"uboot-rewrites-ram",
			 "the vendor's U-Boot runs from RAM, at an address that is not known", "UNCONFIRMED"},
		},
};
