// SPDX-License-Identifier: BSD-2-Clause
/* Region sets, against a bitmap that is too simple to be wrong; then the edges by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mm/region.h"

#define UNIVERSE   512 /* bytes that the oracle knows, one flag each */
#define ROUNDS	   60
#define OPERATIONS 1000

/* splitmix64: a number stream that is the same everywhere. */
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

/* What the set should hold: in[i] stands for address origin + i. */
struct oracle {
	uint64_t seed; /* that the round began with */
	paddr_t origin;
	bool in[UNIVERSE];
};

#define CHECK(oracle, condition)                                                                     \
	do {                                                                                         \
		if (!(condition))                                                                    \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(oracle)->seed, #condition); \
	} while (0)

static size_t oracle_pieces(const struct oracle *o)
{
	size_t pieces = 0;

	for (size_t i = 0; i < UNIVERSE; i++)
		pieces += o->in[i] && (i == 0 || !o->in[i - 1]);
	return pieces;
}

static bool oracle_all(const struct oracle *o, size_t base, size_t size)
{
	for (size_t i = base; i < base + size; i++) {
		if (i >= UNIVERSE || !o->in[i])
			return false;
	}
	return true;
}

static bool oracle_any(const struct oracle *o, size_t base, size_t size)
{
	for (size_t i = base; i < base + size; i++) {
		if (i < UNIVERSE && o->in[i])
			return true;
	}
	return false;
}

static void assert_equal(const struct region_set *set, const struct oracle *o)
{
	bool in[UNIVERSE] = {false};
	paddr_t behind = 0;
	uint64_t sum = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct region r = set->region[i];

		CHECK(o, r.size > 0);
		CHECK(o, i == 0 || r.base > behind);
		behind = region_end(r);
		sum += r.size;
		for (uint64_t b = 0; b < r.size; b++) {
			CHECK(o, r.base - o->origin + b < UNIVERSE);
			in[r.base - o->origin + b] = true;
		}
	}
	CHECK(o, memcmp(in, o->in, sizeof(in)) == 0);
	CHECK(o, region_set_size(set) == sum);
	CHECK(o, set->count == oracle_pieces(o));
}

static bool oracle_find(const struct oracle *o, uint64_t size, uint64_t align, paddr_t low, paddr_t high,
			enum region_order order, paddr_t *base)
{
	bool found = false;

	for (size_t i = 0; i + size <= UNIVERSE; i++) {
		paddr_t at = o->origin + i;

		if (at % align || at < low || at + size > high || !oracle_all(o, i, size))
			continue;
		if (order == REGION_HIGHEST || !found)
			*base = at;
		found = true;
	}
	return found;
}

static void assert_same_find(const struct region_set *set, const struct oracle *o, uint64_t *seed)
{
	uint64_t size = 1 + below(seed, 24);
	uint64_t align = UINT64_C(1) << below(seed, 6);
	paddr_t low = below(seed, 3) ? 0 : o->origin + below(seed, UNIVERSE);
	paddr_t high = below(seed, 3) ? UINT64_MAX : o->origin + below(seed, UNIVERSE);
	enum region_order order = below(seed, 2) ? REGION_LOWEST : REGION_HIGHEST;
	paddr_t want = 12345, got = 12345;
	bool possible = oracle_find(o, size, align, low, high, order, &want);

	CHECK(o, region_set_find(set, size, align, low, high, order, &got) == (possible ? LB_OK : LB_ENOSPC));
	CHECK(o, got == want);
}

static void assert_same_largest(const struct region_set *set, const struct oracle *o, uint64_t *seed)
{
	uint64_t align = UINT64_C(1) << below(seed, 6);
	uint64_t want = 0;

	for (size_t i = 0; i < UNIVERSE; i++) {
		uint64_t size = 0;

		if ((o->origin + i) % align)
			continue;
		while (i + size < UNIVERSE && o->in[i + size])
			size++;
		want = size > want ? size : want;
	}
	CHECK(o, region_set_largest(set, align) == want);
}

/* One random add or subtract, tried on both; a set that would get too many pieces must refuse whole. */
static void random_change(struct region_set *set, struct oracle *o, uint64_t *seed, uint64_t longest)
{
	size_t base = below(seed, UNIVERSE);
	uint64_t size = below(seed, longest + 1);
	bool add = below(seed, 2);
	bool overflows = size > UINT64_MAX - (o->origin + base);
	static struct oracle after;
	enum lb_err err, want;

	after = *o;
	if (!overflows && base + size > UNIVERSE)
		size = UNIVERSE - base;
	for (size_t i = base; i < base + size && i < UNIVERSE; i++)
		after.in[i] = add;
	want = overflows ? LB_ERANGE : oracle_pieces(&after) > REGION_SET_MAX ? LB_ENOSPC : LB_OK;
	err = add ? region_set_add(set, o->origin + base, size)
		  : region_set_subtract(set, o->origin + base, size);
	CHECK(o, err == want);
	if (want == LB_OK)
		*o = after;
}

static void random_round(uint64_t seed, paddr_t origin, uint64_t longest)
{
	static struct region_set set, copy;
	static struct oracle o;

	memset(&o, 0, sizeof(o));
	o.seed = seed;
	o.origin = origin;
	memset(&set, 0xa5, sizeof(set));
	region_set_clear(&set);
	for (int i = 0; i < OPERATIONS; i++) {
		size_t base = below(&seed, UNIVERSE);
		uint64_t size = below(&seed, 30);
		bool valid = range_is_valid(origin + base, size);

		random_change(&set, &o, &seed, longest);
		assert_equal(&set, &o);
		CHECK(&o, region_set_contains(&set, origin + base, size) ==
				  (size == 0 || (valid && oracle_all(&o, base, size))));
		CHECK(&o, region_set_overlaps(&set, origin + base, size) == oracle_any(&o, base, size));
		assert_same_find(&set, &o, &seed);
		assert_same_largest(&set, &o, &seed);
	}
	memset(&copy, 0x5a, sizeof(copy));
	region_set_copy(&copy, &set);
	assert_equal(&copy, &o);
}

static void random_operations_agree_with_a_bitmap(void **state)
{
	static const paddr_t origins[] = {0, UINT64_C(0x80000000), UINT64_MAX - UNIVERSE};

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++)
		random_round(0x1eafb0a7 + round, origins[round % ARRAY_SIZE(origins)], 1 + round % 60);
}

/* Single bytes two apart: as many pieces as the set can hold, at even addresses from 100 on. */
static void fill(struct region_set *set)
{
	region_set_clear(set);
	for (size_t i = 0; i < REGION_SET_MAX; i++)
		assert_int_equal(region_set_add(set, 100 + 2 * i, 1), LB_OK);
	assert_int_equal(set->count, REGION_SET_MAX);
}

static void a_full_set_refuses_one_more_piece_and_is_unchanged(void **state)
{
	static struct region_set set, before;

	(void)state;
	fill(&set);
	before = set;
	assert_int_equal(region_set_add(&set, 0, 10), LB_ENOSPC);
	assert_int_equal(region_set_add(&set, 100 + 2 * REGION_SET_MAX, 1), LB_ENOSPC);
	assert_memory_equal(&set, &before, sizeof(set));
}

static void a_full_set_takes_what_merges(void **state)
{
	static struct region_set set;

	(void)state;
	fill(&set);
	assert_int_equal(region_set_add(&set, 101, 1), LB_OK);
	assert_int_equal(set.count, REGION_SET_MAX - 1);
	assert_int_equal(region_set_add(&set, 0, UINT64_MAX), LB_OK);
	assert_int_equal(set.count, 1);
}

static void a_full_set_refuses_a_split_and_is_unchanged(void **state)
{
	static struct region_set set, before;

	(void)state;
	fill(&set);
	assert_int_equal(region_set_add(&set, 99, 1), LB_OK);
	assert_int_equal(region_set_add(&set, 98, 1), LB_OK);
	before = set;
	assert_int_equal(region_set_subtract(&set, 99, 1), LB_ENOSPC);
	assert_memory_equal(&set, &before, sizeof(set));
	assert_int_equal(region_set_subtract(&set, 98, 1), LB_OK);
	assert_int_equal(region_set_subtract(&set, 0, UINT64_MAX), LB_OK);
	assert_int_equal(set.count, 0);
}

static void ranges_that_run_past_the_last_address_are_refused(void **state)
{
	static struct region_set set, before;

	(void)state;
	region_set_clear(&set);
	assert_int_equal(region_set_add(&set, UINT64_MAX - 8, 8), LB_OK);
	before = set;
	assert_int_equal(region_set_add(&set, UINT64_MAX - 8, 9), LB_ERANGE);
	assert_int_equal(region_set_add(&set, UINT64_MAX, 1), LB_ERANGE);
	assert_int_equal(region_set_add(&set, 1, UINT64_MAX), LB_ERANGE);
	assert_int_equal(region_set_subtract(&set, 1, UINT64_MAX), LB_ERANGE);
	assert_int_equal(set.count, before.count);
	assert_memory_equal(&set.region[0], &before.region[0], sizeof(struct region));
	assert_false(region_set_contains(&set, UINT64_MAX - 8, 9));
	assert_false(region_set_contains(&set, UINT64_MAX - 8, UINT64_MAX));
	assert_true(region_set_overlaps(&set, UINT64_MAX - 9, UINT64_MAX));
	assert_false(region_set_overlaps(&set, UINT64_MAX, 1));
}

static void the_whole_address_space_is_one_region(void **state)
{
	static struct region_set set;
	paddr_t base;

	(void)state;
	region_set_clear(&set);
	assert_int_equal(region_set_add(&set, 0, UINT64_MAX), LB_OK);
	assert_int_equal(region_set_size(&set), UINT64_MAX);
	assert_int_equal(region_set_find(&set, UINT64_MAX, 1, 0, UINT64_MAX, REGION_HIGHEST, &base), LB_OK);
	assert_int_equal(base, 0);
	assert_int_equal(region_set_find(&set, 1, UINT64_C(1) << 63, 1, UINT64_MAX, REGION_LOWEST, &base),
			 LB_OK);
	assert_int_equal(base, UINT64_C(1) << 63);
	assert_int_equal(region_set_find(&set, 1, UINT64_C(1) << 63, base + 1, UINT64_MAX, REGION_LOWEST,
					 &base),
			 LB_ENOSPC);
	assert_int_equal(region_set_find(&set, UINT64_C(1) << 63, UINT64_C(1) << 63, 1, UINT64_MAX,
					 REGION_HIGHEST, &base),
			 LB_ENOSPC);
}

static void empty_ranges_change_nothing_and_are_everywhere(void **state)
{
	static struct region_set set;

	(void)state;
	region_set_clear(&set);
	assert_int_equal(region_set_add(&set, 50, 0), LB_OK);
	assert_int_equal(region_set_subtract(&set, UINT64_MAX, 0), LB_OK);
	assert_int_equal(set.count, 0);
	assert_true(region_set_contains(&set, 50, 0));
	assert_false(region_set_overlaps(&set, 50, 0));
}

static void a_search_without_sense_is_refused(void **state)
{
	static struct region_set set;
	paddr_t base = 77;

	(void)state;
	region_set_clear(&set);
	assert_int_equal(region_set_add(&set, 0, 4096), LB_OK);
	assert_int_equal(region_set_find(&set, 0, 1, 0, UINT64_MAX, REGION_LOWEST, &base), LB_EINVAL);
	assert_int_equal(region_set_find(&set, 1, 0, 0, UINT64_MAX, REGION_LOWEST, &base), LB_EINVAL);
	assert_int_equal(region_set_find(&set, 1, 3, 0, UINT64_MAX, REGION_LOWEST, &base), LB_EINVAL);
	assert_int_equal(region_set_find(&set, 1, 1, 20, 20, REGION_LOWEST, &base), LB_ENOSPC);
	assert_int_equal(region_set_find(&set, 1, 1, 30, 20, REGION_HIGHEST, &base), LB_ENOSPC);
	assert_int_equal(base, 77);
}

static void pages_around_are_all_that_a_range_touches(void **state)
{
	static const struct {
		struct region in, out;
	} rows[] = {
		{{0x1000, 0x1000}, {0x1000, 0x1000}},
		{{0x1fff, 2}, {0x1000, 0x2000}},
		{{0x1001, 1}, {0x1000, 0x1000}},
		{{0x1234, 0}, {0x1000, 0}},
		{{0, UINT64_MAX}, {0, UINT64_MAX - 4095}},
		{{UINT64_MAX - 1, 1}, {UINT64_MAX - 4095, 0}},
		{{UINT64_MAX - 4096, 2}, {UINT64_MAX - 8191, 4096}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct region got = region_pages_around(rows[i].in);

		assert_int_equal(got.base, rows[i].out.base);
		assert_int_equal(got.size, rows[i].out.size);
	}
}

/* Pages of 4 KiB around a middle, every edge once. */
static void pages_inside_are_those_that_a_range_holds_whole(void **state)
{
	static const struct {
		struct region range, pages;
	} rows[] = {
		{{0x1000, 0x1000}, {0x1000, 0x1000}},
		{{0xfff, 0x1001}, {0x1000, 0x1000}},
		{{0x1000, 0x1fff}, {0x1000, 0x1000}},
		{{0x1001, 0x1fff}, {0x2000, 0x1000}},
		{{0x1001, 0x1ffe}, {0, 0}},
		{{0x1001, 0x10}, {0, 0}},
		{{0x1000, 0}, {0, 0}},
		{{0, UINT64_MAX}, {0, UINT64_MAX - 0xfff}},
		{{UINT64_MAX - 0xffe, 0xffe}, {0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct region pages = region_pages_inside(rows[i].range);

		assert_int_equal(pages.size, rows[i].pages.size);
		if (pages.size)
			assert_int_equal(pages.base, rows[i].pages.base);
	}
}

static void an_intersection_is_what_both_have(void **state)
{
	(void)state;
	for (unsigned all = 0; all < 10 * 10 * 10 * 10; all++) {
		const struct region a = {all % 10, all / 10 % 10}, b = {all / 100 % 10, all / 1000};
		const struct region both = region_intersection(a, b);

		for (uint64_t at = 0; at < 20; at++)
			assert_int_equal(at - both.base < both.size,
					 at - a.base < a.size && at - b.base < b.size);
	}
	assert_int_equal(region_intersection((struct region){0, UINT64_MAX}, (struct region){5, 7}).base, 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_agree_with_a_bitmap),
		cmocka_unit_test(a_full_set_refuses_one_more_piece_and_is_unchanged),
		cmocka_unit_test(a_full_set_takes_what_merges),
		cmocka_unit_test(a_full_set_refuses_a_split_and_is_unchanged),
		cmocka_unit_test(ranges_that_run_past_the_last_address_are_refused),
		cmocka_unit_test(the_whole_address_space_is_one_region),
		cmocka_unit_test(empty_ranges_change_nothing_and_are_everywhere),
		cmocka_unit_test(a_search_without_sense_is_refused),
		cmocka_unit_test(pages_around_are_all_that_a_range_touches),
		cmocka_unit_test(pages_inside_are_those_that_a_range_holds_whole),
		cmocka_unit_test(an_intersection_is_what_both_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
