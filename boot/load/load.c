// SPDX-License-Identifier: BSD-2-Clause
/* From a bundle to a payload in its place: read, plan, FDT, copy. */
#include "boot/load/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/load/board_fdt.h"
#include "boot/load/images.h"
#include "boot/load/trust.h"
#include "boot/load/unpack.h"
#include "fdt/fixup.h"

static const char *const kinds[] = {
	[IMAGE_LINUX] = "Linux Image",
	[IMAGE_ELF] = "ELF",
	[IMAGE_RAW] = "raw binary",
};

/* Where the initrd's bytes are now: the configuration's, or the one that firmware brought beside a bundle. */
static struct region initrd_of(const struct facts *facts, const struct payload *payload)
{
	const struct bundle_blob *ramdisk = payload->config.ramdisk;
	const paddr_t bundle = facts->source->where.base;

	if (ramdisk->size)
		return (struct region){bundle + ramdisk->offset, images_ramdisk_size(payload)};
	if (facts->hw->machine.initrd.base != bundle)
		return facts->hw->machine.initrd;
	return (struct region){0, 0};
}

enum lb_err load_look(const struct facts *facts, struct payload *payload, const char *name)
{
	enum lb_err err =
		bundle_read_config(&facts->source->bundle, name, &payload->config, &facts->log->diag);

	if (!err)
		payload->initrd = initrd_of(facts, payload);
	return err;
}

void load_describe(const struct payload *payload, char *out, size_t size)
{
	const struct bundle_config *config = &payload->config;
	const struct decompressor *by = config->packed.by;

	snprintf(out, size, "%s, %" PRIu64 " KiB%s", by ? by->name : kinds[config->image.kind],
		 config->kernel.size / KIB, config->ramdisk[0].size ? " and a ramdisk" : "");
}

enum lb_err load_read(const struct facts *facts, struct payload *payload, const char *name)
{
	enum lb_err err = load_look(facts, payload, name);
	char what[64];

	if (err)
		return err;
	load_describe(payload, what, sizeof(what));
	log_info(facts->log, "bundle: %s at %#" PRIx64 " (%s): %s", payload->config.name,
		 facts->source->where.base, facts->source->from, what);
	images_print_unhashed(facts, payload);
	return trust_check(facts, payload);
}

static void print_plan(const struct facts *facts, const struct payload *payload)
{
	for (size_t i = 0; i < payload->plan.count; i++) {
		const struct plan_item *item = &payload->plan.item[i];
		const char *how = "made here";
		char from[32];

		if (item->file_size) {
			snprintf(from, sizeof(from), "from %#" PRIx64, item->source);
			how = item->source == item->dest ? "stays where it is" : from;
		}
		log_info(facts->log, "plan: %-7s [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s",
			 item->name, item->dest, item->dest + item->mem_size - 1, item->mem_size / KIB, how);
	}
}

/* The loadables have no choice, so they come before the plan: from here on they are taken. */
static enum lb_err take_loadables(const struct facts *facts, const struct payload *payload,
				  struct memmap *map)
{
	const struct bundle_blob *loadable = payload->config.loadable;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && loadable[i].size; i++) {
		const struct region r = {loadable[i].load, loadable[i].size};

		if (!range_fits(r.base, r.size, facts->stage->physmap.limit) ||
		    !region_set_contains(&map->free, r.base, r.size) ||
		    memmap_take(map, r.base, r.size, MEMMAP_LOADABLE, loadable[i].node))
			return diag_fail(&facts->log->diag, LB_ECONFLICT,
					 "plan: loadable '%.40s' at %#" PRIx64
					 " is not in free RAM, or lies on another: load it elsewhere",
					 loadable[i].node, r.base);
		log_info(facts->log, "plan: load    [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s", r.base,
			 region_end(r) - 1, r.size / KIB, loadable[i].node);
	}
	return LB_OK;
}

/* Those that were taken come first. */
static void release_loadables(const struct payload *payload, struct memmap *map)
{
	const struct bundle_blob *loadable = payload->config.loadable;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && loadable[i].size; i++) {
		if (memmap_release(map, loadable[i].load, MEMMAP_LOADABLE))
			return;
	}
}

/* What the plan is asked to place. */
static struct place_request request_of(const struct facts *facts, const struct payload *payload,
				       bool keep_bundle)
{
	const struct source *source = facts->source;
	struct place_request request = {
		.image = &payload->config.image,
		.image_pa = source->where.base + payload->config.kernel.offset,
		.image_size = payload->config.kernel.size,
		.in_place = payload->config.in_place && !keep_bundle,
		.initrd = payload->initrd,
		.initrd_in_parts = payload->config.ramdisk[1].size != 0,
		.limit = facts->stage->physmap.limit,
	};

	if (payload->unpacked.size) {
		request.image_pa = payload->unpacked.base;
		request.image_size = payload->unpacked.size;
		request.in_place = true;
	}
	if (!keep_bundle)
		request.bundle = source->where;
	return request;
}

/* Once it is known what the kernel is, and what FDT it gets. */
static void make_bootargs(const struct facts *facts, struct payload *payload)
{
	const struct bootargs_said said = {
		.fdt = WITH_FDTS && payload->board_fdt_room.size ? fdt_bootargs(payload->board_fdt) : NULL,
		.config = payload->config.bootargs,
		.firmwares = facts->hw->machine.bootargs,
	};

	bootargs_make(&payload->bootargs, &payload->rule, &said, payload->config.image.kind == IMAGE_LINUX,
		      facts->log);
	payload->wishes.bootargs = payload->bootargs.text;
}

static enum lb_err plan_in(const struct facts *facts, struct payload *payload, struct memmap *map,
			   bool keep_bundle)
{
	struct diag *diag = &facts->log->diag;
	struct place_request request;
	enum lb_err err = unpack_kernel(facts, payload, map);

	if (err)
		return err;
	request = request_of(facts, payload, keep_bundle || !facts->source->is_ram);
	payload->wishes.initrd = request.initrd;
	make_bootargs(facts, payload);
	err = fdt_payload_size(payload->board_fdt, &payload->wishes, &request.fdt_size, diag);
	return err ? err : place_plan(map, &request, &payload->plan, diag);
}

enum lb_err load_plan(const struct facts *facts, struct payload *payload, struct memmap *map,
		      bool keep_bundle)
{
	enum lb_err err = take_loadables(facts, payload, map);

	payload->board_fdt_room = (struct region){0, 0};
	if (!err)
		err = board_fdt_make(facts, payload, map);
	if (!err)
		err = plan_in(facts, payload, map, keep_bundle);
	board_fdt_release(facts, payload, map);
	release_loadables(payload, map);
	if (err)
		return err;
	payload->wishes.initrd = payload->plan.initrd;
	print_plan(facts, payload);
	return LB_OK;
}

/* The FDT first: its strings come out of the bundle, which the copies may overwrite. */
enum lb_err load_carry_out(const struct facts *facts, struct payload *payload)
{
	struct diag *diag = &facts->log->diag;
	uint64_t fdt_size;
	enum lb_err err = fdt_payload_size(payload->board_fdt, &payload->wishes, &fdt_size, diag);

	if (!err)
		err = fdt_make_payload_fdt(payload->board_fdt, &payload->wishes,
					   facts_at(facts, payload->plan.fdt), fdt_size, diag);
	return err ? err : images_load(facts, payload);
}
