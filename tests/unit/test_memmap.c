// SPDX-License-Identifier: BSD-2-Clause
/* The memory map, against a flag for each 256 bytes of a small machine; then the edges by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mm/memmap.h"

#define GRAIN	   256
#define GRAINS	   (PAGE_SIZE / GRAIN) /* of a page */
#define PAGES	   40
#define UNIVERSE   (PAGES * GRAINS)
#define ENTRIES	   MEMMAP_TAKEN_MAX
#define ROUNDS	   300
#define OPERATIONS 120

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

/* What the map should say. Grain i stands for [origin + i * GRAIN, + GRAIN). */
struct oracle {
	uint64_t seed; /* that the round began with */
	paddr_t origin;
	bool ram[UNIVERSE];
	size_t taken_count;
	struct {
		size_t base, size;
		enum memmap_kind kind;
	} taken[ENTRIES];
};

#define CHECK(oracle, condition)                                                                     \
	do {                                                                                         \
		if (!(condition))                                                                    \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(oracle)->seed, #condition); \
	} while (0)

static bool oracle_page_is_free(const struct oracle *o, size_t page)
{
	for (size_t i = page * GRAINS; i < (page + 1) * GRAINS; i++) {
		if (!o->ram[i])
			return false;
		for (size_t t = 0; t < o->taken_count; t++) {
			if (i >= o->taken[t].base && i < o->taken[t].base + o->taken[t].size)
				return false;
		}
	}
	return true;
}

static void assert_equal(const struct memmap *map, const struct oracle *o)
{
	uint64_t free_bytes = 0, ram_bytes = 0;

	for (size_t page = 0; page < PAGES; page++) {
		bool is_free = oracle_page_is_free(o, page);

		free_bytes += is_free ? PAGE_SIZE : 0;
		CHECK(o, region_set_contains(&map->free, o->origin + page * PAGE_SIZE, PAGE_SIZE) == is_free);
		CHECK(o, region_set_overlaps(&map->free, o->origin + page * PAGE_SIZE, PAGE_SIZE) == is_free);
	}
	for (size_t i = 0; i < UNIVERSE; i++) {
		ram_bytes += o->ram[i] ? GRAIN : 0;
		CHECK(o, region_set_contains(&map->ram, o->origin + i * GRAIN, GRAIN) == o->ram[i]);
	}
	CHECK(o, region_set_size(&map->free) == free_bytes);
	CHECK(o, region_set_size(&map->ram) == ram_bytes);
	CHECK(o, map->taken_count == o->taken_count);
	for (size_t t = 0; t < o->taken_count; t++) {
		CHECK(o, map->taken[t].range.base == o->origin + o->taken[t].base * GRAIN);
		CHECK(o, map->taken[t].range.size == o->taken[t].size * GRAIN);
		CHECK(o, map->taken[t].kind == o->taken[t].kind);
	}
}

static void random_ram(struct memmap *map, struct oracle *o, uint64_t *seed)
{
	size_t base = below(seed, UNIVERSE);
	size_t size = below(seed, below(seed, 2) ? UNIVERSE : 3 * GRAINS);

	size = base + size > UNIVERSE ? UNIVERSE - base : size;
	for (size_t i = base; i < base + size; i++)
		o->ram[i] = true;
	CHECK(o, memmap_add_ram(map, o->origin + base * GRAIN, size * GRAIN) == LB_OK);
}

static void random_take(struct memmap *map, struct oracle *o, uint64_t *seed)
{
	size_t base = below(seed, 4) ? below(seed, UNIVERSE) : below(seed, PAGES) * GRAINS;
	size_t size = below(seed, 2 * GRAINS);
	enum memmap_kind kind = below(seed, MEMMAP_BUNDLE + 1);
	enum lb_err want = LB_OK;

	size = base + size > UNIVERSE ? UNIVERSE - base : size;
	if (size && o->taken_count == ENTRIES) {
		want = LB_ENOSPC;
	} else if (size) {
		o->taken[o->taken_count].base = base;
		o->taken[o->taken_count].size = size;
		o->taken[o->taken_count++].kind = kind;
	}
	CHECK(o, memmap_take(map, o->origin + base * GRAIN, size * GRAIN, kind, "x") == want);
}

/* Mostly of an entry that is there; sometimes of one that is only nearly there. */
static void random_release(struct memmap *map, struct oracle *o, uint64_t *seed)
{
	size_t pick = o->taken_count ? below(seed, o->taken_count) : 0;
	size_t base = o->taken_count ? o->taken[pick].base : 7;
	enum memmap_kind kind = below(seed, 4) ? o->taken[pick].kind : below(seed, MEMMAP_BUNDLE + 1);
	size_t kept = 0;
	enum lb_err want;

	for (size_t t = 0; t < o->taken_count; t++) {
		if (o->taken[t].base != base || o->taken[t].kind != kind)
			o->taken[kept++] = o->taken[t];
	}
	want = kept == o->taken_count ? LB_ENOENT : LB_OK;
	o->taken_count = kept;
	CHECK(o, memmap_release(map, o->origin + base * GRAIN, kind) == want);
}

static void random_round(uint64_t seed, paddr_t origin)
{
	static struct oracle o;
	static struct memmap map;
	uint64_t releases;

	memset(&o, 0, sizeof(o));
	o.seed = seed;
	o.origin = origin;
	releases = below(&seed, 3);
	memset(&map, 0xa5, sizeof(map));
	memmap_init(&map);
	for (int i = 0; i < OPERATIONS; i++) {
		uint64_t what = below(&seed, 10);

		if (what < 1)
			random_ram(&map, &o, &seed);
		else if (what < 2 + releases)
			random_release(&map, &o, &seed);
		else
			random_take(&map, &o, &seed);
		assert_equal(&map, &o);
	}
}

static void random_operations_agree_with_a_flag_for_each_grain(void **state)
{
	static const paddr_t origins[] = {0, UINT64_C(0x80000000), UINT64_MAX - 4095 - PAGES * PAGE_SIZE};

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++)
		random_round(0x3e3a9 + round, origins[round % ARRAY_SIZE(origins)]);
}

static void partial_pages_are_ram_but_not_free(void **state)
{
	static struct memmap map;

	(void)state;
	memmap_init(&map);
	assert_int_equal(memmap_add_ram(&map, 0x1800, 0x2000), LB_OK);
	assert_true(region_set_contains(&map.ram, 0x1800, 0x2000));
	assert_int_equal(map.free.count, 1);
	assert_int_equal(map.free.region[0].base, 0x2000);
	assert_int_equal(map.free.region[0].size, 0x1000);
	assert_int_equal(memmap_add_ram(&map, 0x1000, 0x800), LB_OK); /* the other half of the first page */
	assert_int_equal(map.free.region[0].base, 0x1000);
	assert_int_equal(memmap_add_ram(&map, 0x9400, 0x100), LB_OK);
	assert_int_equal(region_set_size(&map.free), 0x2000);
}

static void what_was_taken_before_it_was_ram_stays_taken(void **state)
{
	static struct memmap map;

	(void)state;
	memmap_init(&map);
	assert_int_equal(memmap_take(&map, 0x2000, 1, MEMMAP_FIRMWARE, "sbi"), LB_OK);
	assert_int_equal(memmap_add_ram(&map, 0x1000, 0x3000), LB_OK);
	assert_false(region_set_overlaps(&map.free, 0x2000, 0x1000));
	assert_int_equal(region_set_size(&map.free), 0x2000);
}

static void a_release_gives_back_only_what_nobody_else_holds(void **state)
{
	static struct memmap map;

	(void)state;
	memmap_init(&map);
	assert_int_equal(memmap_add_ram(&map, 0, 0x10000), LB_OK);
	assert_int_equal(memmap_take(&map, 0x2000, 0x3000, MEMMAP_BUNDLE, "bundle"), LB_OK);
	assert_int_equal(memmap_take(&map, 0x3000, 0x10, MEMMAP_RESERVED, "r"), LB_OK);
	assert_int_equal(memmap_release(&map, 0x2000, MEMMAP_RESERVED), LB_ENOENT);
	assert_int_equal(memmap_release(&map, 0x2001, MEMMAP_BUNDLE), LB_ENOENT);
	assert_int_equal(memmap_release(&map, 0x2000, MEMMAP_BUNDLE), LB_OK);
	assert_int_equal(map.taken_count, 1);
	assert_string_equal(map.taken[0].name, "r");
	assert_int_equal(region_set_size(&map.free), 0xf000);
	assert_false(region_set_overlaps(&map.free, 0x3000, 0x1000));
	assert_int_equal(memmap_release(&map, 0x2000, MEMMAP_BUNDLE), LB_ENOENT);
}

static void ranges_past_the_last_address_are_refused(void **state)
{
	static struct memmap map;

	(void)state;
	memmap_init(&map);
	assert_int_equal(memmap_add_ram(&map, UINT64_MAX - 0x2fff, 0x3000), LB_ERANGE);
	assert_int_equal(memmap_take(&map, UINT64_MAX, 1, MEMMAP_RESERVED, "r"), LB_ERANGE);
	assert_int_equal(map.ram.count + map.free.count + map.taken_count, 0);
	assert_int_equal(memmap_add_ram(&map, UINT64_MAX - 0x2fff, 0x2fff), LB_OK);
	assert_int_equal(region_set_size(&map.free), 0x2000);
	assert_int_equal(memmap_take(&map, UINT64_MAX - 1, 1, MEMMAP_RESERVED, "r"), LB_OK);
	assert_int_equal(region_set_size(&map.free), 0x2000);
	assert_int_equal(memmap_take(&map, UINT64_MAX - 0x1000, 0x1000, MEMMAP_RESERVED, "r"), LB_OK);
	assert_int_equal(region_set_size(&map.free), 0x1000);
}

/* As many pieces of RAM as a set can hold, a page each. */
static void fill_with_pieces(struct memmap *map)
{
	memmap_init(map);
	for (size_t i = 0; i < REGION_SET_MAX; i++)
		assert_int_equal(memmap_add_ram(map, (1 + 2 * i) * PAGE_SIZE, PAGE_SIZE), LB_OK);
}

static void assert_sets_equal(const struct region_set *a, const struct region_set *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->region, b->region, a->count * sizeof(a->region[0]));
}

static void too_many_pieces_of_ram_are_refused_and_change_nothing(void **state)
{
	static struct memmap map, before;
	paddr_t behind = (1 + 2 * REGION_SET_MAX) * PAGE_SIZE;

	(void)state;
	fill_with_pieces(&map);
	before = map;
	assert_int_equal(memmap_add_ram(&map, behind, PAGE_SIZE), LB_ENOSPC);
	assert_sets_equal(&map.ram, &before.ram);
	assert_sets_equal(&map.free, &before.free);
	/* The free set would have room here, the set of RAM has not. */
	assert_int_equal(memmap_take(&map, PAGE_SIZE, PAGE_SIZE, MEMMAP_RESERVED, "r"), LB_OK);
	before = map;
	assert_int_equal(memmap_add_ram(&map, behind, PAGE_SIZE), LB_ENOSPC);
	assert_sets_equal(&map.ram, &before.ram);
	assert_sets_equal(&map.free, &before.free);
}

/* The other way round: the set of RAM has room, the free set, cut up by takers, has not. */
static void ram_whose_pages_do_not_fit_is_refused_and_changes_nothing(void **state)
{
	static struct memmap map, before;
	paddr_t behind = 1000 * PAGE_SIZE;

	(void)state;
	memmap_init(&map);
	assert_int_equal(memmap_add_ram(&map, 0, (2 * MEMMAP_TAKEN_MAX + 1) * PAGE_SIZE), LB_OK);
	for (size_t i = 0; i < MEMMAP_TAKEN_MAX; i++)
		assert_int_equal(memmap_take(&map, (2 * i + 1) * PAGE_SIZE, 1, MEMMAP_RESERVED, "r"), LB_OK);
	for (; map.free.count < REGION_SET_MAX; behind += 2 * PAGE_SIZE)
		assert_int_equal(memmap_add_ram(&map, behind, PAGE_SIZE), LB_OK);
	before = map;
	assert_int_equal(memmap_add_ram(&map, behind, PAGE_SIZE), LB_ENOSPC);
	assert_sets_equal(&map.ram, &before.ram);
	assert_sets_equal(&map.free, &before.free);
}

static void a_taker_that_splits_a_full_map_is_refused_and_changes_nothing(void **state)
{
	static struct memmap map, before;

	(void)state;
	fill_with_pieces(&map);
	assert_int_equal(memmap_add_ram(&map, 0, PAGE_SIZE), LB_OK);
	assert_int_equal(memmap_add_ram(&map, 2 * PAGE_SIZE, PAGE_SIZE), LB_OK);
	assert_int_equal(memmap_add_ram(&map, (1 + 2 * REGION_SET_MAX) * PAGE_SIZE, PAGE_SIZE), LB_OK);
	before = map;
	assert_int_equal(memmap_take(&map, PAGE_SIZE, 1, MEMMAP_RESERVED, "r"), LB_ENOSPC);
	assert_sets_equal(&map.free, &before.free);
	assert_int_equal(map.taken_count, 0);
}

static void the_list_of_takers_has_an_end(void **state)
{
	static struct memmap map;

	(void)state;
	memmap_init(&map);
	assert_int_equal(memmap_add_ram(&map, 0, MIB), LB_OK);
	for (size_t i = 0; i < MEMMAP_TAKEN_MAX; i++)
		assert_int_equal(memmap_take(&map, 0x1000, 1, MEMMAP_RESERVED, "r"), LB_OK);
	assert_int_equal(memmap_take(&map, 0x5000, 1, MEMMAP_RESERVED, "r"), LB_ENOSPC);
	assert_true(region_set_contains(&map.free, 0x5000, 0x1000));
	assert_int_equal(memmap_take(&map, 0x5000, 0, MEMMAP_RESERVED, "r"), LB_OK);
	assert_int_equal(memmap_release(&map, 0x1000, MEMMAP_RESERVED), LB_OK);
	assert_int_equal(map.taken_count, 0);
	assert_int_equal(region_set_size(&map.free), MIB);
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(memmap_kind_name(MEMMAP_FIRMWARE), "firmware");
	assert_string_equal(memmap_kind_name(MEMMAP_RESERVED), "reserved memory");
	assert_string_equal(memmap_kind_name(MEMMAP_FDT), "the FDT");
	assert_string_equal(memmap_kind_name(MEMMAP_STAGE), "the stage");
	assert_string_equal(memmap_kind_name(MEMMAP_BUNDLE), "the bundle");
	assert_string_equal(memmap_kind_name((enum memmap_kind)99), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_agree_with_a_flag_for_each_grain),
		cmocka_unit_test(partial_pages_are_ram_but_not_free),
		cmocka_unit_test(what_was_taken_before_it_was_ram_stays_taken),
		cmocka_unit_test(a_release_gives_back_only_what_nobody_else_holds),
		cmocka_unit_test(ranges_past_the_last_address_are_refused),
		cmocka_unit_test(too_many_pieces_of_ram_are_refused_and_change_nothing),
		cmocka_unit_test(ram_whose_pages_do_not_fit_is_refused_and_changes_nothing),
		cmocka_unit_test(a_taker_that_splits_a_full_map_is_refused_and_changes_nothing),
		cmocka_unit_test(the_list_of_takers_has_an_end),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
