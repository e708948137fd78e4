// SPDX-License-Identifier: BSD-2-Clause
/* What of the memory map is lost on a reset: each kind, in the crash region, across its edge, outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kexec/crash/lost.h"

#define REGION_BASE 0x90000000
#define REGION_SIZE 0x10000000

static const struct region region = {REGION_BASE, REGION_SIZE};

/* What firmware writes on the way up. The rest is nobody's to lose, or looked after. */
static const struct {
	enum memmap_kind kind;
	bool lost;
} kinds[] = {
	{MEMMAP_FIRMWARE, false}, {MEMMAP_RESERVED, false}, {MEMMAP_FDT, true},
	{MEMMAP_STAGE, true},	  {MEMMAP_BUNDLE, true},    {MEMMAP_INITRD, true},
	{MEMMAP_CRASH, false},	  {MEMMAP_LOST, true},	    {MEMMAP_LOADABLE, false},
};

static bool is_lost(enum memmap_kind kind, uint64_t base, uint64_t size)
{
	const struct memmap_taken taken = {.range = {base, size}, .kind = kind, .name = "x"};

	return crash_is_lost(&taken, region);
}

static void outside_of_the_crash_region_the_kind_tells(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(kinds[i].kind, i); /* each once */
		assert_int_equal(is_lost(kinds[i].kind, 0x80000000, 0x1000), kinds[i].lost);
		assert_int_equal(is_lost(kinds[i].kind, REGION_BASE - 0x1000, 0x1000), kinds[i].lost);
		assert_int_equal(is_lost(kinds[i].kind, REGION_BASE + REGION_SIZE, 0x1000), kinds[i].lost);
		assert_int_equal(is_lost(kinds[i].kind, UINT64_MAX - 0xfff, 0xfff), kinds[i].lost);
	}
	assert_false(is_lost((enum memmap_kind)ARRAY_SIZE(kinds), 0x80000000, 0x1000));
}

static void what_lies_in_the_crash_region_is_not_lost_but_what_sticks_out_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_false(is_lost(kinds[i].kind, REGION_BASE, REGION_SIZE));
		assert_false(is_lost(kinds[i].kind, REGION_BASE + REGION_SIZE - 1, 1));
		assert_int_equal(is_lost(kinds[i].kind, REGION_BASE - 1, 2), kinds[i].lost);
		assert_int_equal(is_lost(kinds[i].kind, REGION_BASE + REGION_SIZE - 1, 2), kinds[i].lost);
		assert_int_equal(is_lost(kinds[i].kind, 0, UINT64_MAX), kinds[i].lost);
	}
}

static void without_a_crash_region_nothing_lies_in_it(void **state)
{
	const struct memmap_taken taken = {.range = {0, 0x1000}, .kind = MEMMAP_STAGE, .name = "x"};

	(void)state;
	assert_true(crash_is_lost(&taken, (struct region){0, 0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_of_the_crash_region_the_kind_tells),
		cmocka_unit_test(what_lies_in_the_crash_region_is_not_lost_but_what_sticks_out_is),
		cmocka_unit_test(without_a_crash_region_nothing_lies_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
