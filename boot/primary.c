// SPDX-License-Identifier: BSD-2-Clause
/* Which configuration becomes the primary. */
#include "boot/primary.h"

#include <string.h>

#include "boot/payload.h"

static const void *bundle_data(const struct boot_context *ctx)
{
	return physmap_pointer(&ctx->physmap, ctx->bundle.base);
}

static bool is_fit(const struct boot_context *ctx)
{
	return bundle_is_fit(bundle_data(ctx), ctx->bundle.size);
}

static enum lb_err try_config(struct boot_context *ctx, const char *name)
{
	enum lb_err err = payload_read(ctx, name);

	if (err)
		return err;
	payload_wish(ctx);
	err = payload_plan(ctx, &ctx->memmap);
	return err ? err : payload_load(ctx);
}

/* Try @name; if it is refused, say so and leave the next to the caller. */
static bool is_good(struct boot_context *ctx, const char *name)
{
	if (!try_config(ctx, name))
		return true;
	log_error(&ctx->log, "%s", ctx->diag.text);
	return false;
}

static enum lb_err try_all(struct boot_context *ctx)
{
	const char *name;
	enum lb_err err = LB_ENOENT;

	for (size_t tried = 0;; tried++) {
		err = bundle_candidate(bundle_data(ctx), ctx->bundle.size, tried, &name, &ctx->diag);
		if (err) {
			if (!tried)
				log_error(&ctx->log, "%s", ctx->diag.text);
			return err;
		}
		if (ctx->wanted[0] && !strcmp(name, ctx->wanted))
			continue; /* it was the first */
		if (tried || ctx->wanted[0])
			log_warn(&ctx->log, "bundle: falling back to %s", name);
		if (is_good(ctx, name))
			return LB_OK;
	}
}

enum lb_err primary_load(struct boot_context *ctx)
{
	if (!is_fit(ctx))
		return is_good(ctx, NULL) ? LB_OK : LB_EFORMAT;
	if (ctx->wanted[0] && is_good(ctx, ctx->wanted))
		return LB_OK;
	return try_all(ctx);
}

bool primary_wants_reset(const struct boot_context *ctx)
{
	return ctx->bundle.size && is_fit(ctx) && bundle_wants_reset(bundle_data(ctx), ctx->bundle.size);
}
