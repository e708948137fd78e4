// SPDX-License-Identifier: BSD-2-Clause
/* Lost memory: which entries of the memory map it is, and the map without it. A bitmap of pages judges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kexec/crash/lost.h"

#define BASE  UINT64_C(0x80000000)
#define PAGES 4096
#define KINDS (MEMMAP_LOADABLE + 1)

static const struct region crash_region = {BASE + 0x800000, 0x400000};

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Firmware writes these again; the others keep what they have, or nobody owned it. */
static bool is_written_again(enum memmap_kind kind)
{
	return kind == MEMMAP_FDT || kind == MEMMAP_STAGE || kind == MEMMAP_BUNDLE || kind == MEMMAP_INITRD ||
	       kind == MEMMAP_LOST;
}

static void each_kind_is_lost_or_not_and_nothing_in_the_region_is(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS + 2; kind++) {
		const struct memmap_taken outside = {{BASE, 0x1000}, (enum memmap_kind)kind, "outside"};
		const struct memmap_taken inside = {
			{crash_region.base, 0x1000}, (enum memmap_kind)kind, "in"};

		assert_int_equal(crash_is_lost(&outside, crash_region),
				 kind < KINDS && is_written_again((enum memmap_kind)kind));
		assert_false(crash_is_lost(&inside, crash_region));
	}
}

/* Of entries that lie on each other and start anywhere, no two at one address. */
static void what_is_lost_is_free_without_it_but_for_what_others_hold(void **state)
{
	static struct memmap map;
	static uint8_t held[PAGES];
	uint64_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		memset(held, 0, sizeof(held));
		memmap_init(&map);
		assert_int_equal(memmap_add_ram(&map, BASE, PAGES * PAGE_SIZE), LB_OK);
		for (uint64_t i = next_random(&seed) % 40; i--;) {
			const enum memmap_kind kind = (enum memmap_kind)(next_random(&seed) % KINDS);
			const uint64_t at = next_random(&seed) % 64 * 0x3f800 + i * 64,
				       size = next_random(&seed) % 0x60000 + 1;
			const bool stays =
				!is_written_again(kind) || (BASE + at >= crash_region.base &&
							    BASE + at + size <= region_end(crash_region));

			assert_int_equal(memmap_take(&map, BASE + at, size, kind, "test"), LB_OK);
			for (uint64_t p = at / PAGE_SIZE;
			     stays && p <= (at + size - 1) / PAGE_SIZE && p < PAGES; p++)
				held[p] = 1;
		}
		assert_int_equal(crash_release_lost(&map, crash_region), LB_OK);
		for (uint64_t p = 0; p < PAGES; p++)
			if (region_set_contains(&map.free, BASE + p * PAGE_SIZE, PAGE_SIZE) == held[p])
				fail_msg("round %u: page %llu", round, (unsigned long long)p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_lost_or_not_and_nothing_in_the_region_is),
		cmocka_unit_test(what_is_lost_is_free_without_it_but_for_what_others_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
