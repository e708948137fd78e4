// SPDX-License-Identifier: BSD-2-Clause
/* Which configuration becomes the primary: the one that is wanted, or the next one that is any good. */
#include "boot/choose/choose.h"

#include "boot/choose/menu.h"
#include "boot/crash/crash.h"
#include "boot/load/payload.h"
#include "boot/start.h"
#include "fdt/fit/fit.h"

static void read_choices(struct boot_context *ctx)
{
	struct diag warning;

	if (payload_reach(ctx) || choices_read(&ctx->opened, &ctx->choices, &ctx->diag))
		boot_fail(ctx, ctx->diag.text);
	bundle_policy(&ctx->opened, &ctx->crash.boot_policy, &warning);
	if (*warning.text)
		log_warn(&ctx->log, "%s", warning.text);
}

static enum lb_err try_to_load(struct boot_context *ctx, const char *name)
{
	enum lb_err err = payload_read(ctx, name);

	if (err)
		return err;
	payload_wish(ctx);
	err = payload_plan(ctx, &ctx->memmap);
	return err ? err : payload_load(ctx);
}

void choose_primary(struct boot_context *ctx)
{
	size_t order[CHOICES_MAX + 1], count;
	uint32_t demoted;

	read_choices(ctx);
	demoted = crash_find_demoted(ctx);
	count = choices_order(&ctx->choices, menu_choose(ctx, demoted), demoted, order);
	for (size_t i = 0; i < count; i++) {
		const char *name = ctx->choices.name[order[i]];

		ctx->chosen = order[i];
		if (!try_to_load(ctx, name))
			return;
		if (i + 1 < count)
			log_warn(&ctx->log, "choose: '" FIT_NAME "' is bad: %s", name, ctx->diag.text);
	}
	boot_fail(ctx, ctx->diag.text);
}
