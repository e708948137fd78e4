// SPDX-License-Identifier: BSD-2-Clause
/* A build that starts the default configuration, or another if that is bad (-Dmenu=false). Stands for menu.c. */
#include "boot/choose/menu.h"

size_t menu_choose(struct boot_context *ctx, uint32_t demoted)
{
	(void)ctx;
	(void)demoted;
	return CHOICES_NONE;
}
