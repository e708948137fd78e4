// SPDX-License-Identifier: BSD-2-Clause
/* Random small machines with a payload to be placed, and a simulated memory to carry a plan out on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/place_scene.h"

static const uint8_t *feed;
static size_t feed_left;

void scene_feed(const uint8_t *data, size_t size)
{
	feed = data;
	feed_left = size;
}

/* Out of the feed by three bytes, which suffice for every bound here; then by splitmix64. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	if (feed_left >= 3) {
		feed += 3;
		feed_left -= 3;
		return (uint64_t)(feed[-3] | feed[-2] << 8 | feed[-1] << 16);
	}
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

/* True @percent times in a hundred. */
static bool chance(uint64_t *state, unsigned percent)
{
	return below(state, 100) < percent;
}

static void random_ram(struct scene *scene, uint64_t *seed)
{
	size_t ranges = 1 + below(seed, 3);

	for (size_t r = 0; r < ranges; r++) {
		size_t unit = chance(seed, 80) ? GRAINS : 1;
		size_t base = below(seed, PAGES * GRAINS / 2) / unit * unit;
		size_t size = PAGES * GRAINS - base;

		if (chance(seed, 60))
			size = below(seed, size) / unit * unit;
		for (size_t i = base; i < base + size; i++)
			scene->ram[i] = true;
		assert_int_equal(memmap_add_ram(&scene->map, scene->origin + base * GRAIN, size * GRAIN),
				 LB_OK);
	}
}

static void take(struct scene *scene, struct region r, enum memmap_kind kind)
{
	assert_int_equal(memmap_take(&scene->map, r.base, r.size, kind, "someone"), LB_OK);
}

static void random_takers(struct scene *scene, uint64_t *seed)
{
	size_t count = below(seed, 5);

	for (size_t i = 0; i < count; i++) {
		uint64_t base = below(seed, WINDOW) / GRAIN * GRAIN;
		uint64_t size = below(seed, 2 * PAGE_SIZE);
		enum memmap_kind kind = below(seed, 20) ? below(seed, MEMMAP_BUNDLE) : MEMMAP_BUNDLE;

		size = size > WINDOW - base ? WINDOW - base : size;
		take(scene, (struct region){scene->origin + base, size}, kind);
	}
}

/* Segments one after the other, as a linker would lay them out: offset and address run in step or not. */
static void random_segments(struct image *image, uint64_t *seed, bool congruent)
{
	uint64_t offset = congruent ? 0 : below(seed, 4) * GRAIN;
	uint64_t address = 0;

	image->segment_count = 1 + below(seed, SEGMENT_MAX);
	for (size_t i = 0; i < image->segment_count; i++) {
		struct image_segment *s = &image->segment[i];

		s->offset = offset;
		s->address = address;
		s->file_size = below(seed, PAGE_SIZE * 5 / 4);
		s->mem_size = s->file_size + (chance(seed, 50) ? below(seed, PAGE_SIZE) : 0);
		s->mem_size += !s->mem_size;
		address += (s->mem_size + GRAIN - 1 + below(seed, 5) * GRAIN) / GRAIN * GRAIN;
		offset = congruent ? address : offset + s->file_size + below(seed, 3) * GRAIN;
	}
	image->mem_size = address + 1;
	image->entry = below(seed, image->mem_size);
}

static void random_image(struct image *image, uint64_t *seed)
{
	image->kind = below(seed, 3);
	image->fixed = image->kind == IMAGE_RAW || (image->kind == IMAGE_ELF && chance(seed, 60));
	image->zero_fill = image->kind == IMAGE_ELF;
	image->align = PAGE_SIZE << below(seed, 4);
	if (image->kind == IMAGE_ELF) {
		random_segments(image, seed, chance(seed, 40));
		return;
	}
	image->segment_count = 1;
	image->segment[0].file_size = 1 + below(seed, 6 * PAGE_SIZE);
	image->segment[0].mem_size = image->segment[0].file_size;
	if (image->kind == IMAGE_LINUX)
		image->segment[0].mem_size += below(seed, 4 * PAGE_SIZE);
	image->mem_size = image->segment[0].mem_size;
}

static uint64_t file_size_of(const struct image *image)
{
	uint64_t size = 1;

	for (size_t i = 0; i < image->segment_count; i++) {
		uint64_t end = image->segment[i].offset + image->segment[i].file_size;

		size = end > size ? end : size;
	}
	return size;
}

/* Give a fixed image addresses: near where it lies, together or each on its own; or anywhere. */
static void random_fixed_addresses(struct scene *scene, uint64_t *seed)
{
	struct image *image = &scene->image;
	bool near = chance(seed, 60), shuffled = chance(seed, 30);
	uint64_t delta = (below(seed, 33) - 16) * GRAIN;
	paddr_t start = scene->origin + below(seed, WINDOW) / GRAIN * GRAIN;
	paddr_t previous_end = 0;

	for (size_t i = 0; i < image->segment_count; i++) {
		struct image_segment *s = &image->segment[i];
		size_t like = shuffled ? image->segment_count - 1 - i : i;
		paddr_t source = scene->request.image_pa + image->segment[like].offset;

		s->address = near ? source + delta : start + s->address;
		if (s->address < previous_end || s->address < scene->origin)
			s->address = previous_end > scene->origin ? previous_end : scene->origin;
		if (!range_is_valid(s->address, s->mem_size)) {
			image->segment_count = i ? i : 1;
			image->segment[0].address = i ? image->segment[0].address : scene->origin;
			break;
		}
		previous_end = s->address + s->mem_size;
	}
	image->entry = image->segment[0].address;
}

/* Lay image and initrd out from @base on, in either order; the end of it all. */
static paddr_t lay_out(struct scene *scene, uint64_t *seed, paddr_t base)
{
	struct place_request *request = &scene->request;
	uint64_t image_align = chance(seed, 60) ? scene->image.align : GRAIN;
	uint64_t initrd_align = chance(seed, 60) ? PAGE_SIZE : GRAIN;
	bool initrd_first = chance(seed, 30);
	paddr_t next = base;

	request->image_size = file_size_of(&scene->image) + below(seed, 100);
	request->initrd.size = chance(seed, 75) ? 1 + below(seed, 6 * PAGE_SIZE) : 0;
	if (initrd_first) {
		request->initrd.base = align_down(next + initrd_align - 1, initrd_align);
		next = request->initrd.base + request->initrd.size;
	}
	request->image_pa = align_down(next + image_align - 1, image_align);
	next = request->image_pa + request->image_size;
	if (!initrd_first) {
		request->initrd.base = align_down(next + initrd_align - 1, initrd_align);
		next = request->initrd.base + request->initrd.size;
	}
	return next + below(seed, 2) * GRAIN;
}

/* A bundle in RAM or flash, told or hidden. */
static void random_bundle(struct scene *scene, uint64_t *seed)
{
	paddr_t window = chance(seed, 85) ? scene->origin : FLASH;
	struct region bundle = {0, 0};

	do {
		bundle.base = window + below(seed, WINDOW / 2) / GRAIN * GRAIN;
		bundle.size = lay_out(scene, seed, bundle.base) - bundle.base;
	} while (!range_fits(bundle.base - window, bundle.size, WINDOW));
	if (chance(seed, 90))
		take(scene, bundle, chance(seed, 95) ? MEMMAP_BUNDLE : MEMMAP_RESERVED);
	if (chance(seed, 85))
		scene->request.bundle = bundle;
}

/* Room that the payload's FDT is made in, mem=, and lost memory. */
static void random_extras(struct scene *scene, uint64_t *seed)
{
	const uint64_t from = below(seed, WINDOW - PAGE_SIZE) / PAGE_SIZE * PAGE_SIZE;
	const uint64_t limit = below(seed, WINDOW) / PAGE_SIZE * PAGE_SIZE;

	if (chance(seed, 30)) {
		scene->request.fdt_from = (struct region){scene->origin + from, PAGE_SIZE};
		take(scene, scene->request.fdt_from, MEMMAP_FDT);
	}
	if (chance(seed, 10))
		take(scene, (struct region){scene->origin + limit, WINDOW - limit}, MEMMAP_KEPT);
	scene->request.on_lost = chance(seed, 30);
	if (chance(seed, 20))
		take(scene, (struct region){scene->origin + limit, (WINDOW - limit) / 2}, MEMMAP_LOST);
}

static void random_pools(struct scene *scene, uint64_t *seed)
{
	scene->lost_stays = chance(seed, 50);
	scene->pool_count = chance(seed, 50) ? 0 : 1 + below(seed, POOLS_MAX);
	for (size_t i = 0; i < scene->pool_count; i++) {
		struct pool *pool = &scene->pool[i];

		pool->name = "pool";
		pool->size = 1 + below(seed, 4 * PAGE_SIZE);
		pool->align = UINT64_C(1) << below(seed, 15);
		pool->range_count = below(seed, 1 + POOL_RANGES_MAX);
		for (size_t r = 0; r < pool->range_count; r++) {
			uint64_t base = below(seed, WINDOW);

			pool->range[r] =
				(struct region){scene->origin + base, 1 + below(seed, WINDOW - base)};
		}
	}
}

void scene_make(struct scene *scene, uint64_t seed)
{
	static const paddr_t origins[] = {0, UINT64_C(0x80000000), 4 * GIB - PAGES / 2 * PAGE_SIZE, 8 * GIB,
					  UINT64_MAX - 4095 - WINDOW};

	memset(scene, 0, sizeof(*scene));
	scene->seed = seed;
	scene->origin = origins[below(&seed, ARRAY_SIZE(origins))];
	memmap_init(&scene->map);
	random_ram(scene, &seed);
	random_takers(scene, &seed);
	random_image(&scene->image, &seed);
	random_bundle(scene, &seed);
	if (scene->image.fixed)
		random_fixed_addresses(scene, &seed);
	random_extras(scene, &seed);
	random_pools(scene, &seed);
	scene->request.image = &scene->image;
	scene->request.in_place = chance(&seed, 60);
	scene->request.fdt_size = 1 + below(&seed, (chance(&seed, 80) ? 3 : 6) * PAGE_SIZE);
	scene->request.limit = chance(&seed, 80) ? UINT64_MAX : scene->origin + below(&seed, WINDOW);
}

uint8_t *scene_at(const struct scene *scene, struct memory *memory, paddr_t pa, uint64_t size)
{
	if (pa >= scene->origin && range_fits(pa - scene->origin, size, WINDOW))
		return memory->ram + (pa - scene->origin);
	if (pa >= FLASH && range_fits(pa - FLASH, size, WINDOW))
		return memory->flash + (pa - FLASH);
	return NULL;
}

void scene_fill(struct memory *memory)
{
	uint64_t seed = 1;

	for (size_t b = 0; b < sizeof(*memory); b++)
		((uint8_t *)memory)[b] = 1 + below(&seed, 255);
}
