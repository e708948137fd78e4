// SPDX-License-Identifier: BSD-2-Clause
/* How many tables a set of memory takes: what pagetable_map() then uses is the judge. And the physmap. */
#include "tests/unit/mmu.h"

#include "mm/physmap.h"
#include "mm/tables.h"

#define POOL_PAGES 1200
#define ROUNDS	   300

static _Alignas(4096) uint64_t pool[POOL_PAGES][PAGETABLE_ENTRIES];

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Tables below the root that mapping @set takes, at the bottom of the upper half. */
static size_t used(unsigned levels, const struct region_set *set)
{
	const uint64_t base = -(UINT64_C(1) << (12 + 9 * levels - 1));
	struct pagetable pt;

	assert_int_equal(pagetable_init(&pt, levels, pool, 0x80000000, POOL_PAGES,
					(struct pte_attributes){0, 0}),
			 LB_OK);
	for (size_t i = 0; i < set->count; i++) {
		const struct region r = set->region[i];

		assert_int_equal(pagetable_map(&pt, base + r.base, r.base, r.size, PTE_R | PTE_W), LB_OK);
	}
	return pt.used_pages - 1;
}

/* Pieces of all sizes, near each other and far away, within what the mode reaches. */
static void random_set(uint64_t *seed, unsigned levels, struct region_set *set)
{
	const unsigned reach = 12 + 9 * levels - 1 < 50 ? 12 + 9 * levels - 1 : 50;
	const unsigned room = 20 + (unsigned)(next_random(seed) % (reach - 20));
	size_t pieces = next_random(seed) % (REGION_SET_MAX - 2);

	region_set_clear(set);
	while (pieces--) {
		const unsigned unit = 12 + (unsigned)(next_random(seed) % (room - 12));
		uint64_t base = next_random(seed) % (UINT64_C(1) << room), size = next_random(seed) % 8 + 1;

		base = base >> unit << unit;
		size <<= 12 + next_random(seed) % 20;
		if (base + size <= UINT64_C(1) << reach)
			assert_int_equal(region_set_add(set, base, size), LB_OK);
	}
}

static void the_count_is_what_the_builder_takes(void **state)
{
	static struct region_set set;
	uint64_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned levels = SV39_LEVELS; levels <= SV57_LEVELS; levels++) {
			random_set(&seed, levels, &set);
			if (tables_for_set(levels, &set) != used(levels, &set))
				fail_msg("round %u, %u levels, %zu pieces: %zu counted, %zu used", round,
					 levels, set.count, tables_for_set(levels, &set), used(levels, &set));
			for (unsigned more = levels; more <= SV57_LEVELS; more++)
				assert_true(tables_for_set(more, &set) >= tables_for_set(levels, &set));
		}
	}
}

/* 2 GiB with 48 reservations: what two sets take must leave the crash region's private part room. */
static void many_reservations_take_few_tables(void **state)
{
	static struct region_set set;

	(void)state;
	assert_int_equal(tables_for_set(SV57_LEVELS, &set), 0);
	assert_int_equal(region_set_add(&set, 0x80200000, 0x7fe00000), LB_OK);
	for (uint64_t i = 0; i < 48; i++)
		assert_int_equal(region_set_subtract(&set, 0xa4000000 + i * 0x1000000, 0x2000), LB_OK);
	/* One of 4 KiB pages for each, one of 2 MiB pages for each GiB that they are in, two above. */
	assert_int_equal(tables_for_set(SV57_LEVELS, &set), 48 + 2 + 2);
}

static void the_physmap_is_the_upper_half_up_to_the_stage(void **state)
{
	(void)state;
	for (unsigned levels = SV39_LEVELS; levels <= SV57_LEVELS; levels++) {
		const struct physmap map = physmap_for_levels(levels);
		const vaddr_t bottom = ~UINT64_C(0) << (12 + 9 * levels - 1);

		assert_ptr_equal(physmap_pointer(&map, 0), (void *)bottom);
		assert_ptr_equal(physmap_pointer(&map, 0x80200000), (void *)(bottom + 0x80200000));
		assert_ptr_equal(physmap_pointer(&map, map.limit), (void *)STAGE_VA);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_count_is_what_the_builder_takes),
		cmocka_unit_test(many_reservations_take_few_tables),
		cmocka_unit_test(the_physmap_is_the_upper_half_up_to_the_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
