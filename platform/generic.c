// SPDX-License-Identifier: BSD-2-Clause
/* Any machine that its FDT describes whole: no quirks. */
#include "platform/platforms.h"

static const char *const compatible[] = {NULL};

const struct platform platform_generic = {
	.name = "generic",
	.compatible = compatible,
};
