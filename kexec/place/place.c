// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan: an address for everything that a payload needs, found by search and checked by rule.
 *
 * What floats (an image that is not fixed and does not stay, an initrd that does not stay, the FDT)
 * goes to room: free pages below the limit that hold no source. Three things are to be fitted, each with
 * its preferred end, and the first choice of one may leave no room for another. So the search tries, in
 * order of preference, every base that can make a difference: in each hole, the outermost one with
 * none, one, the other or both of the things that come after it fitted between it and the hole's end.
 * The first that leaves room for all is the best one; no other base can succeed when all these fail.
 */
#include "kexec/place/place.h"

#include <inttypes.h>

#include "kexec/place/explain.h"

/* What is being planned, and what of it is decided. */
struct job {
	const struct memmap *map;
	const struct place_request *request;
	struct region_set *room;
	uint64_t align;	       /* of an image that is not fixed: at least a page */
	uint64_t image_pages;  /* bytes, whole pages, of an image that is not fixed */
	uint64_t fdt_pages;    /* bytes, whole pages */
	uint64_t moving_pages; /* bytes, whole pages, of the initrd; 0 if there is none or it stays */
	paddr_t image;	       /* the base of an image that is not fixed; 0 for a fixed one */
	paddr_t fdt;
	paddr_t initrd;
};

/* @size in whole pages. What is so large that this would overflow fits nowhere anyway. */
static uint64_t whole_pages(uint64_t size)
{
	return region_pages_around((struct region){0, size}).size;
}

static const char *item_name(const struct image *image)
{
	return image->kind == IMAGE_ELF ? "segment" : "kernel";
}

static bool segment_is_sound(const struct place_request *request, size_t i)
{
	const struct image *image = request->image;
	const struct image_segment *s = &image->segment[i];

	if (s->file_size > s->mem_size || !range_fits(s->offset, s->file_size, request->image_size) ||
	    !range_is_valid(s->address, s->mem_size))
		return false;
	if (i && s->address < s[-1].address + s[-1].mem_size)
		return false;
	return image->fixed || range_fits(s->address, s->mem_size, image->mem_size);
}

static bool request_is_sound(const struct place_request *request)
{
	const struct image *image = request->image;

	if (!image->segment_count || image->segment_count > IMAGE_SEGMENT_MAX || !request->fdt_size ||
	    !range_is_valid(request->image_pa, request->image_size) ||
	    !range_is_valid(request->initrd.base, request->initrd.size) ||
	    !range_is_valid(request->bundle.base, request->bundle.size))
		return false;
	for (size_t i = 0; i < image->segment_count; i++) {
		if (!segment_is_sound(request, i))
			return false;
	}
	return image->fixed ||
	       (image->mem_size && is_power_of_two(image->align) && image->entry < image->mem_size);
}

/* ---- Ranges that are not a matter of choice ---- */

/* May what does not float lie on @entry? On bundle and source of the FDT, as far as these are handed over. */
static bool is_handed_over(const struct job *job, const struct memmap_taken *entry)
{
	const struct place_request *request = job->request;

	return (entry->kind == MEMMAP_BUNDLE && region_contains(request->bundle, entry->range)) ||
	       (entry->kind == MEMMAP_FDT && region_contains(request->fdt_from, entry->range));
}

static bool is_lost(const struct memmap_taken *entry)
{
	return entry->kind == MEMMAP_STAGE || entry->kind == MEMMAP_LOST;
}

/* Who keeps @r from being written? NULL: nobody. */
static const struct memmap_taken *taker_of(const struct job *job, struct region r, bool on_lost)
{
	for (size_t i = 0; i < job->map->taken_count; i++) {
		const struct memmap_taken *entry = &job->map->taken[i];

		if (ranges_overlap(entry->range.base, entry->range.size, r.base, r.size) &&
		    !is_handed_over(job, entry) && !(on_lost && is_lost(entry)))
			return entry;
	}
	return NULL;
}

static bool is_usable(const struct job *job, struct region r)
{
	return range_fits(r.base, r.size, job->request->limit) &&
	       region_set_contains(&job->map->ram, r.base, r.size) && !taker_of(job, r, false);
}

/* The start of each message about a fixed address. */
#define WHO_AT "plan: %s at [0x%" PRIx64 "..0x%" PRIx64 "]"

static enum lb_err check_fixed_segment(const struct job *job, const struct image_segment *s,
				       struct diag *diag)
{
	struct region r = {s->address, s->mem_size};
	paddr_t last = r.base + r.size - (r.size != 0);
	const char *name = item_name(job->request->image);
	const struct memmap_taken *entry = taker_of(job, r, job->request->on_lost);

	if (entry)
		return diag_fail(diag, LB_ECONFLICT, WHO_AT " lies on %s (%s): link it elsewhere", name,
				 r.base, last, memmap_kind_name(entry->kind),
				 entry->name ? entry->name : "unnamed");
	if (!region_set_contains(&job->map->ram, r.base, r.size))
		return diag_fail(diag, LB_ENOSPC, WHO_AT " is not all RAM: link it elsewhere", name, r.base,
				 last);
	if (!range_fits(r.base, r.size, job->request->limit))
		return diag_fail(diag, LB_ENOSPC,
				 WHO_AT " is out of the stage's reach: link it below 0x%" PRIx64, name,
				 r.base, last, job->request->limit);
	return LB_OK;
}

/* Is an image that floats right where it lies? Then job->image is its base. */
static bool image_lies_right(struct job *job)
{
	const struct image *image = job->request->image;
	/* May wrap for nonsense; then the base is caught as not usable, or the segments do not match. */
	paddr_t base = job->request->image_pa + image->segment[0].offset - image->segment[0].address;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segment[i];

		if (job->request->image_pa + s->offset != base + s->address)
			return false;
	}
	if (!is_aligned(base, job->align) || !is_usable(job, (struct region){base, job->image_pages}))
		return false;
	job->image = base;
	return true;
}

/* Is the initrd, where it lies, clear of the image, where it stays or is fixed? */
static bool initrd_is_clear(const struct job *job)
{
	const struct image *image = job->request->image;
	struct region initrd = region_pages_around(job->request->initrd);

	if (!image->fixed)
		return !ranges_overlap(job->image, job->image_pages, initrd.base, initrd.size);
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segment[i];

		if (ranges_overlap(s->address, s->mem_size, initrd.base, initrd.size))
			return false;
	}
	return true;
}

/* ---- Room ---- */

static bool carve(struct job *job, struct region r)
{
	return region_set_subtract(job->room, r.base, r.size) == LB_OK;
}

/* Undo carve() of an @r that lay in one hole: it can not fail. */
static void give_back(struct job *job, struct region r)
{
	if (region_set_add(job->room, r.base, r.size))
		region_set_clear(job->room);
}

/* Room before anything is placed. */
static bool make_room(struct job *job)
{
	const struct place_request *request = job->request;
	struct region image = {request->image_pa, request->image_size};
	paddr_t limit = align_down(request->limit, PAGE_SIZE);

	region_set_copy(job->room, &job->map->free);
	return carve(job, (struct region){limit, UINT64_MAX - limit}) &&
	       carve(job, region_pages_around(image)) && carve(job, region_pages_around(request->initrd));
}

/* Does the initrd stay? Not if it is not @clear of an image without choice. Linux takes whole pages. */
static void settle_initrd(struct job *job, bool clear)
{
	struct region initrd = job->request->initrd;
	bool stays = !job->request->initrd_in_parts && clear && is_aligned(initrd.base, PAGE_SIZE) &&
		     is_usable(job, region_pages_around(initrd));

	job->initrd = initrd.base;
	job->moving_pages = stays ? 0 : whole_pages(initrd.size);
}

/* ---- The search ---- */

/* The initrd: highest below the FDT, or highest at all. */
static bool find_initrd(struct job *job)
{
	const paddr_t ceilings[] = {job->fdt, UINT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(ceilings) && job->moving_pages; i++) {
		if (region_set_find(job->room, job->moving_pages, PAGE_SIZE, 0, ceilings[i], REGION_HIGHEST,
				    &job->initrd) == LB_OK)
			return true;
	}
	return !job->moving_pages;
}

/* Try the FDT as high in @hole as @ceiling and @above, bytes left for the initrd, let it be. */
static bool try_fdt(struct job *job, struct region hole, uint64_t above, paddr_t ceiling)
{
	struct region fdt = {.size = job->fdt_pages};
	paddr_t top;
	bool found;

	if (hole.size < above)
		return false;
	top = region_end(hole) - above;
	top = top < ceiling ? top : ceiling;
	fdt.base = top - fdt.size;
	if (top < hole.base || top - hole.base < fdt.size || !carve(job, fdt))
		return false;
	job->fdt = fdt.base;
	found = find_initrd(job);
	give_back(job, fdt);
	return found;
}

/* The FDT, so high below 4 GiB, or else so high at all, that the initrd finds a place too. */
static bool find_fdt_and_initrd(struct job *job)
{
	static const paddr_t ceilings[] = {4 * GIB, UINT64_MAX};

	for (size_t c = 0; c < ARRAY_SIZE(ceilings); c++) {
		for (size_t i = job->room->count; i-- > 0;) {
			struct region hole = job->room->region[i];

			if (try_fdt(job, hole, 0, ceilings[c]) ||
			    try_fdt(job, hole, job->moving_pages, ceilings[c]))
				return true;
		}
	}
	return false;
}

/* Try the image as low in @hole as its alignment and @below, bytes left for what follows, let it be. */
static bool try_image(struct job *job, struct region hole, uint64_t below)
{
	struct region image = {.size = job->image_pages};

	if (hole.size < below || !align_up(hole.base + below, job->align, &image.base) ||
	    image.base > region_end(hole) || region_end(hole) - image.base < image.size || !carve(job, image))
		return false;
	job->image = image.base;
	if (find_fdt_and_initrd(job))
		return true;
	give_back(job, image);
	return false;
}

/* The image, so low that all else finds a place too. */
static bool find_all(struct job *job)
{
	uint64_t fdt = job->fdt_pages, initrd = job->moving_pages;
	const uint64_t below[] = {0, fdt < initrd ? fdt : initrd, fdt < initrd ? initrd : fdt, fdt + initrd};

	for (size_t i = 0; i < job->room->count; i++) {
		for (size_t b = 0; b < ARRAY_SIZE(below); b++) {
			if (try_image(job, job->room->region[i], below[b]))
				return true;
		}
	}
	return false;
}

/* Why has the search failed? */
static enum lb_err explain(struct job *job, struct diag *diag)
{
	const struct image *image = job->request->image;
	const struct explain_want wants[] = {
		{image->kind == IMAGE_ELF ? "image" : "kernel", image->fixed ? 0 : job->image_pages,
		 job->align, REGION_LOWEST},
		{"fdt", job->fdt_pages, PAGE_SIZE, REGION_HIGHEST},
		{"initrd", job->moving_pages, PAGE_SIZE, REGION_HIGHEST},
	};

	return explain_no_room(job->room, wants, ARRAY_SIZE(wants), diag);
}

/* ---- What is settled, in which order ---- */

static enum lb_err settle_fixed(struct job *job, struct diag *diag)
{
	const struct image *image = job->request->image;
	bool made = make_room(job);

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segment[i];
		enum lb_err err = check_fixed_segment(job, s, diag);

		if (err)
			return err;
		made = made && carve(job, region_pages_around((struct region){s->address, s->mem_size}));
	}
	if (!made)
		return explain_too_many_pieces(diag);
	settle_initrd(job, initrd_is_clear(job));
	return find_fdt_and_initrd(job) ? LB_OK : explain(job, diag);
}

static bool settle_in_place(struct job *job)
{
	if (!image_lies_right(job) || !make_room(job) ||
	    !carve(job, (struct region){job->image, job->image_pages}))
		return false;
	settle_initrd(job, initrd_is_clear(job));
	return find_fdt_and_initrd(job);
}

static enum lb_err settle_floating(struct job *job, struct diag *diag)
{
	if (job->request->in_place && settle_in_place(job))
		return LB_OK;
	if (!make_room(job))
		return explain_too_many_pieces(diag);
	settle_initrd(job, true);
	return find_all(job) ? LB_OK : explain(job, diag);
}

/* ---- The list of what to do ---- */

static paddr_t segment_source(const struct job *job, size_t i)
{
	return job->request->image_pa + job->request->image->segment[i].offset;
}

static struct plan_item segment_item(const struct job *job, size_t i)
{
	const struct image *image = job->request->image;
	const struct image_segment *s = &image->segment[i];

	return (struct plan_item){
		.name = item_name(image),
		.source = segment_source(job, i),
		.dest = job->image + s->address,
		.file_size = s->file_size,
		.mem_size = s->mem_size,
		.zero_fill = image->zero_fill,
	};
}

/* Would moving segment @i destroy bytes of another segment in @todo? */
static bool destroys_source(const struct job *job, size_t i, uint32_t todo)
{
	const struct image *image = job->request->image;
	struct plan_item item = segment_item(job, i);

	for (size_t j = 0; j < image->segment_count; j++) {
		if (j != i && (todo & (UINT32_C(1) << j)) &&
		    ranges_overlap(item.dest, item.mem_size, segment_source(job, j),
				   image->segment[j].file_size))
			return true;
	}
	return false;
}

/*
 * List the segments so that none is moved onto the bytes of a later one. Taking any that can go next
 * is right: each that is gone only makes it easier for the rest.
 */
static enum lb_err list_segments(const struct job *job, struct plan *plan, struct diag *diag)
{
	size_t count = job->request->image->segment_count;
	uint32_t todo = (UINT32_C(1) << count) - 1;

	while (todo) {
		size_t i = 0;

		while (i < count && (!(todo & (UINT32_C(1) << i)) || destroys_source(job, i, todo)))
			i++;
		if (i == count)
			return diag_fail(
				diag, LB_ECONFLICT,
				"plan: the segments lie on each other's bytes in the bundle at 0x%" PRIx64
				": load the bundle elsewhere",
				job->request->image_pa);
		plan->item[plan->count++] = segment_item(job, i);
		todo &= ~(UINT32_C(1) << i);
	}
	return LB_OK;
}

/* The FDT goes first, while all of the bundle is there; then what an image may write on. */
static enum lb_err list_items(const struct job *job, struct plan *plan, struct diag *diag)
{
	const struct place_request *request = job->request;

	plan->entry = job->image + request->image->entry;
	plan->fdt = job->fdt;
	plan->initrd = (struct region){job->initrd, request->initrd.size};
	plan->count = 0;
	plan->item[plan->count++] = (struct plan_item){
		.name = "fdt", .source = job->fdt, .dest = job->fdt, .mem_size = job->fdt_pages};
	if (request->initrd.size)
		plan->item[plan->count++] = (struct plan_item){
			.name = "initrd",
			.source = request->initrd.base,
			.dest = job->initrd,
			.file_size = request->initrd.size,
			.mem_size = whole_pages(request->initrd.size),
		};
	return list_segments(job, plan, diag);
}

enum lb_err place_plan(const struct memmap *map, const struct place_request *request, struct plan *plan,
		       struct diag *diag)
{
	struct job job;
	enum lb_err err;

	if (!request_is_sound(request))
		return diag_fail(diag, LB_EINVAL,
				 "plan: the request breaks place.h's contract: report this bug");
	job = (struct job){
		.map = map,
		.request = request,
		.room = &plan->room,
		.align = request->image->align > PAGE_SIZE ? request->image->align : PAGE_SIZE,
		.image_pages = whole_pages(request->image->mem_size),
		.fdt_pages = whole_pages(request->fdt_size),
	};
	err = request->image->fixed ? settle_fixed(&job, diag) : settle_floating(&job, diag);
	return err ? err : list_items(&job, plan, diag);
}
