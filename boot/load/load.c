// SPDX-License-Identifier: BSD-2-Clause
/* The images of a configuration: checked, and brought to their places. */
#include "boot/load/load.h"

#include <inttypes.h>
#include <string.h>

#include "boot/machine/instret.h"
#include "boot/machine/sha256_zknh.h"

#define RAMDISK_ALIGN 4 /* Linux expects each archive at one, and skips zeros between them */

static void *at(const struct boot_context *ctx, paddr_t pa)
{
	return physmap_pointer(&ctx->physmap, pa);
}

static void begin_check(struct boot_context *ctx, const struct bundle_blob *blob)
{
	verify_begin(&ctx->verify, &blob->hashes);
	verify_accelerate(&ctx->verify, ctx->machine.isa & ISA_ZKNH ? sha256_zknh : NULL);
}

enum lb_err load_verify(struct boot_context *ctx, const struct bundle_blob *blob)
{
	const bool usable = ctx->log.console.instret_usable;
	const uint64_t begin = instret_read(usable);
	enum lb_err err;

	begin_check(ctx, blob);
	verify_add(&ctx->verify, at(ctx, ctx->bundle.base + blob->offset), blob->size);
	err = verify_end(&ctx->verify, blob->node, &ctx->diag);
	if (blob->hashes.count) {
		ctx->check_instret += instret_read(usable) - begin;
		ctx->check_bytes += blob->size;
	}
	return err;
}

/* Move an image, and check it on the way. */
static enum lb_err move_blob(struct boot_context *ctx, const struct bundle_blob *blob, paddr_t dest)
{
	const bool usable = ctx->log.console.instret_usable;
	const uint64_t begin = instret_read(usable);
	enum lb_err err;

	begin_check(ctx, blob);
	verify_move(&ctx->verify, at(ctx, dest), at(ctx, ctx->bundle.base + blob->offset), blob->size);
	err = verify_end(&ctx->verify, blob->node, &ctx->diag);
	if (blob->hashes.count) {
		ctx->check_instret += instret_read(usable) - begin;
		ctx->check_bytes += blob->size;
	} else {
		ctx->copy_instret += instret_read(usable) - begin;
		ctx->copy_bytes += blob->size;
	}
	return err;
}

void load_print_unhashed(struct boot_context *ctx)
{
	const struct bundle_blob *blob;

	if (!verify_can()) {
		log_info(&ctx->log, "bundle: %s is not checked: this build checks no hashes",
			 ctx->config.name);
		return;
	}
	for (size_t i = 0; (blob = bundle_config_blob(&ctx->config, i)); i++) {
		if (!blob->hashes.count)
			log_info(&ctx->log, "bundle: %s has no hash: its bytes are not checked", blob->node);
	}
}

static uint64_t ramdisk_step(const struct bundle_blob *ramdisk)
{
	uint64_t size;

	return align_up(ramdisk->size, RAMDISK_ALIGN, &size) ? size : ramdisk->size;
}

uint64_t load_ramdisk_size(const struct boot_context *ctx)
{
	const struct bundle_blob *ramdisk = ctx->config.ramdisk;
	uint64_t sum = 0;

	/* All of them lie in the bundle, and there are few: this can't overflow. Behind the last there is no gap. */
	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && ramdisk[i].size; i++)
		sum = sum + (i ? ramdisk_step(&ramdisk[i - 1]) - ramdisk[i - 1].size : 0) + ramdisk[i].size;
	return sum;
}

static enum lb_err load_ramdisks(struct boot_context *ctx, paddr_t dest)
{
	const struct bundle_blob *ramdisk = ctx->config.ramdisk;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < BUNDLE_BLOBS_MAX && ramdisk[i].size; i++) {
		const paddr_t next = dest + ramdisk_step(&ramdisk[i]), end = dest + ramdisk[i].size;

		err = move_blob(ctx, &ramdisk[i], dest);
		if (i + 1 < BUNDLE_BLOBS_MAX && ramdisk[i + 1].size)
			memset(at(ctx, end), 0, next - end);
		dest = next;
	}
	return err;
}

/* Does carrying out @item leave the bundle as it is? */
static bool spares_bundle(const struct boot_context *ctx, const struct plan_item *item)
{
	const bool writes = item->source != item->dest || item->zero_fill;

	return !writes || !ranges_overlap(item->dest, item->mem_size, ctx->bundle.base, ctx->bundle.size);
}

static bool is_ramdisk(const struct boot_context *ctx, const struct plan_item *item)
{
	return ctx->config.ramdisk[0].size && item->dest == ctx->plan.initrd.base;
}

/* Is @item the kernel's whole file, which is copied to where it does no harm? Then one pass is enough. */
static bool is_whole_kernel(const struct boot_context *ctx, const struct plan_item *item)
{
	return !ctx->unpacked.size && item->source == ctx->bundle.base + ctx->config.kernel.offset &&
	       item->file_size == ctx->config.kernel.size && item->source != item->dest && !item->zero_fill &&
	       spares_bundle(ctx, item);
}

/* Is the kernel's hash still to be checked, in a pass of its own? */
static bool must_verify_kernel(const struct boot_context *ctx)
{
	for (size_t i = 0; i < ctx->plan.count; i++) {
		if (is_whole_kernel(ctx, &ctx->plan.item[i]))
			return false;
	}
	return !ctx->unpacked.size; /* what is unpacked was checked before */
}

/* What stays where it is, and what goes over the bundle. */
static enum lb_err verify_first(struct boot_context *ctx)
{
	const struct plan *plan = &ctx->plan;
	enum lb_err err = must_verify_kernel(ctx) ? load_verify(ctx, &ctx->config.kernel) : LB_OK;

	for (size_t i = 0; !err && i < plan->count; i++) {
		if (is_ramdisk(ctx, &plan->item[i]) && plan->item[i].source == plan->item[i].dest)
			err = load_verify(ctx, &ctx->config.ramdisk[0]);
	}
	return err;
}

static enum lb_err load_loadables(struct boot_context *ctx)
{
	const struct bundle_blob *loadable = ctx->config.loadable;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < BUNDLE_BLOBS_MAX && loadable[i].size; i++)
		err = move_blob(ctx, &loadable[i], loadable[i].load);
	return err;
}

static void load_unverified(struct boot_context *ctx, const struct plan_item *item)
{
	const bool usable = ctx->log.console.instret_usable;
	const uint64_t begin = instret_read(usable);

	if (item->source != item->dest) {
		memmove(at(ctx, item->dest), at(ctx, item->source), item->file_size);
		ctx->copy_bytes += item->file_size;
	}
	if (item->zero_fill)
		memset(at(ctx, item->dest + item->file_size), 0, item->mem_size - item->file_size);
	ctx->copy_instret += instret_read(usable) - begin;
}

static enum lb_err load_item(struct boot_context *ctx, const struct plan_item *item)
{
	if (is_ramdisk(ctx, item) && item->source != item->dest)
		return load_ramdisks(ctx, item->dest);
	if (is_whole_kernel(ctx, item))
		return move_blob(ctx, &ctx->config.kernel, item->dest);
	load_unverified(ctx, item);
	return LB_OK;
}

enum lb_err load_all(struct boot_context *ctx)
{
	enum lb_err err = verify_first(ctx);

	if (!err)
		err = load_loadables(ctx);
	for (size_t i = 0; !err && i < ctx->plan.count; i++)
		err = load_item(ctx, &ctx->plan.item[i]);
	return err;
}
