// SPDX-License-Identifier: BSD-2-Clause
/* A build that takes no FDTs out of bundles (-Dfdts=false): the payload sees the firmware's. */
#include "boot/load/board_fdt.h"

enum lb_err board_fdt_make(struct boot_context *ctx, struct memmap *map)
{
	(void)map;
	ctx->board_fdt = ctx->fdt;
	if (ctx->config.fdt[0].size)
		log_warn(&ctx->log, "fdt: %s is not used: this build takes the firmware's FDT alone",
			 ctx->config.fdt[0].node);
	return LB_OK;
}

void board_fdt_release(struct boot_context *ctx, struct memmap *map)
{
	(void)ctx;
	(void)map;
}
