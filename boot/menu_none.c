// SPDX-License-Identifier: BSD-2-Clause
/* A build without a menu (-Dmenu=false). */
#include "boot/menu.h"

void menu_run(struct boot_context *ctx)
{
	if (ctx->menu_seconds)
		log_warn(&ctx->log, "menu: this build has none (-Dmenu=false)");
}
