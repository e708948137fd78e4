// SPDX-License-Identifier: BSD-2-Clause
/* The images of a configuration: checked, and brought to their places. */
#include "boot/load/images.h"

#include <inttypes.h>
#include <string.h>

#include "boot/load/trust.h"
#include "boot/machine/hash_ways.h"
#include "boot/smp.h"

#define LARGE	      MIB /* bytes from which on an image is worth a hart's start */
#define RAMDISK_ALIGN 4	  /* Linux expects each archive at one, and skips zeros between them */

static const void *source_bytes(const struct facts *facts, const struct bundle_blob *blob)
{
	return facts->source->bundle.data + blob->offset;
}

static bool must_check(const struct facts *facts, const struct bundle_blob *blob)
{
	return WITH_HASHES && blob->hashes.count && !trust_is_sound(facts->trust, blob);
}

static void begin_check(const struct facts *facts, struct payload *payload, const struct bundle_blob *blob)
{
	verify_begin(&payload->verify, &blob->hashes, hash_ways, facts->hw->machine.isa);
	verify_describe(&payload->verify, facts->cost->checked_by, sizeof(facts->cost->checked_by));
}

static enum lb_err end_check(const struct facts *facts, struct payload *payload,
			     const struct bundle_blob *blob)
{
	enum lb_err err = verify_end(&payload->verify, blob->node, &facts->log->diag);

	if (!err)
		trust_note_sound(facts->trust, blob);
	return err;
}

/* In a pass of its own, or by what another hart has done of it: NULL if it is nobody else's share. */
static enum lb_err verify_image(const struct facts *facts, struct payload *payload,
				const struct bundle_blob *blob, const struct share *share)
{
	const uint64_t begin = cost_begin(facts->cost);
	enum lb_err err;

	begin_check(facts, payload, blob);
	facts->cost->shared |= share_take(share, &payload->verify, source_bytes(facts, blob), blob->size);
	err = end_check(facts, payload, blob);
	cost_end(facts->cost, COST_CHECK, begin, blob->size);
	return err;
}

enum lb_err images_verify(const struct facts *facts, struct payload *payload, const struct bundle_blob *blob)
{
	return must_check(facts, blob) ? verify_image(facts, payload, blob, NULL) : LB_OK;
}

/* The next image that can be another hart's share, from number @next on. */
static const struct bundle_blob *next_large(const struct facts *facts, const struct payload *payload,
					    size_t *next)
{
	const struct bundle_blob *blob;

	while ((blob = bundle_config_blob(&payload->config, (*next)++))) {
		if (blob->size >= LARGE && must_check(facts, blob) &&
		    share_can(&blob->hashes, source_bytes(facts, blob)))
			break;
	}
	return blob;
}

static bool give_share(const struct facts *facts, struct payload *payload, const struct bundle_blob *blob)
{
	struct share *share = &facts->smp->share;

	begin_check(facts, payload, blob);
	share_make(share, &payload->verify, blob->size);
	share->data = (const uint8_t *)(facts->source->where.base + blob->offset);
	return smp_start(facts->smp, facts->hw, facts->stage);
}

enum lb_err images_verify_large(const struct facts *facts, struct payload *payload)
{
	const struct bundle_blob *own, *other;
	size_t next = 0;
	enum lb_err err;

	if (!WITH_SHA2 || facts->smp->helping) /* who was called off before has not gone yet */
		return LB_OK;
	own = next_large(facts, payload, &next);
	other = next_large(facts, payload, &next);
	if (!other || !give_share(facts, payload, other))
		return LB_OK;
	err = images_verify(facts, payload, own);
	if (!err)
		err = verify_image(facts, payload, other, &facts->smp->share);
	smp_call_off(facts->smp, facts->hw, facts->log);
	return err;
}

/* Move an image, and check it on the way if nobody has before. */
static enum lb_err move_blob(const struct facts *facts, struct payload *payload,
			     const struct bundle_blob *blob, paddr_t dest)
{
	const bool check = must_check(facts, blob);
	const uint64_t begin = cost_begin(facts->cost);
	enum lb_err err = LB_OK;

	if (check) {
		begin_check(facts, payload, blob);
		verify_move(&payload->verify, facts_at(facts, dest), source_bytes(facts, blob), blob->size);
		err = end_check(facts, payload, blob);
	} else {
		memmove(facts_at(facts, dest), source_bytes(facts, blob), blob->size);
	}
	cost_end(facts->cost, check ? COST_CHECK : COST_COPY, begin, blob->size);
	return err;
}

void images_print_unhashed(const struct facts *facts, const struct payload *payload)
{
	const struct bundle_blob *blob;

	if (!WITH_HASHES) {
		log_info(facts->log, "bundle: %s is not checked: this build checks no hashes",
			 payload->config.name);
		return;
	}
	for (size_t i = 0; (blob = bundle_config_blob(&payload->config, i)); i++) {
		if (!blob->hashes.count)
			log_info(facts->log, "bundle: %s has no hash: its bytes are not checked", blob->node);
	}
}

static uint64_t ramdisk_step(const struct bundle_blob *ramdisk)
{
	uint64_t size;

	return align_up(ramdisk->size, RAMDISK_ALIGN, &size) ? size : ramdisk->size;
}

uint64_t images_ramdisk_size(const struct payload *payload)
{
	const struct bundle_blob *ramdisk = payload->config.ramdisk;
	uint64_t sum = 0;

	/*
	 * All of them lie in the bundle, and there are few: this can't overflow. Behind the last there is no
	 * gap.
	 */
	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && ramdisk[i].size; i++)
		sum = sum + (i ? ramdisk_step(&ramdisk[i - 1]) - ramdisk[i - 1].size : 0) + ramdisk[i].size;
	return sum;
}

static enum lb_err load_ramdisks(const struct facts *facts, struct payload *payload, paddr_t dest)
{
	const struct bundle_blob *ramdisk = payload->config.ramdisk;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < BUNDLE_BLOBS_MAX && ramdisk[i].size; i++) {
		const paddr_t next = dest + ramdisk_step(&ramdisk[i]), end = dest + ramdisk[i].size;

		err = move_blob(facts, payload, &ramdisk[i], dest);
		if (i + 1 < BUNDLE_BLOBS_MAX && ramdisk[i + 1].size)
			memset(facts_at(facts, end), 0, next - end);
		dest = next;
	}
	return err;
}

/* Does carrying out @item leave the bundle as it is? */
static bool spares_bundle(const struct facts *facts, const struct plan_item *item)
{
	const bool writes = item->source != item->dest || item->zero_fill;

	return !writes || !ranges_overlap(item->dest, item->mem_size, facts->source->where.base,
					  facts->source->where.size);
}

static bool is_ramdisk(const struct payload *payload, const struct plan_item *item)
{
	return payload->config.ramdisk[0].size && item->dest == payload->plan.initrd.base;
}

/* Is @item the kernel's whole file, which is copied to where it does no harm? Then one pass is enough. */
static bool is_whole_kernel(const struct facts *facts, const struct payload *payload,
			    const struct plan_item *item)
{
	return !payload->unpacked.size &&
	       item->source == facts->source->where.base + payload->config.kernel.offset &&
	       item->file_size == payload->config.kernel.size && item->source != item->dest &&
	       !item->zero_fill && spares_bundle(facts, item);
}

/* Is the kernel's hash still to be checked, in a pass of its own? */
static bool must_verify_kernel(const struct facts *facts, const struct payload *payload)
{
	for (size_t i = 0; i < payload->plan.count; i++) {
		if (is_whole_kernel(facts, payload, &payload->plan.item[i]))
			return false;
	}
	return !payload->unpacked.size; /* what is unpacked was checked before */
}

/* What stays where it is, and what goes over the bundle. */
static enum lb_err verify_first(const struct facts *facts, struct payload *payload)
{
	const struct plan *plan = &payload->plan;
	enum lb_err err = must_verify_kernel(facts, payload)
				  ? images_verify(facts, payload, &payload->config.kernel)
				  : LB_OK;

	for (size_t i = 0; !err && i < plan->count; i++) {
		if (is_ramdisk(payload, &plan->item[i]) && plan->item[i].source == plan->item[i].dest)
			err = images_verify(facts, payload, &payload->config.ramdisk[0]);
	}
	return err;
}

static enum lb_err load_loadables(const struct facts *facts, struct payload *payload)
{
	const struct bundle_blob *loadable = payload->config.loadable;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < BUNDLE_BLOBS_MAX && loadable[i].size; i++)
		err = move_blob(facts, payload, &loadable[i], loadable[i].load);
	return err;
}

static void load_unverified(const struct facts *facts, const struct plan_item *item)
{
	const bool stays = item->source == item->dest;
	const uint64_t begin = cost_begin(facts->cost);

	if (!stays)
		memmove(facts_at(facts, item->dest), facts_at(facts, item->source), item->file_size);
	if (item->zero_fill)
		memset(facts_at(facts, item->dest + item->file_size), 0, item->mem_size - item->file_size);
	cost_end(facts->cost, COST_COPY, begin, stays ? 0 : item->file_size);
}

static enum lb_err load_item(const struct facts *facts, struct payload *payload, const struct plan_item *item)
{
	if (is_ramdisk(payload, item) && item->source != item->dest)
		return load_ramdisks(facts, payload, item->dest);
	if (is_whole_kernel(facts, payload, item))
		return move_blob(facts, payload, &payload->config.kernel, item->dest);
	load_unverified(facts, item);
	return LB_OK;
}

enum lb_err images_load(const struct facts *facts, struct payload *payload)
{
	enum lb_err err = verify_first(facts, payload);

	if (!err)
		err = load_loadables(facts, payload);
	for (size_t i = 0; !err && i < payload->plan.count; i++)
		err = load_item(facts, payload, &payload->plan.item[i]);
	return err;
}
