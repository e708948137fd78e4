// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan's judge.
 *
 * An oracle tries every address for everything and says what the best plan is, or which error is due. Then
 * the plan is carried out on a simulated memory, the payload's scribbling over all that it owns included,
 * and every byte must be where it belongs, and all else as it was.
 */
#include "tests/unit/place_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/place_bytes.h"
#include "tests/unit/place_pools.h"
#include "tests/unit/place_scene.h"

/* ---- The oracle ---- */

struct answer {
	enum lb_err err;
	bool stays; /* the image, where it lies */
	bool initrd_stays;
	paddr_t image, fdt, initrd;
};

/* What does not count: what is handed over (bundle, FDT's room); for a fixed image what is lost, too. */
enum lend { NOTHING, HANDED_OVER, ALSO_LOST };

/* Does somebody hold a byte of it? */
static bool is_taken(const struct scene *scene, paddr_t base, uint64_t size, enum lend lend)
{
	struct region lent = scene->request.bundle, from = scene->request.fdt_from;

	for (size_t i = 0; i < scene->map.taken_count; i++) {
		const struct memmap_taken *t = &scene->map.taken[i];
		bool spared = lend && lent.size && t->kind == MEMMAP_BUNDLE && t->range.base >= lent.base &&
			      region_end(t->range) <= region_end(lent);

		if (lend && from.size && t->kind == MEMMAP_FDT && t->range.base >= from.base &&
		    region_end(t->range) <= region_end(from))
			spared = true;
		if (lend == ALSO_LOST && scene->request.on_lost &&
		    (t->kind == MEMMAP_LOST || t->kind == MEMMAP_STAGE))
			spared = true;
		if (!spared && ranges_overlap(t->range.base, t->range.size, base, size))
			return true;
	}
	return false;
}

static bool is_in_reach(const struct scene *scene, paddr_t base, uint64_t size)
{
	return is_ram(scene, base, size) && base + size <= scene->request.limit;
}

static bool may_lie(const struct scene *scene, paddr_t base, uint64_t size)
{
	return is_in_reach(scene, base, size) && !is_taken(scene, base, size, HANDED_OVER);
}

static void find_room(const struct scene *scene, struct room *room)
{
	const struct place_request *r = &scene->request;

	for (size_t i = 0; i < PAGES; i++) {
		paddr_t pa = scene->origin + i * PAGE_SIZE;

		room->page[i] = is_ram(scene, pa, PAGE_SIZE) && !is_taken(scene, pa, PAGE_SIZE, NOTHING) &&
				pa + PAGE_SIZE <= r->limit &&
				!ranges_overlap(pa, PAGE_SIZE, r->image_pa, r->image_size) &&
				!ranges_overlap(pa, PAGE_SIZE, r->initrd.base, r->initrd.size);
	}
}

static bool best_initrd(const struct scene *scene, const struct room *room, struct answer *a)
{
	size_t count = pages_of(scene->request.initrd.size);

	if (a->initrd_stays || !count)
		return true;
	for (int anywhere = 0; anywhere < 2; anywhere++) {
		for (size_t q = PAGES; q-- > 0;) {
			a->initrd = scene->origin + q * PAGE_SIZE;
			if ((anywhere || a->initrd + count * PAGE_SIZE <= a->fdt) && fits(room, q, count))
				return true;
		}
	}
	return false;
}

static bool best_fdt_and_initrd(const struct scene *scene, struct room *room, struct answer *a)
{
	size_t count = pages_of(scene->request.fdt_size);

	for (int anywhere = 0; anywhere < 2; anywhere++) {
		for (size_t p = PAGES; p-- > 0;) {
			bool found;

			a->fdt = scene->origin + p * PAGE_SIZE;
			if ((!anywhere && a->fdt + count * PAGE_SIZE > 4 * GIB) || !fits(room, p, count))
				continue;
			set_pages(room, p, count, false);
			found = best_initrd(scene, room, a);
			set_pages(room, p, count, true);
			if (found)
				return true;
		}
	}
	return false;
}

/* Do the initrd's pages let it stay beside [@base, @base + @size), the image? */
static bool initrd_may_stay(const struct scene *scene, paddr_t base, uint64_t size)
{
	struct region initrd = scene->request.initrd;
	uint64_t bytes = pages_of(initrd.size) * PAGE_SIZE;

	return initrd.base % PAGE_SIZE == 0 && may_lie(scene, initrd.base, bytes) &&
	       !ranges_overlap(initrd.base, bytes, base, size);
}

/* Is there any order in which no segment is moved onto one that is still to be moved? All are tried. */
static bool order_exists(const struct scene *scene)
{
	const struct image *image = &scene->image;
	size_t n = image->segment_count;

	for (size_t code = 0; code < SEGMENT_MAX * SEGMENT_MAX * SEGMENT_MAX * SEGMENT_MAX; code++) {
		size_t digits = code;
		size_t rank[SEGMENT_MAX];
		bool good = true;

		for (size_t i = 0; i < SEGMENT_MAX; i++, digits /= SEGMENT_MAX)
			rank[i] = digits % SEGMENT_MAX;
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; j < n; j++) {
				const struct image_segment *a = &image->segment[i], *b = &image->segment[j];

				if (i != j && rank[i] <= rank[j] &&
				    (rank[i] == rank[j] ||
				     ranges_overlap(a->address, a->mem_size,
						    scene->request.image_pa + b->offset, b->file_size)))
					good = false;
			}
		}
		if (good)
			return true;
	}
	return false;
}

static void answer_fixed(const struct scene *scene, struct answer *a)
{
	struct room room;

	find_room(scene, &room);
	a->initrd_stays = true;
	for (size_t i = 0; i < scene->image.segment_count; i++) {
		const struct image_segment *s = &scene->image.segment[i];

		a->err = is_taken(scene, s->address, s->mem_size, ALSO_LOST) ? LB_ECONFLICT
			 : !is_in_reach(scene, s->address, s->mem_size)	     ? LB_ENOSPC
									     : LB_OK;
		if (a->err)
			return;
		for (size_t p = 0; p < PAGES; p++) {
			if (ranges_overlap(s->address, s->mem_size, scene->origin + p * PAGE_SIZE, PAGE_SIZE))
				room.page[p] = false;
		}
		a->initrd_stays = a->initrd_stays && initrd_may_stay(scene, s->address, s->mem_size);
	}
	if (!best_fdt_and_initrd(scene, &room, a))
		a->err = LB_ENOSPC;
	else if (!order_exists(scene))
		a->err = LB_ECONFLICT;
}

static bool answer_in_place(const struct scene *scene, struct answer *a)
{
	const struct image *image = &scene->image;
	uint64_t bytes = pages_of(image->mem_size) * PAGE_SIZE;
	struct room room;

	a->image = scene->request.image_pa + image->segment[0].offset - image->segment[0].address;
	for (size_t i = 0; i < image->segment_count; i++) {
		if (scene->request.image_pa + image->segment[i].offset !=
		    a->image + image->segment[i].address)
			return false;
	}
	if (!scene->request.in_place || a->image % image->align || !may_lie(scene, a->image, bytes))
		return false;
	find_room(scene, &room);
	set_pages(&room, (a->image - scene->origin) / PAGE_SIZE, bytes / PAGE_SIZE, false);
	a->initrd_stays = initrd_may_stay(scene, a->image, bytes);
	return best_fdt_and_initrd(scene, &room, a);
}

static void answer_floating(const struct scene *scene, struct answer *a)
{
	size_t count = pages_of(scene->image.mem_size);
	struct room room;

	a->stays = answer_in_place(scene, a);
	if (a->stays)
		return;
	a->initrd_stays = initrd_may_stay(scene, 0, 0);
	find_room(scene, &room);
	for (size_t p = 0; p < PAGES; p++) {
		bool found;

		a->image = scene->origin + p * PAGE_SIZE;
		if (a->image % scene->image.align || !fits(&room, p, count))
			continue;
		set_pages(&room, p, count, false);
		found = best_fdt_and_initrd(scene, &room, a);
		set_pages(&room, p, count, true);
		if (found)
			return;
	}
	a->err = LB_ENOSPC;
}

/* ---- Carrying it out ---- */

static void carry_out(const struct scene *scene, const struct plan *plan, struct memory *memory)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];
		uint8_t *dest = scene_at(scene, memory, item->dest, item->mem_size);

		CHECK(scene, dest && item->mem_size >= item->file_size);
		if (strcmp(item->name, "fdt") == 0)
			memset(dest, 0xfd, scene->request.fdt_size);
		else if (item->source != item->dest)
			memmove(dest, scene_at(scene, memory, item->source, item->file_size),
				item->file_size);
		if (item->zero_fill)
			memset(dest + item->file_size, 0, item->mem_size - item->file_size);
	}
	/* The payload starts, and uses all that it was told it owns. */
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];
		uint64_t used = strcmp(item->name, "fdt") == 0 ? scene->request.fdt_size : item->file_size;

		if (!item->zero_fill)
			memset(scene_at(scene, memory, item->dest, item->mem_size) + used, 0xbb,
			       item->mem_size - used);
	}
}

static void assert_item_is_right(const struct scene *scene, const struct plan_item *item,
				 struct memory *before, struct memory *after)
{
	const uint8_t *dest = scene_at(scene, after, item->dest, item->mem_size);

	if (strcmp(item->name, "fdt") == 0) {
		for (uint64_t b = 0; b < scene->request.fdt_size; b++)
			CHECK(scene, dest[b] == 0xfd);
		return;
	}
	CHECK(scene,
	      memcmp(dest, scene_at(scene, before, item->source, item->file_size), item->file_size) == 0);
	for (uint64_t b = item->file_size; item->zero_fill && b < item->mem_size; b++)
		CHECK(scene, dest[b] == 0);
}

/* Every item's bytes are right, and what is no destination is as it was. */
static void assert_memory_is_right(const struct scene *scene, const struct plan *plan)
{
	static struct memory before, after;

	if (!before.ram[0])
		scene_fill(&before);
	after = before;
	carry_out(scene, plan, &after);
	for (size_t i = 0; i < plan->count; i++)
		assert_item_is_right(scene, &plan->item[i], &before, &after);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		memcpy(scene_at(scene, &after, item->dest, item->mem_size),
		       scene_at(scene, &before, item->dest, item->mem_size), item->mem_size);
	}
	CHECK(scene, memcmp(&before, &after, sizeof(before)) == 0);
}

/* ---- The judgement ---- */

/* By the addresses alone: RAM, takers, the limit; and no two things on one byte. */
static void assert_destinations_are_right(const struct scene *scene, const struct plan *plan,
					  const struct answer *want)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *a = &plan->item[i];
		bool is_fdt = strcmp(a->name, "fdt") == 0, is_initrd = strcmp(a->name, "initrd") == 0;
		bool is_written = a->source != a->dest || a->zero_fill || is_fdt;
		bool on_bundle =
			is_initrd ? a->source == a->dest : !is_fdt && (scene->image.fixed || want->stays);
		bool on_lost = scene->image.fixed && !is_fdt && !is_initrd;

		CHECK(scene, is_ram(scene, a->dest, a->mem_size));
		CHECK(scene, a->dest + a->mem_size <= scene->request.limit);
		CHECK(scene, !is_taken(scene, a->dest, a->mem_size,
				       on_lost	   ? ALSO_LOST
				       : on_bundle ? HANDED_OVER
						   : NOTHING));
		for (size_t j = 0; j < plan->count; j++) {
			const struct plan_item *b = &plan->item[j];

			CHECK(scene, i == j || !ranges_overlap(a->dest, a->mem_size, b->dest, b->mem_size));
			CHECK(scene, i >= j || !is_written || b->source == b->dest ||
					     !ranges_overlap(a->dest, a->mem_size, b->source, b->file_size));
		}
	}
}

static const struct plan_item *find_item(const struct plan *plan, const char *name, paddr_t source,
					 paddr_t dest)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (strcmp(item->name, name) == 0 && item->source == source && item->dest == dest)
			return item;
	}
	return NULL;
}

/* The segments are listed, each once, from @base on. The bytes of those that move. */
static uint64_t assert_segments_are_listed(const struct scene *scene, const struct plan *plan, paddr_t base)
{
	const struct image *image = &scene->image;
	const char *name = image->kind == IMAGE_ELF ? "segment" : "kernel";
	uint64_t copied = 0;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segment[i];
		const struct plan_item *item =
			find_item(plan, name, scene->request.image_pa + s->offset, base + s->address);

		CHECK(scene, item && item->file_size == s->file_size && item->mem_size == s->mem_size);
		CHECK(scene, item->zero_fill == image->zero_fill);
		copied += item->source != item->dest ? s->file_size : 0;
	}
	return copied;
}

/* The list holds all that was asked, each once, where the oracle wants it. */
static void assert_list_is_right(const struct scene *scene, const struct plan *plan,
				 const struct answer *want)
{
	const struct place_request *r = &scene->request;
	paddr_t base = scene->image.fixed ? 0 : want->image;
	paddr_t initrd = want->initrd_stays ? r->initrd.base : want->initrd;
	const struct plan_item *item = find_item(plan, "fdt", want->fdt, want->fdt);
	uint64_t copied = assert_segments_are_listed(scene, plan, base);

	CHECK(scene, item && item->mem_size >= r->fdt_size && !item->file_size && !item->zero_fill);
	CHECK(scene, plan->fdt == want->fdt && plan->entry == base + scene->image.entry);
	CHECK(scene, plan->count == 1 + (r->initrd.size != 0) + scene->image.segment_count);
	CHECK(scene, plan->initrd.size == r->initrd.size);
	if (r->initrd.size) {
		item = find_item(plan, "initrd", r->initrd.base, initrd);
		CHECK(scene, item && item->file_size == r->initrd.size && item->mem_size % PAGE_SIZE == 0);
		CHECK(scene, plan->initrd.base == initrd);
		copied += initrd != r->initrd.base ? r->initrd.size : 0;
	}
	CHECK(scene, bytes_to_copy(plan) == copied);
}

void place_judge(uint64_t seed, struct tally *tally)
{
	static struct scene scene;
	static struct plan plan;
	struct answer want = {.err = LB_OK};
	struct diag diag = {{0}};
	paddr_t window[POOLS_MAX] = {0};
	size_t entries;
	enum lb_err err;

	scene_make(&scene, seed);
	entries = scene.map.taken_count;
	take_pools(&scene, window);
	if (scene.image.fixed)
		answer_fixed(&scene, &want);
	else
		answer_floating(&scene, &want);
	memset(&plan, 0xa5, sizeof(plan));
	err = place_plan(&scene.map, &scene.request, &plan, &diag);
	if (err != want.err)
		fail_msg("seed 0x%llx: %s (%s), not %s", (unsigned long long)seed, lb_err_name(err),
			 diag.text, lb_err_name(want.err));
	tally->no_room += err == LB_ENOSPC;
	tally->conflict += err == LB_ECONFLICT;
	CHECK(&scene, err == LB_OK || strncmp(diag.text, "plan: ", 6) == 0);
	CHECK(&scene, strlen(diag.text) < sizeof(diag.text) - 1);
	if (err)
		return;
	assert_list_is_right(&scene, &plan, &want);
	assert_destinations_are_right(&scene, &plan, &want);
	assert_memory_is_right(&scene, &plan);
	assert_pools_find_room(&scene, &plan, window, entries);
	for (size_t i = 0; i < scene.pool_count; i++)
		tally->pools += window[i] != 0;
	tally->planned++;
	tally->stayed += want.stays;
	tally->initrd_stayed += want.initrd_stays && scene.request.initrd.size;
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_item *item = &plan.item[i];

		tally->on_lost += is_taken(&scene, item->dest, item->mem_size, HANDED_OVER);
		tally->overlapped_itself +=
			item->source != item->dest && item->file_size &&
			ranges_overlap(item->source, item->file_size, item->dest, item->mem_size);
	}
}
