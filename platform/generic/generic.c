// SPDX-License-Identifier: BSD-2-Clause
/* Any machine that its FDT describes whole: no quirks. */
#include "platform/platforms.h"

const struct platform platform_generic = {
	.name = "generic",
	.compatible = "",
};

const struct platform_notes platform_generic_notes = {
	.platform = &platform_generic,
	.load = 0x80200000,
	.previous = "anything that keeps the boot protocol: a0 hart, a1 FDT, S-mode, any multiple of 4 KiB",
	.watchdog = "not known: what the machine has",
};
