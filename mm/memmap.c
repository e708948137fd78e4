// SPDX-License-Identifier: BSD-2-Clause
/* The memory map: RAM, who took what of it, and the whole pages that are left. */
#include "mm/memmap.h"

/* Adding @r to @ram makes one region of it and its neighbours: which? */
static struct region merged(const struct region_set *ram, struct region r)
{
	paddr_t base = r.base, end = region_end(r);

	for (size_t i = 0; i < ram->count; i++) {
		struct region other = ram->region[i];

		if (other.base > region_end(r) || region_end(other) < r.base)
			continue;
		base = other.base < base ? other.base : base;
		end = region_end(other) > end ? region_end(other) : end;
	}
	return (struct region){base, end - base};
}

static bool is_entry(const struct memmap_taken *entry, paddr_t base, enum memmap_kind kind)
{
	return entry->range.base == base && entry->kind == kind;
}

static enum lb_err add_pages(struct region_set *set, struct region r)
{
	struct region pages = region_pages_inside(r);

	return region_set_add(set, pages.base, pages.size);
}

static enum lb_err subtract_pages(struct region_set *set, struct region r)
{
	struct region pages = region_pages_around(r);

	return region_set_subtract(set, pages.base, pages.size);
}

void memmap_init(struct memmap *map)
{
	region_set_clear(&map->ram);
	region_set_clear(&map->free);
	map->taken_count = 0;
}

/*
 * A part of the new RAM may have been taken beforehand, and a page may become whole only together
 * with an older neighbour: so give back all pages of the merged region, then take what is taken.
 */
enum lb_err memmap_add_ram(struct memmap *map, paddr_t base, uint64_t size)
{
	struct region r = {base, size};
	enum lb_err err;

	if (!range_is_valid(base, size))
		return LB_ERANGE;
	if (!size)
		return LB_OK;
	region_set_copy(&map->draft, &map->free);
	err = add_pages(&map->draft, merged(&map->ram, r));
	for (size_t i = 0; i < map->taken_count && !err; i++)
		err = subtract_pages(&map->draft, map->taken[i].range);
	if (!err)
		err = region_set_add(&map->ram, base, size);
	if (err)
		return err;
	region_set_copy(&map->free, &map->draft);
	return LB_OK;
}

enum lb_err memmap_take(struct memmap *map, paddr_t base, uint64_t size, enum memmap_kind kind,
			const char *name)
{
	struct region r = {base, size};
	enum lb_err err;

	if (!range_is_valid(base, size))
		return LB_ERANGE;
	if (!size)
		return LB_OK;
	if (map->taken_count == MEMMAP_TAKEN_MAX)
		return LB_ENOSPC;
	err = subtract_pages(&map->free, r);
	if (err)
		return err;
	map->taken[map->taken_count++] = (struct memmap_taken){r, kind, name};
	return LB_OK;
}

/* Make map->draft the free set as it will be without the entries of @kind at @base. */
static enum lb_err draft_without(struct memmap *map, paddr_t base, enum memmap_kind kind)
{
	enum lb_err err = LB_OK;

	region_set_clear(&map->draft);
	for (size_t i = 0; i < map->ram.count && !err; i++)
		err = add_pages(&map->draft, map->ram.region[i]);
	for (size_t i = 0; i < map->taken_count && !err; i++) {
		if (!is_entry(&map->taken[i], base, kind))
			err = subtract_pages(&map->draft, map->taken[i].range);
	}
	return err;
}

enum lb_err memmap_release(struct memmap *map, paddr_t base, enum memmap_kind kind)
{
	size_t kept = 0;
	enum lb_err err = draft_without(map, base, kind);

	if (err)
		return err;
	for (size_t i = 0; i < map->taken_count; i++) {
		if (!is_entry(&map->taken[i], base, kind))
			map->taken[kept++] = map->taken[i];
	}
	if (kept == map->taken_count)
		return LB_ENOENT;
	map->taken_count = kept;
	region_set_copy(&map->free, &map->draft);
	return LB_OK;
}

const char *memmap_kind_name(enum memmap_kind kind)
{
	static const char *const names[] = {
		[MEMMAP_FIRMWARE] = "firmware",
		[MEMMAP_RESERVED] = "reserved memory",
		[MEMMAP_FDT] = "the FDT",
		[MEMMAP_STAGE] = "the stage",
		[MEMMAP_BUNDLE] = "the bundle",
		[MEMMAP_INITRD] = "the initrd",
		[MEMMAP_CRASH] = "the crash region",
		[MEMMAP_LOST] = "lost memory",
		[MEMMAP_LOADABLE] = "a loadable",
		[MEMMAP_KEPT] = "memory that is kept free",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}
