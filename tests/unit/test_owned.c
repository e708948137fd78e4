// SPDX-License-Identifier: BSD-2-Clause
/* What RAM a dead kernel owned, against a map of pages; the set has room, or is full. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kexec/dead/owned.h"

#define PIECE  8 /* pages of RAM, and as many between two pieces */
#define PAGES  (REGION_SET_MAX * 2 * PIECE)
#define ROUNDS 100

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static struct region pages(uint64_t first, uint64_t count)
{
	return (struct region){first * PAGE_SIZE, count * PAGE_SIZE};
}

/* So many pieces, @map[page] of it true. */
static void make_ram(size_t count, struct region_set *ram, bool *map)
{
	region_set_clear(ram);
	memset(map, 0, PAGES);
	for (size_t i = 0; i < count; i++) {
		const struct region piece = pages(i * 2 * PIECE, PIECE);

		assert_int_equal(region_set_add(ram, piece.base, piece.size), LB_OK);
		memset(map + i * 2 * PIECE, 1, PIECE);
	}
}

static void clear(bool *map, struct region range)
{
	for (uint64_t page = range.base / PAGE_SIZE; page * PAGE_SIZE < range.base + range.size; page++)
		map[page] = false;
}

static void assert_is(const struct region_set *set, const bool *map)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		const struct region one = pages(page, 1);

		if (region_set_overlaps(set, one.base, one.size) != map[page] ||
		    region_set_contains(set, one.base, one.size) != map[page])
			fail_msg("seed %#" PRIx64 ": page %" PRIu64, seed, page);
	}
}

static void in_a_full_set_what_is_behind_is_given_up(void **state)
{
	static bool map[PAGES];
	struct region_set ram;
	struct region given_up;

	(void)state;
	make_ram(REGION_SET_MAX, &ram, map);
	given_up = owned_take_off(&ram, (struct region){2 * PIECE * PAGE_SIZE + 2 * PAGE_SIZE + 1, 1});
	assert_int_equal(given_up.base, (2 * PIECE + 3) * PAGE_SIZE);
	assert_int_equal(given_up.size, (PIECE - 3) * PAGE_SIZE);
	clear(map, pages(2 * PIECE + 2, PIECE - 2));
	assert_is(&ram, map);
	assert_int_equal(ram.count, REGION_SET_MAX);
}

static void what_needs_no_entry_is_taken_off_a_full_set(void **state)
{
	static const struct {
		uint64_t first, count;
	} taken[] = {
		{0, 2}, {PIECE - 2, 4}, {0, PIECE}, {PIECE, PIECE}, {2, 4 * PIECE}, {0, PAGES}, {3, 0},
	};
	static bool map[PAGES];
	struct region_set ram;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		const struct region range = pages(taken[i].first, taken[i].count);

		make_ram(REGION_SET_MAX, &ram, map);
		assert_int_equal(owned_take_off(&ram, range).size, 0);
		clear(map, range);
		assert_is(&ram, map);
	}
}

/* Whatever is taken off, in whatever order: what is left, and what was given up, is what there was. */
static void nothing_that_is_taken_comes_back(void **state)
{
	static bool map[PAGES];
	struct region_set ram;

	(void)state;
	seed = 12;
	for (int round = 0; round < ROUNDS; round++) {
		make_ram(1 + draw(REGION_SET_MAX), &ram, map);
		for (uint64_t n = draw(3 * REGION_SET_MAX); n; n--) {
			const uint64_t first = draw(PAGES - PIECE);
			const struct region range = pages(first, 1 + draw(PIECE));
			const struct region given_up = owned_take_off(&ram, range);

			clear(map, range);
			clear(map, given_up);
		}
		assert_is(&ram, map);
	}
}

static void beside_is_what_is_not_free_or_nothing(void **state)
{
	static bool map[PAGES];
	struct region_set ram, free, beside;

	(void)state;
	make_ram(REGION_SET_MAX, &ram, map);
	region_set_clear(&free);
	assert_int_equal(region_set_add(&free, PAGE_SIZE, 4 * PIECE * PAGE_SIZE), LB_OK);
	assert_int_equal(owned_beside(&ram, &free, &beside), LB_OK);
	clear(map, pages(1, 4 * PIECE));
	assert_is(&beside, map);

	make_ram(REGION_SET_MAX, &ram, map);
	region_set_clear(&free);
	assert_int_equal(region_set_add(&free, PAGE_SIZE, PAGE_SIZE), LB_OK);
	assert_int_equal(owned_beside(&ram, &free, &beside), LB_ENOSPC);
	assert_int_equal(beside.count, 0);
	assert_is(&ram, map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_a_full_set_what_is_behind_is_given_up),
		cmocka_unit_test(what_needs_no_entry_is_taken_off_a_full_set),
		cmocka_unit_test(nothing_that_is_taken_comes_back),
		cmocka_unit_test(beside_is_what_is_not_free_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
