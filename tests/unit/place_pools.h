/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory page by page, and what Linux places there itself: an oracle that tries every page. */
#ifndef LIFEBOAT_TESTS_UNIT_PLACE_POOLS_H
#define LIFEBOAT_TESTS_UNIT_PLACE_POOLS_H

#include "tests/unit/place_scene.h"

/* What may be given away, page by page. */
struct room {
	bool page[PAGES];
};

static inline size_t pages_of(uint64_t size)
{
	return (size + PAGE_SIZE - 1) / PAGE_SIZE;
}

static inline bool fits(const struct room *room, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (i >= PAGES || !room->page[i])
			return false;
	}
	return true;
}

static inline void set_pages(struct room *room, size_t first, size_t count, bool value)
{
	for (size_t i = first; i < first + count; i++)
		room->page[i] = value;
}

static inline bool is_ram(const struct scene *scene, paddr_t base, uint64_t size)
{
	if (base < scene->origin || !range_fits(base - scene->origin, size, WINDOW))
		return size == 0;
	for (uint64_t i = base - scene->origin; i < base - scene->origin + size; i++) {
		if (!scene->ram[i / GRAIN])
			return false;
	}
	return true;
}

/* What lasts as long as the payload, page by page; @plan, if there is one, included. */
static inline void find_kernels_room(const struct scene *scene, const struct plan *plan, struct room *room)
{
	for (size_t p = 0; p < PAGES; p++) {
		paddr_t pa = scene->origin + p * PAGE_SIZE;

		room->page[p] = is_ram(scene, pa, PAGE_SIZE);
		for (size_t i = 0; i < scene->map.taken_count; i++) {
			const struct memmap_taken *t = &scene->map.taken[i];
			bool gone =
				!scene->lost_stays && (t->kind == MEMMAP_FDT || t->kind == MEMMAP_STAGE ||
						       t->kind == MEMMAP_BUNDLE || t->kind == MEMMAP_INITRD);

			if (!gone && ranges_overlap(t->range.base, t->range.size, pa, PAGE_SIZE))
				room->page[p] = false;
		}
		for (size_t i = 0; plan && i < plan->count; i++) {
			if (ranges_overlap(plan->item[i].dest, plan->item[i].mem_size, pa, PAGE_SIZE))
				room->page[p] = false;
		}
	}
}

/* Linux's way: range by range, from the top. 0 is no place. */
static inline paddr_t place_pool(const struct scene *scene, const struct room *room, const struct pool *pool)
{
	size_t count = pages_of(pool->size);

	for (size_t r = 0; r < (pool->range_count ? pool->range_count : 1); r++) {
		for (size_t p = PAGES; p-- > 0;) {
			struct region at = {scene->origin + p * PAGE_SIZE, count * PAGE_SIZE};

			if (at.base % pool->align == 0 && fits(room, p, count) &&
			    (!pool->range_count || region_contains(pool->range[r], at)))
				return at.base + 1;
		}
	}
	return 0;
}

/* Take the windows in the scene's map; where they are, plus 1. */
static inline void take_pools(struct scene *scene, paddr_t window[POOLS_MAX])
{
	for (size_t i = 0; i < scene->pool_count; i++) {
		const struct memmap_taken *taken = &scene->map.taken[scene->map.taken_count];
		struct room room;

		find_kernels_room(scene, NULL, &room);
		window[i] = place_pool(scene, &room, &scene->pool[i]);
		CHECK(scene, pool_take(&scene->map, &scene->pool[i], scene->lost_stays) ==
				     (window[i] ? LB_OK : LB_ENOSPC));
		CHECK(scene,
		      !window[i] || (taken->kind == MEMMAP_KEPT && taken->range.base == window[i] - 1 &&
				     taken->range.size == pages_of(scene->pool[i].size) * PAGE_SIZE));
	}
}

/* The kernel starts, and allocates its pools beside all that the plan has placed: each gets its window. */
static inline void assert_pools_find_room(const struct scene *scene, const struct plan *plan,
					  const paddr_t window[POOLS_MAX], size_t mem_entries)
{
	struct scene without = *scene;
	struct room room;

	without.map.taken_count =
		mem_entries; /* mem= holds for the kernel, too; the windows are not known to it */
	find_kernels_room(&without, plan, &room);
	for (size_t i = 0; i < scene->pool_count; i++) {
		CHECK(scene, place_pool(scene, &room, &scene->pool[i]) == window[i]);
		if (window[i])
			set_pages(&room, (window[i] - 1 - scene->origin) / PAGE_SIZE,
				  pages_of(scene->pool[i].size), false);
	}
}

#endif
