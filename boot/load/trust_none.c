// SPDX-License-Identifier: BSD-2-Clause
/* A build that checks no signatures (-Dsignatures=[]): it says so, once for each configuration. */
#include "boot/load/trust.h"

enum lb_err trust_find_keys(struct boot_context *ctx)
{
	(void)ctx;
	return LB_OK;
}

enum lb_err trust_look(struct boot_context *ctx)
{
	(void)ctx;
	return LB_OK;
}

enum lb_err trust_check_config(struct boot_context *ctx)
{
	log_info(&ctx->log, "signature: %s is unsigned: this build checks no signatures", ctx->config.name);
	return LB_OK;
}
