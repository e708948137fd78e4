// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FDT that a configuration wants: a base and overlays out of the bundle, with what only firmware knows.
 */
#include "boot/load/board_fdt.h"

#include <inttypes.h>
#include <string.h>

#include "boot/load/images.h"
#include "fdt/merge.h"
#include "fdt/read.h"

#define GROWTH_PER_OVERLAY 2	     /* times its size: its nodes, and what it adds to __symbols__, often */
#define GROWTH_MIN	   (4 * KIB) /* for what comes over from firmware's /chosen and /reserved-memory */

/*
 * Three parts of the room: what the FDT that is made describes, that FDT, and the image in hand, which must
 * be aligned and may be written.
 */
struct parts {
	struct machine *machine;
	uint64_t made_size;
	char *made;
	char *image;
	bool has_base; /* the first image is none of the overlays */
};

static uint64_t image_room(const struct payload *payload)
{
	const struct bundle_blob *fdt = payload->config.fdt;
	uint64_t most = 0;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && fdt[i].size; i++)
		most = fdt[i].size > most ? fdt[i].size : most;
	return align_down(most + 7, 8);
}

/*
 * What will do for most. They all lie in the bundle, which lies in memory: no sum of a few sizes overflows.
 */
static uint64_t first_room(const struct facts *facts, const struct payload *payload)
{
	const struct bundle_blob *fdt = payload->config.fdt;
	uint64_t sum = facts->hw->fdt_size + GROWTH_MIN;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && fdt[i].size; i++)
		sum += GROWTH_PER_OVERLAY * fdt[i].size;
	return sum < FDT_SIZE_MAX ? align_down(sum + 7, 8) : FDT_SIZE_MAX;
}

static enum lb_err find_room(const struct facts *facts, struct payload *payload, const struct memmap *map,
			     struct parts *parts)
{
	const uint64_t size = sizeof(*parts->machine) + parts->made_size + image_room(payload);
	struct region *room = &payload->board_fdt_room;

	if (region_set_find(&map->free, size, PAGE_SIZE, 0, facts->stage->physmap.limit, REGION_HIGHEST,
			    &room->base))
		return diag_fail(&facts->log->diag, LB_ENOSPC, "fdt: no %" PRIu64 " KiB of RAM to make it in",
				 size / KIB);
	room->size = size;
	parts->machine = facts_at(facts, room->base);
	parts->made = (char *)(parts->machine + 1);
	parts->image = parts->made + parts->made_size;
	return LB_OK;
}

static enum lb_err read_image(const struct facts *facts, struct payload *payload,
			      const struct bundle_blob *blob, struct parts *parts, bool *overlay)
{
	enum lb_err err = images_verify(facts, payload, blob);

	if (err)
		return err;
	memcpy(parts->image, facts->source->bundle.data + blob->offset, blob->size);
	return fdt_check_image(parts->image, blob->size, blob->node, overlay, &facts->log->diag);
}

/* The first image is the base. If it is an overlay itself, the firmware's FDT is. */
static enum lb_err begin(const struct facts *facts, struct payload *payload, struct parts *parts)
{
	enum lb_err err = fdt_merge_begin(parts->has_base ? parts->image : facts->hw->fdt, parts->made,
					  parts->made_size, &facts->log->diag);

	if (!err && parts->has_base)
		err = fdt_merge_firmware(parts->made, facts->hw->fdt, payload->config.fdt[0].node,
					 &facts->log->diag);
	/* The firmware's bootargs are a matter of their own. */
	if (!err && !(parts->has_base && fdt_bootargs(parts->image)))
		fdt_drop_bootargs(parts->made);
	return err;
}

static enum lb_err merge(const struct facts *facts, struct payload *payload, struct parts *parts)
{
	const struct bundle_blob *fdt = payload->config.fdt;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < BUNDLE_BLOBS_MAX && fdt[i].size; i++) {
		bool overlay = false;

		err = read_image(facts, payload, &fdt[i], parts, &overlay);
		if (!err && !i) {
			parts->has_base = !overlay;
			err = begin(facts, payload, parts);
		}
		if (!err && (i || overlay))
			err = fdt_merge_overlay(parts->made, parts->image, facts->hw->fdt, fdt[i].node,
						&facts->log->diag);
	}
	return err;
}

/* How much an overlay adds shows when it is applied, and then it is spoilt: start anew with more room. */
static enum lb_err merge_in_room(const struct facts *facts, struct payload *payload, const struct memmap *map,
				 struct parts *parts)
{
	for (parts->made_size = first_room(facts, payload);; parts->made_size *= 2) {
		enum lb_err err = find_room(facts, payload, map, parts);

		if (err)
			return err;
		err = merge(facts, payload, parts);
		if (err != LB_ENOSPC || parts->made_size >= FDT_SIZE_MAX)
			return err;
	}
}

static void print_merged(const struct facts *facts, const struct payload *payload, const struct parts *parts)
{
	const struct bundle_blob *fdt = payload->config.fdt;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && fdt[i].size; i++)
		log_info(facts->log, "fdt: %s %s", fdt[i].node,
			 i || !parts->has_base ? "is laid over it" : "instead of the firmware's");
}

enum lb_err board_fdt_make(const struct facts *facts, struct payload *payload, const struct memmap *map)
{
	struct parts parts = {.made = NULL};
	enum lb_err err;

	payload->board_fdt = facts->hw->fdt;
	payload->machine = &facts->hw->machine;
	payload->board_fdt_room = (struct region){0, 0};
	if (!payload->config.fdt[0].size)
		return LB_OK;
	if (!WITH_FDTS) {
		log_warn(facts->log, "fdt: %s is not used: this build takes the firmware's FDT alone",
			 payload->config.fdt[0].node);
		return LB_OK;
	}
	err = merge_in_room(facts, payload, map, &parts);
	if (!err)
		err = fdt_read_machine(parts.made, parts.made_size, parts.machine, &facts->log->diag);
	if (err)
		return err;
	payload->board_fdt = parts.made;
	payload->machine = parts.machine;
	print_merged(facts, payload, &parts);
	return LB_OK;
}
