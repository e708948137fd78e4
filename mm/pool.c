// SPDX-License-Identifier: BSD-2-Clause
/* Windows for pools, by the rules of Linux's drivers/of/of_reserved_mem.c: top down, range by range. */
#include "mm/pool.h"

bool pool_outlasts_stage(enum memmap_kind kind)
{
	return kind != MEMMAP_FDT && kind != MEMMAP_STAGE && kind != MEMMAP_BUNDLE && kind != MEMMAP_INITRD;
}

/* What the payload's kernel will see as free, into the map's draft. */
static enum lb_err draft_of_kernel(struct memmap *map, bool all_stays)
{
	enum lb_err err = LB_OK;

	region_set_copy(&map->draft, &map->ram);
	for (size_t i = 0; !err && i < map->taken_count; i++) {
		const struct region pages = region_pages_around(map->taken[i].range);

		if (all_stays || pool_outlasts_stage(map->taken[i].kind))
			err = region_set_subtract(&map->draft, pages.base, pages.size);
	}
	return err;
}

enum lb_err pool_take(struct memmap *map, const struct pool *pool, bool all_stays)
{
	static const struct region anywhere = {0, UINT64_MAX};
	const struct region *range = pool->range_count ? pool->range : &anywhere;
	const uint64_t align = pool->align > PAGE_SIZE ? pool->align : PAGE_SIZE;
	struct region window = region_pages_around((struct region){0, pool->size});
	enum lb_err err = draft_of_kernel(map, all_stays);

	for (size_t i = 0; !err; i++) {
		if (i && i >= pool->range_count)
			return LB_ENOSPC;
		if (!region_set_find(&map->draft, window.size, align, range[i].base, region_end(range[i]),
				     REGION_HIGHEST, &window.base))
			return memmap_take(map, window.base, window.size, MEMMAP_KEPT, pool->name);
	}
	return err;
}
