// SPDX-License-Identifier: BSD-2-Clause
/* The crash region: its parts tile it, and its place is where the documents say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kexec/crash/region.h"

#define RAM_BASE UINT64_C(0x80000000)
#define NO_LIMIT (UINT64_C(1) << 55)

static struct diag diag;

static void make_free(struct region_set *free, const struct region *banks, size_t count)
{
	region_set_clear(free);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(region_set_add(free, banks[i].base, banks[i].size), LB_OK);
}

/* One bank: where is the region, and how large? */
static struct crash_region place_in(struct region bank, uint64_t ram_size, uint64_t wanted)
{
	struct region_set free;
	struct crash_region region;

	make_free(&free, &bank, 1);
	assert_int_equal(crash_region_place(&free, ram_size, (struct crash_region_wish){wanted, 0}, NO_LIMIT,
					    &region, &diag),
			 LB_OK);
	return region;
}

static void check_at(struct region part, paddr_t base, uint64_t size)
{
	assert_int_equal(part.base, base);
	assert_int_equal(part.size, size);
}

/* Numbers, not the header's names: docs/abi.md promises these offsets from the end. */
static void the_parts_are_where_the_documents_say(void **state)
{
	const uint64_t sizes[] = {UINT64_C(100) << 20, UINT64_C(256) << 20, UINT64_C(1) << 30};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const paddr_t base = 0xb0000000, end = base + sizes[i];
		const uint64_t kept = sizes[i] - (UINT64_C(100) << 20);
		const struct crash_region r = crash_region_layout((struct region){base, sizes[i]}, kept);

		check_at(r.all, base, sizes[i]);
		check_at(r.usable, base, 0x6000000);
		check_at(r.kept, base + 0x6000000, kept);
		check_at(r.stage, end - 0x400000, 0x353000);
		check_at(r.call, end - 0xad000, 0x23000);
		check_at(r.dead_log, end - 0x8a000, 0x80000);
		check_at(r.run_log[1], end - 0xa000, 0x4000);
		check_at(r.run_log[0], end - 0x6000, 0x4000);
		check_at(r.record, end - 0x2000, 0x2000);
	}
}

static void the_parts_tile_the_region(void **state)
{
	const struct crash_region r =
		crash_region_layout((struct region){0x9fe00000, CRASH_REGION_MIN + 6 * MIB}, 6 * MIB);
	const struct region parts[] = {r.usable,   r.kept,	 r.stage,      r.call,
				       r.dead_log, r.run_log[1], r.run_log[0], r.record};
	paddr_t next = r.all.base;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		assert_int_equal(parts[i].base, next);
		assert_int_not_equal(parts[i].size, 0);
		assert_true(is_aligned(parts[i].base, PAGE_SIZE));
		next = region_end(parts[i]);
	}
	assert_int_equal(next, region_end(r.all));
}

static void by_default_it_has_256_mib_or_a_quarter_of_ram_if_that_is_less(void **state)
{
	static const struct {
		uint64_t ram_mib, size_mib;
	} rows[] = {{8192, 256}, {1024, 256}, {1023, 254}, {1000, 250}, {512, 128}, {400, 100}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t ram = rows[i].ram_mib * MIB;
		const struct crash_region r = place_in((struct region){RAM_BASE, ram}, ram, 0);

		assert_int_equal(r.all.size, rows[i].size_mib * MIB);
	}
}

static void a_size_that_is_too_small_is_refused_and_another_is_rounded_up(void **state)
{
	const struct region bank = {RAM_BASE, GIB};
	struct region_set free;
	struct crash_region region = {.all = {1, 2}};

	(void)state;
	make_free(&free, &bank, 1);
	assert_int_equal(crash_region_place(&free, GIB, (struct crash_region_wish){100 * MIB - 1, 0},
					    NO_LIMIT, &region, &diag),
			 LB_ERANGE);
	assert_int_equal(crash_region_place(&free, GIB, (struct crash_region_wish){1, 0}, NO_LIMIT, &region,
					    &diag),
			 LB_ERANGE);
	/* A quarter of this machine is too little. */
	assert_int_equal(crash_region_place(&free, 399 * MIB, (struct crash_region_wish){0, 0}, NO_LIMIT,
					    &region, &diag),
			 LB_ERANGE);
	assert_int_equal(crash_region_place(&free, GIB, (struct crash_region_wish){UINT64_MAX, 0}, NO_LIMIT,
					    &region, &diag),
			 LB_ERANGE);
	assert_non_null(strstr(diag.text, "lifeboat,region-size"));
	check_at(region.all, 1, 2);
	assert_int_equal(place_in(bank, GIB, 100 * MIB).all.size, 100 * MIB);
	assert_int_equal(place_in(bank, GIB, 100 * MIB + 1).all.size, 102 * MIB);
}

/* What is kept is not usable memory, of which a crash kernel needs as much as ever. */
static void what_is_kept_comes_on_top_of_the_least(void **state)
{
	static const struct {
		uint64_t size, kept; /* in KiB */
		enum lb_err err;
	} rows[] = {
		{102400, 0, LB_OK},
		{102400, 1, LB_ERANGE},
		{104448, 1, LB_OK},
		{104448, 2048, LB_OK},
		{104448, 2049, LB_ERANGE},
		{106496, 2049, LB_OK},
		{262144, 262144, LB_ERANGE},
		{262144, 999999, LB_ERANGE},
		{262144, UINT64_MAX / KIB, LB_ERANGE},
	};
	const struct region bank = {RAM_BASE, GIB};
	struct region_set free;

	(void)state;
	make_free(&free, &bank, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct crash_region_wish wish = {rows[i].size * KIB, rows[i].kept * KIB};
		struct crash_region r = {.all = {1, 2}};

		assert_int_equal(crash_region_place(&free, GIB, wish, NO_LIMIT, &r, &diag), rows[i].err);
		if (rows[i].err)
			check_at(r.all, 1, 2);
		else
			assert_int_equal(r.kept.size, align_down(wish.kept + 2 * MIB - 1, 2 * MIB));
	}
}

static void no_room_in_one_piece_is_told_with_what_to_do(void **state)
{
	const struct region banks[] = {{RAM_BASE, 200 * MIB}, {RAM_BASE + 201 * MIB, 200 * MIB}};
	struct region_set free;
	struct crash_region region = {.all = {1, 2}};

	(void)state;
	make_free(&free, banks, ARRAY_SIZE(banks));
	assert_int_equal(crash_region_place(&free, 2 * GIB, (struct crash_region_wish){0, 0}, NO_LIMIT,
					    &region, &diag),
			 LB_ENOSPC);
	assert_non_null(strstr(diag.text, "256 MiB"));
	assert_non_null(strstr(diag.text, "smaller"));
	check_at(region.all, 1, 2);
}

static void it_lies_as_high_as_it_can_on_a_2_mib_boundary(void **state)
{
	(void)state;
	check_at(place_in((struct region){RAM_BASE, GIB}, GIB, 0).all, 0xb0000000, 256 * MIB);
	/* Free RAM ends in the middle of 2 MiB. */
	check_at(place_in((struct region){RAM_BASE, GIB - 0x1000}, GIB, 0).all, 0xafe00000, 256 * MIB);
	check_at(place_in((struct region){RAM_BASE, GIB - 0x200000}, GIB, 0).all, 0xafe00000, 256 * MIB);
}

static void below_4_gib_comes_first_even_if_there_is_more_above(void **state)
{
	(void)state;
	check_at(place_in((struct region){RAM_BASE, 8 * GIB}, 8 * GIB, 0).all, 0xf0000000, 256 * MIB);
}

static void without_room_below_4_gib_it_lies_as_high_as_the_stage_reaches(void **state)
{
	const struct region banks[] = {{RAM_BASE, 128 * MIB}, {UINT64_C(0x100000000), 4 * GIB}};
	struct region_set free;
	struct crash_region region;

	(void)state;
	make_free(&free, banks, ARRAY_SIZE(banks));
	assert_int_equal(crash_region_place(&free, 4 * GIB, (struct crash_region_wish){0, 0}, NO_LIMIT,
					    &region, &diag),
			 LB_OK);
	check_at(region.all, UINT64_C(0x1f0000000), 256 * MIB);
	assert_int_equal(crash_region_place(&free, 4 * GIB, (struct crash_region_wish){0, 0},
					    UINT64_C(0x180000000), &region, &diag),
			 LB_OK);
	check_at(region.all, UINT64_C(0x170000000), 256 * MIB);
	assert_int_equal(crash_region_place(&free, 4 * GIB, (struct crash_region_wish){0, 0},
					    UINT64_C(0x108000000), &region, &diag),
			 LB_ENOSPC);
}

/* As QEMU has it with 2 GiB, 8 GiB, and two banks: OpenSBI below, its FDT in the last 2 MiB below 4 GiB. */
static void beside_firmware_it_is_clear_of_where_that_puts_itself(void **state)
{
	static const struct {
		struct region ram[2], free[2];
		paddr_t base; /* of 256 MiB; 0: no room */
	} rows[] = {
		{{{RAM_BASE, 2 * GIB}}, {{RAM_BASE, 2 * GIB - 2 * MIB}}, 0xec000000},
		{{{RAM_BASE, 8 * GIB}}, {{RAM_BASE, 8 * GIB}}, 0xec000000},
		{{{RAM_BASE, GIB}}, {{RAM_BASE, GIB}}, 0xac000000},
		{{{RAM_BASE, GIB}}, {{RAM_BASE, GIB - 128 * MIB}}, 0xa8000000},
		{{{RAM_BASE, GIB}, {8 * GIB, GIB}}, {{RAM_BASE, 300 * MIB}, {8 * GIB, GIB}}, 0x82c00000},
		{{{RAM_BASE, 300 * MIB}, {8 * GIB, GIB}},
		 {{RAM_BASE, 300 * MIB}, {8 * GIB, GIB}},
		 0x22c000000},
		{{{RAM_BASE, 319 * MIB}}, {{RAM_BASE, 319 * MIB}}, 0},
		{{{RAM_BASE, 320 * MIB}}, {{RAM_BASE, 320 * MIB}}, RAM_BASE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct region_set ram, free;
		struct crash_region region = {.all = {0, 0}};

		make_free(&ram, rows[i].ram, 2);
		make_free(&free, rows[i].free, 2);
		assert_int_equal(crash_region_keep_clear(&free, &ram), LB_OK);
		assert_int_equal(crash_region_place(&free, 2 * GIB,
						    (struct crash_region_wish){.size = 256 * MIB}, NO_LIMIT,
						    &region, &diag),
				 rows[i].base ? LB_OK : LB_ENOSPC);
		assert_int_equal(region.all.base, rows[i].base);
	}
}

static void what_others_say_is_a_crash_region_or_not(void **state)
{
	static const struct {
		struct region all;
		bool sound;
	} rows[] = {
		{{0xb0000000, 100 * MIB}, true},   {{0xb0000000, 98 * MIB}, false},
		{{0xb0000000, 0}, false},	   {{0xb0000000, 256 * MIB + 0x1000}, false},
		{{0xb0001000, 256 * MIB}, false},  {{0, 256 * MIB}, true},
		{{-100 * MIB, 100 * MIB}, false}, /* its end is no address */
		{{-102 * MIB, 100 * MIB}, true},   {{0xb0000000, -2 * MIB}, false},
		{{UINT64_MAX, UINT64_MAX}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(crash_region_is_sound(rows[i].all), rows[i].sound);
	assert_true(crash_region_is_sound(place_in((struct region){RAM_BASE, GIB}, GIB, 0).all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_are_where_the_documents_say),
		cmocka_unit_test(the_parts_tile_the_region),
		cmocka_unit_test(by_default_it_has_256_mib_or_a_quarter_of_ram_if_that_is_less),
		cmocka_unit_test(a_size_that_is_too_small_is_refused_and_another_is_rounded_up),
		cmocka_unit_test(what_is_kept_comes_on_top_of_the_least),
		cmocka_unit_test(no_room_in_one_piece_is_told_with_what_to_do),
		cmocka_unit_test(it_lies_as_high_as_it_can_on_a_2_mib_boundary),
		cmocka_unit_test(below_4_gib_comes_first_even_if_there_is_more_above),
		cmocka_unit_test(without_room_below_4_gib_it_lies_as_high_as_the_stage_reaches),
		cmocka_unit_test(beside_firmware_it_is_clear_of_where_that_puts_itself),
		cmocka_unit_test(what_others_say_is_a_crash_region_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
