// SPDX-License-Identifier: BSD-2-Clause
/* Looks for the bundle in the places where firmware may have put one. */
#include "boot/source.h"

#include <inttypes.h>
#include <string.h>

#define FDT_HEADER_SIZE 40

/* Where to look, and what is known on the way. */
struct search {
	const struct hw *hw;
	struct stage *stage;
	const struct memmap *map;
	struct log *log;
};

/* NULL if it is empty, or can't be reached. */
static const void *view(const struct search *search, struct region range)
{
	return range.size ? stage_early_view(search->stage, range.base, range.size, PTE_R, &search->log->diag)
			  : NULL;
}

/* Does a FIT or a bare payload begin here? */
static bool is_bundle(const struct search *search, struct region range)
{
	const void *data = view(search, range);

	return data && bundle_probe(data, range.size);
}

/* The same, or something that is compressed. It must end where the range does. */
static bool is_packed_bundle(const struct search *search, struct region range)
{
	const void *data = view(search, range);

	return data && bundle_is_packed(data, range.size);
}

static bool find_in_initrd(const struct search *search, struct region *found)
{
	*found = search->hw->machine.initrd;
	return is_bundle(search, *found);
}

static bool find_in_chosen(const struct search *search, struct region *found)
{
	*found = search->hw->machine.bundle;
	if (found->size && !is_bundle(search, *found) && !is_packed_bundle(search, *found)) {
		log_warn(search->log,
			 "bundle: /chosen lifeboat,bundle says %#" PRIx64 ", but nothing known is there",
			 found->base);
		return false;
	}
	return found->size != 0;
}

/* How much may be read behind the stage: to the end of its bank of RAM. */
static uint64_t ram_behind(const struct search *search, paddr_t pa)
{
	for (size_t i = 0; i < search->map->ram.count; i++) {
		const struct region *r = &search->map->ram.region[i];

		if (pa >= r->base && pa < region_end(*r))
			return region_end(*r) - pa;
	}
	return 0;
}

/* U-Boot's SPL puts the FDT right there, so an FDT is no surprise; only one with /images is a bundle. */
static bool find_behind_stage(const struct search *search, struct region *found)
{
	const paddr_t pa = search->hw->entry.stage_pa + stage_image_size();
	const uint64_t room = ram_behind(search, pa);
	const uint8_t *header =
		room >= FDT_HEADER_SIZE ? view(search, (struct region){pa, FDT_HEADER_SIZE}) : NULL;
	struct bundle bundle;
	uint64_t tree_size;
	const void *tree;

	if (pa == search->hw->entry.fdt_pa || !header || memcmp(header, "\xd0\x0d\xfe\xed", 4))
		return false;
	tree_size =
		(uint64_t)header[4] << 24 | (uint64_t)header[5] << 16 | (uint64_t)header[6] << 8 | header[7];
	tree = tree_size <= room ? view(search, (struct region){pa, tree_size}) : NULL;
	if (!tree || !fit_probe(tree, tree_size))
		return false;
	found->base = pa;
	/* Of what lies behind the tree only its place is asked for. */
	if (bundle_open(tree, room, &bundle, &search->log->diag) ||
	    bundle_size(&bundle, &found->size, &search->log->diag)) {
		log_warn(search->log, "%s", search->log->diag.text);
		return false;
	}
	return true;
}

static bool find_in_flash(const struct search *search, struct region *found)
{
	if (!search->hw->platform->flash)
		return false;
	*found = *search->hw->platform->flash;
	return is_bundle(search, *found);
}

/* A compressed kernel, or a compressed initramfs for what is in another place: so this comes last. */
static bool find_packed_initrd(const struct search *search, struct region *found)
{
	*found = search->hw->machine.initrd;
	return is_packed_bundle(search, *found);
}

/* In this order; the first hit wins. */
static const struct {
	const char *from;
	bool (*find)(const struct search *search, struct region *found);
} places[] = {
	{"/chosen linux,initrd-start", find_in_initrd},
	{"/chosen lifeboat,bundle", find_in_chosen},
	{"behind the stage", find_behind_stage},
	{"flash", find_in_flash},
	{"/chosen linux,initrd-start, compressed", find_packed_initrd},
};

/*
 * Firmware may have written into the bundle after it was loaded: OpenSBI's fw_jump and fw_payload copy the
 * FDT 32 MiB behind the stage's start, whatever is there. A reservation is no such thing: U-Boot makes one
 * for what it hands over.
 */
static enum lb_err check_undamaged(struct region where, const struct memmap *map, struct diag *diag)
{
	for (size_t i = 0; i < map->taken_count; i++) {
		const struct memmap_taken *taken = &map->taken[i];

		if (taken->kind != MEMMAP_RESERVED &&
		    ranges_overlap(taken->range.base, taken->range.size, where.base, where.size))
			return diag_fail(diag, LB_ECONFLICT,
					 "bundle: [%#" PRIx64 "..%#" PRIx64 "] overlaps %s at %#" PRIx64
					 ", so it is damaged: load it elsewhere",
					 where.base, region_end(where) - 1, memmap_kind_name(taken->kind),
					 taken->range.base);
	}
	return LB_OK;
}

/*
 * The bundle; and what is none in the initrd's place is an initrd: keep it whole, for a payload without its
 * own.
 */
static enum lb_err take(struct source *source, struct region initrd, struct memmap *map, struct diag *diag)
{
	const struct region where = source->where;
	enum lb_err err = LB_OK;

	if (where.base != initrd.base)
		source->beside = initrd;
	if (source->is_ram)
		err = memmap_take(map, where.base, where.size, MEMMAP_BUNDLE, source->from);
	if (!err && source->beside.size)
		err = memmap_take(map, initrd.base, initrd.size, MEMMAP_INITRD, "beside the bundle");
	return err ? diag_fail(diag, err, "memory: no entry left for the bundle") : LB_OK;
}

static enum lb_err find(struct source *source, const struct search *search, struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i].find(search, &source->where))
			continue;
		source->from = places[i].from;
		source->is_ram =
			region_set_overlaps(&search->map->ram, source->where.base, source->where.size);
		return check_undamaged(source->where, search->map, diag);
	}
	return diag_fail(diag, LB_ENOENT,
			 "bundle: none found%s: load one and name it in /chosen (QEMU: -initrd), or append "
			 "it to lifeboat.bin",
			 search->hw->machine.initrd.size ? " (the initrd is none)" : "");
}

void source_find(struct source *source, const struct hw *hw, struct stage *stage, struct memmap *map,
		 struct log *log)
{
	const struct search search = {hw, stage, map, log};

	source->err = find(source, &search, &source->why);
	if (source->err) {
		source->where = (struct region){0, 0};
		return;
	}
	source->err = take(source, hw->machine.initrd, map, &source->why);
	if (!source->err)
		source->err = bundle_open(view(&search, source->where), source->where.size, &source->bundle,
					  &source->why);
}

void source_reopen(struct source *source, const struct stage *stage)
{
	const struct region where = source->where;
	const struct physmap *map = &stage->physmap;

	if (source->err)
		return;
	if (!range_fits(where.base, where.size, map->limit)) {
		source->err =
			diag_fail(&source->why, LB_ERANGE,
				  "bundle: [%#" PRIx64 "..%#" PRIx64 "] is out of %s's reach", where.base,
				  region_end(where) - 1, pagetable_mode_name(stage->tables.levels));
		return;
	}
	source->err =
		bundle_open(physmap_pointer(map, where.base), where.size, &source->bundle, &source->why);
}
