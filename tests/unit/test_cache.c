// SPDX-License-Identifier: BSD-2-Clause
/* Every cache block that a range touches is cleaned once, in order, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/cache.h"

#define SEEN_MAX 64

static uintptr_t seen[SEEN_MAX];
static size_t seen_count;

static void note(uintptr_t address)
{
	assert_true(seen_count < SEEN_MAX);
	seen[seen_count++] = address;
}

/* Brute force: which blocks hold a byte of the range? */
static void check(uintptr_t start, size_t size, size_t block)
{
	size_t wanted = 0;

	seen_count = 0;
	cache_clean_range(start, size, block, note);
	for (size_t i = 0; i < size; i++) {
		uintptr_t at = (start + i) / block * block;

		if (wanted && seen[wanted - 1] == at)
			continue;
		assert_true(wanted < seen_count);
		assert_int_equal(seen[wanted++], at);
	}
	assert_int_equal(seen_count, wanted);
}

static void each_touched_block_is_cleaned_once(void **state)
{
	(void)state;
	for (size_t block = 16; block <= 128; block *= 2) {
		for (uintptr_t start = 0x1000 - 3; start < 0x1000 + 130; start++) {
			for (size_t size = 0; size < 300; size += 7)
				check(start, size, block);
		}
	}
}

static void the_last_block_of_the_address_space_ends_the_loop(void **state)
{
	(void)state;
	check(UINTPTR_MAX - 99, 100, 64);
	check(UINTPTR_MAX, 1, 64);
}

static void a_block_size_that_is_none_cleans_nothing(void **state)
{
	(void)state;
	seen_count = 0;
	cache_clean_range(0x1000, 100, 0, note);
	cache_clean_range(0x1000, 100, 48, note);
	assert_int_equal(seen_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_touched_block_is_cleaned_once),
		cmocka_unit_test(the_last_block_of_the_address_space_ends_the_loop),
		cmocka_unit_test(a_block_size_that_is_none_cleans_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
