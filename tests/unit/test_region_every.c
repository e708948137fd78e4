// SPDX-License-Identifier: BSD-2-Clause
/* Region sets: every set of a few bytes, with everything that can be done to it, against its bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mm/region.h"

#define BYTES  10
#define ORIGIN (UINT64_MAX - BYTES) /* the last that a region can hold */

/* Bits [base, base + size) of a set. */
static unsigned mask(unsigned base, unsigned size)
{
	return ((1u << size) - 1) << base;
}

static void make(struct region_set *set, unsigned bits)
{
	region_set_clear(set);
	for (unsigned i = 0; i < BYTES; i++) {
		if (bits >> i & 1)
			assert_int_equal(region_set_add(set, ORIGIN + i, 1), LB_OK);
	}
}

/* Sorted, disjoint, never adjacent, never empty; and it holds just these bits. */
static void assert_is(const struct region_set *set, unsigned bits)
{
	unsigned found = 0;
	paddr_t behind = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct region r = set->region[i];

		assert_true(r.size > 0 && r.base > behind);
		behind = region_end(r);
		found |= mask((unsigned)(r.base - ORIGIN), (unsigned)r.size);
	}
	assert_int_equal(found, bits);
	assert_int_equal(region_set_size(set), (unsigned)__builtin_popcount(bits));
}

static void every_range_is_added_subtracted_and_asked_for(void **state)
{
	struct region_set set;

	(void)state;
	for (unsigned bits = 0; bits < 1u << BYTES; bits++) {
		for (unsigned base = 0; base < BYTES; base++) {
			for (unsigned size = 0; base + size <= BYTES; size++) {
				const unsigned range = mask(base, size);

				make(&set, bits);
				assert_int_equal(region_set_contains(&set, ORIGIN + base, size),
						 (bits & range) == range);
				assert_int_equal(region_set_overlaps(&set, ORIGIN + base, size),
						 (bits & range) != 0);
				assert_int_equal(region_set_add(&set, ORIGIN + base, size), LB_OK);
				assert_is(&set, bits | range);
				make(&set, bits);
				assert_int_equal(region_set_subtract(&set, ORIGIN + base, size), LB_OK);
				assert_is(&set, bits & ~range);
			}
		}
	}
}

/* The lowest or highest place, by trying them all; BYTES if there is none. */
static unsigned find(unsigned bits, unsigned size, unsigned align, unsigned low, unsigned high, bool highest)
{
	unsigned found = BYTES;

	for (unsigned at = low; at + size <= high; at++) {
		if ((ORIGIN + at) % align == 0 && (bits & mask(at, size)) == mask(at, size)) {
			found = at;
			if (!highest)
				break;
		}
	}
	return found;
}

static void check_find(const struct region_set *set, unsigned bits, unsigned low, unsigned high)
{
	for (unsigned size = 1; size <= BYTES; size++) {
		for (unsigned align = 1; align <= 4; align *= 2) {
			for (unsigned highest = 0; highest < 2; highest++) {
				const unsigned want = find(bits, size, align, low, high, highest);
				paddr_t base = 0;
				enum lb_err err =
					region_set_find(set, size, align, ORIGIN + low, ORIGIN + high,
							highest ? REGION_HIGHEST : REGION_LOWEST, &base);

				assert_int_equal(err, want == BYTES ? LB_ENOSPC : LB_OK);
				assert_true(err || base == ORIGIN + want);
			}
		}
	}
}

static void every_search_finds_the_place_that_trying_finds(void **state)
{
	struct region_set set;

	(void)state;
	for (unsigned bits = 0; bits < 1u << BYTES; bits++) {
		make(&set, bits);
		for (unsigned low = 0; low <= BYTES; low++) {
			for (unsigned high = low; high <= BYTES; high++)
				check_find(&set, bits, low, high);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_range_is_added_subtracted_and_asked_for),
		cmocka_unit_test(every_search_finds_the_place_that_trying_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
