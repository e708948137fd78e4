// SPDX-License-Identifier: BSD-2-Clause
/* Keys, and who has signed what is about to be started. */
#include "boot/load/trust.h"

#include <inttypes.h>

#include "boot/machine/instret.h"

/* From tools/lifeboat keys: a control FDT, or nothing. */
extern const unsigned char builtin_keys[];
extern const size_t builtin_keys_size;

/* Which ones is a choice of the build. */
static const struct signature_scheme *const schemes[] = {TRUST_SCHEMES};

static struct signature_policy policy_of(const struct boot_context *ctx)
{
	return (struct signature_policy){
		.ring = ctx->trust.ring,
		.ring_count = ctx->trust.ring_count,
		.scheme = schemes,
		.scheme_count = ARRAY_SIZE(schemes),
	};
}

/* Each control FDT is one more to please, so that the firmware's can't take back what the build demands. */
static enum lb_err add_ring(struct boot_context *ctx, enum lb_err opened, const char *from)
{
	const struct keyring *ring = &ctx->trust.ring[ctx->trust.ring_count];

	if (opened == LB_ENOENT)
		return LB_OK;
	if (opened)
		return opened;
	for (int node = keyring_first(ring); node >= 0; node = keyring_next(ring, node)) {
		static const char *const required[] = {"", ", required for configurations",
						       ", required for images"};
		struct key key;
		enum lb_err err = keyring_read(ring, node, &key, &ctx->diag);

		if (err)
			return err;
		log_info(&ctx->log, "signature: key %s (%s), %s%s", key.name,
			 key.algo ? key.algo : "any algo", from, required[key.required]);
	}
	ctx->trust.ring_count++;
	return LB_OK;
}

enum lb_err trust_find_keys(struct boot_context *ctx)
{
	struct boot_trust *trust = &ctx->trust;
	enum lb_err err = LB_OK;

	if (builtin_keys_size)
		err = add_ring(ctx,
			       keyring_open(builtin_keys, builtin_keys_size, &trust->ring[0], &ctx->diag),
			       "built in");
	if (!err)
		err = add_ring(ctx,
			       keyring_open_checked(ctx->fdt, ctx->fdt_size, &trust->ring[trust->ring_count],
						    &ctx->diag),
			       "from the FDT");
	return err;
}

static bool is_required(const struct signature_policy *policy)
{
	return signature_requires(policy, KEY_REQUIRED_CONF) ||
	       signature_requires(policy, KEY_REQUIRED_IMAGE);
}

static enum lb_err check_images(struct boot_context *ctx, const struct signature_policy *policy)
{
	const struct bundle_blob *blob;
	enum lb_err err = LB_OK;

	if (!signature_requires(policy, KEY_REQUIRED_IMAGE))
		return LB_OK;
	for (size_t i = 0; !err && (blob = bundle_config_blob(&ctx->config, i)); i++)
		err = signature_check_image(policy, &ctx->opened.fit, blob->node,
					    ctx->opened.data + blob->offset, blob->size, &ctx->trust.work,
					    &ctx->diag);
	return err;
}

static enum lb_err check_fit(struct boot_context *ctx, const struct signature_policy *policy,
			     struct signature_verdict *verdict)
{
	enum lb_err err = signature_check(policy, &ctx->opened.fit, ctx->config.name, &ctx->trust.work,
					  verdict, &ctx->diag);

	return err ? err : check_images(ctx, policy);
}

static enum lb_err check_bare(struct boot_context *ctx, const struct signature_policy *policy)
{
	if (is_required(policy))
		return diag_fail(&ctx->diag, LB_EUNTRUSTED,
				 "signature: this is no bundle but a bare payload, which nobody can sign: "
				 "make a bundle");
	return LB_OK;
}

static void forget_foreign_initrd(struct boot_context *ctx, const struct signature_policy *policy)
{
	if (!ctx->machine.initrd.size || ctx->machine.initrd.base == ctx->bundle.base ||
	    ctx->config.ramdisk[0].size || !is_required(policy))
		return;
	log_warn(&ctx->log, "signature: the initrd beside the bundle is not signed, so it is not used");
	ctx->machine.initrd = (struct region){0, 0};
}

static void print_verdict(struct boot_context *ctx, const struct signature_verdict *verdict)
{
	if (verdict->key)
		log_info(&ctx->log, "signature: %s is signed by %s (%s), version %" PRIu64, ctx->config.name,
			 verdict->key, verdict->algo, verdict->version);
	else
		log_info(&ctx->log, "signature: %s is unsigned: %s", ctx->config.name,
			 verdict->keys ? "no key's signature holds, and none is required"
				       : "there is no key to check it with");
}

static enum lb_err check(struct boot_context *ctx, const struct signature_policy *policy,
			 struct signature_verdict *verdict)
{
	if (ctx->opened.is_fit)
		return check_fit(ctx, policy, verdict);
	return check_bare(ctx, policy);
}

enum lb_err trust_look(struct boot_context *ctx)
{
	const struct signature_policy policy = policy_of(ctx);
	struct signature_verdict verdict = {.key = NULL};

	return check(ctx, &policy, &verdict);
}

enum lb_err trust_check_config(struct boot_context *ctx)
{
	const struct signature_policy policy = policy_of(ctx);
	const bool usable = ctx->log.console.instret_usable;
	const uint64_t begin = instret_read(usable);
	struct signature_verdict verdict = {.key = NULL};
	const enum lb_err err = check(ctx, &policy, &verdict);

	if (err)
		return err;
	if (verdict.key)
		ctx->signature_instret += instret_read(usable) - begin;
	print_verdict(ctx, &verdict);
	forget_foreign_initrd(ctx, &policy);
	return LB_OK;
}
