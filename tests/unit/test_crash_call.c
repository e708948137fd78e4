// SPDX-License-Identifier: BSD-2-Clause
/* The call area: its layout byte by byte, who refuses what, the caller's tables, and notes. */
#include "tests/unit/mmu.h"

#include <stdio.h>

#include "kexec/crash/area.h"
#include "kexec/crash/elfcorehdr.h"

#define AREA_PA	   UINT64_C(0x8fd53000)
#define PAGE_PA	   (AREA_PA + 0x1000)
#define ENTRY	   UINT64_C(0x8fa01234)
#define WORDS	   0xe8
#define AREA_BYTES 0x23000
#define SLOT_0	   0x13000

static struct crash_call_regs regs;

static void fill_regs(void)
{
	for (size_t i = 0; i < 32; i++)
		((uint64_t *)&regs)[i] = 0x1111 * (i + 1);
}

/* An area with harts 7, 0 and 2^40, over old garbage. */
static int make_area(void **state)
{
	const struct crash_call_facts facts = {AREA_PA, ENTRY, WORDS, 64, 0};
	struct crash_call *area = aligned_alloc(4096, AREA_BYTES);

	memset(area, 0xa5, AREA_BYTES);
	crash_call_init(area, &facts);
	assert_true(crash_call_add_hart(area, 7));
	assert_true(crash_call_add_hart(area, 0));
	assert_true(crash_call_add_hart(area, UINT64_C(1) << 40));
	fill_regs();
	*state = area;
	return 0;
}

static int free_area(void **state)
{
	free(*state);
	return 0;
}

static uint64_t number(const void *area, size_t at, unsigned bytes)
{
	const uint8_t *byte = (const uint8_t *)area + at;
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | byte[bytes];
	return value;
}

/* Numbers, not the header's names: docs/abi.md promises them. */
static void the_layout_is_the_documented_one(void **state)
{
	static const struct {
		size_t at;
		unsigned bytes;
		uint64_t value;
	} fields[] = {
		{0x08, 4, 1},	      {0x0c, 4, AREA_BYTES}, {0x10, 8, AREA_PA}, {0x18, 8, ENTRY},
		{0x20, 4, 0x1000},    {0x24, 4, WORDS},	     {0x28, 4, 0x2000},	 {0x2c, 4, 17},
		{0x30, 4, SLOT_0},    {0x34, 4, 3},	     {0x38, 4, 64},	 {0x3c, 4, 0},
		{0x80, 8, 0},	      {0xa0, 8, 0},	     {0x100, 8, 7},	 {0x108, 8, 0},
		{0x110, 8, 1L << 40}, {0x118, 8, -1},	     {0x500, 8, -1},
	};
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	assert_memory_equal(*state, "LBccall1", 8);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(number(*state, fields[i].at, fields[i].bytes), fields[i].value);
	for (size_t at = 0; at < 0x78; at += 8)
		sum = (sum ^ number(*state, at, 8)) * UINT64_C(0x100000001b3);
	assert_int_equal(number(*state, 0x78, 8), sum);
	for (size_t at = 0x508; at < AREA_BYTES; at += 8)
		assert_int_equal(number(*state, at, 8), 0);
}

static void any_flipped_bit_of_the_header_is_refused(void **state)
{
	struct crash_call *area = *state;
	uint8_t *byte = *state;

	assert_int_equal(crash_call_check(area, AREA_BYTES), LB_OK);
	for (size_t bit = 0; bit < 0x80 * 8; bit++) {
		byte[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(crash_call_check(area, AREA_BYTES), LB_OK);
		assert_int_not_equal(crash_call_prepare(area, AREA_BYTES, PAGE_PA, 0), LB_OK);
		byte[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(crash_call_check(area, AREA_BYTES), LB_OK);
}

static void seal(struct crash_call *area)
{
	area->sum = crash_call_sum(area, 15);
}

/* With a good checksum, too: somebody else's area, or a later version's. */
static void parts_that_cannot_be_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
	} wrong[] = {
		{0x0c, AREA_BYTES + 1},
		{0x0c, 0x1000},
		{0x10, AREA_PA + 8},
		{0x20, 0},
		{0x20, 0x1008},
		{0x20, AREA_BYTES},
		{0x24, 0xff8},
		{0x24, 0xec},
		{0x28, 0},
		{0x28, 0x22000},
		{0x2c, 0xffffffff},
		{0x30, 0xfffff000},
		{0x30, 0x13100},
		{0x34, 129},
		{0x34, 0xffffffff},
	};
	struct crash_call *area = *state;
	const struct crash_call before = *area;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memcpy((uint8_t *)area + wrong[i].at, &wrong[i].value, 4);
		seal(area);
		assert_int_equal(crash_call_check(area, AREA_BYTES), LB_EFORMAT);
		*area = before;
	}
	area->version = 2;
	seal(area);
	assert_int_equal(crash_call_check(area, AREA_BYTES), LB_EUNSUPPORTED);
	*area = before;
	assert_int_equal(crash_call_check(area, AREA_BYTES - 1), LB_EFORMAT);
	area->magic = 0;
	assert_int_equal(crash_call_check(area, AREA_BYTES), LB_ENOENT);
}

static void harts_beyond_the_last_slot_have_none(void **state)
{
	struct crash_call *area = *state;

	for (uint64_t id = 100; area->note_count < 128; id++)
		assert_true(crash_call_add_hart(area, id));
	assert_false(crash_call_add_hart(area, 1000));
	assert_int_equal(crash_call_check(area, AREA_BYTES), LB_OK);
	assert_int_equal(number(area, 0x100 + 8 * 128, 8), UINT64_MAX);
	assert_int_equal(crash_call_save(area, 1000, &regs), LB_ENOENT);
	assert_int_equal(crash_call_save(area, 224, &regs), LB_OK);
	assert_true(crash_call_has_note(area, 127));
}

/* -1 ends the list of harts, so it is nobody's id: in the list it would cut off those behind it. */
static void no_hart_has_the_id_that_ends_the_list(void **state)
{
	struct crash_call *area = *state;

	assert_false(crash_call_add_hart(area, UINT64_MAX));
	assert_int_equal(number(area, 0x34, 4), 3);
	assert_int_equal(crash_call_save(area, UINT64_MAX, &regs), LB_ENOENT);
	for (size_t i = 0; i < 4; i++)
		assert_false(crash_call_has_note(area, i));
}

/*
 * The page as the hart will find it: both words, and tables that map it at two addresses, and nothing else.
 */
static void check_prepared(struct crash_call *area, uint64_t va, unsigned levels)
{
	const uint64_t satp = number(area, 0x1000 + WORDS, 8);
	struct pagetable pt = {
		.levels = levels,
		.pool = (void *)((uint8_t *)area + 0x2000),
		.pool_pa = AREA_PA + 0x2000,
		.pool_pages = 17,
		.used_pages = 17,
	};
	uint64_t pa = 0;

	assert_int_equal(satp, (uint64_t)(levels + 5) << 60 | pt.pool_pa >> 12);
	assert_int_equal(number(area, 0x1000 + WORDS + 8, 8), PAGE_PA);
	assert_true(translate(&pt, satp, va, FETCH, &pa));
	assert_int_equal(pa, PAGE_PA);
	assert_true(translate(&pt, satp, PAGE_PA + 0x44, FETCH, &pa));
	assert_int_equal(pa, PAGE_PA + 0x44);
	assert_false(translate(&pt, satp, va, STORE, &pa));
	assert_false(translate(&pt, satp, PAGE_PA + 0x1000, FETCH, &pa) && va != PAGE_PA + 0x1000);
	assert_int_equal(number(area, 0x80, 8), (uintptr_t)area);
	assert_int_equal(number(area, 0x88, 8), va);
	assert_int_equal(number(area, 0x90, 8), (uintptr_t)area + SLOT_0);
	assert_int_equal(number(area, 0x98, 8), crash_call_sum(area, 19));
}

static void a_caller_is_prepared_wherever_its_page_is(void **state)
{
	for (unsigned levels = 3; levels <= 5; levels++) {
		const uint64_t high = -(UINT64_C(1) << (12 + 9 * levels - 1));

		for (unsigned level = 0; level < levels; level++) {
			const uint64_t va = level == levels - 1 ? PAGE_PA | high
								: PAGE_PA ^ UINT64_C(1) << (12 + 9 * level);

			assert_int_equal(crash_call_prepare(*state, AREA_BYTES, va, levels), LB_OK);
			check_prepared(*state, va, levels);
		}
		assert_int_equal(crash_call_prepare(*state, AREA_BYTES, PAGE_PA, levels), LB_OK);
		check_prepared(*state, PAGE_PA, levels);
	}
	assert_int_equal(crash_call_prepare(*state, AREA_BYTES, PAGE_PA, 0), LB_OK);
	assert_int_equal(number(*state, 0x1000 + WORDS, 8), 0);
}

static void a_caller_that_cannot_be_is_not_prepared(void **state)
{
	struct crash_call *area = *state;

	assert_int_equal(crash_call_prepare(area, AREA_BYTES, PAGE_PA, 0), LB_OK);
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, PAGE_PA + 4096, 0), LB_EINVAL);
	assert_int_equal(number(area, 0x80, 8), 0); /* nor as it was before */
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, PAGE_PA, 2), LB_EINVAL);
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, PAGE_PA, 6), LB_EINVAL);
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, PAGE_PA + 8, 3), LB_EINVAL);
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, UINT64_C(1) << 40, 3), LB_ERANGE);
	area->pa = UINT64_C(1) << 38; /* no identity mapping in Sv39, but in Sv48 */
	seal(area);
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, 0x1000, 3), LB_ERANGE);
	assert_int_equal(crash_call_prepare(area, AREA_BYTES, 0x1000, 4), LB_OK);
}

static void a_note_is_whole_and_where_linux_looks(void **state)
{
	struct crash_call *area = *state;
	const uint8_t *note = (const uint8_t *)area + SLOT_0 + 512 + 4;

	assert_false(crash_call_has_note(area, 1));
	assert_int_equal(crash_call_save(area, 0, &regs), LB_OK);
	assert_true(crash_call_has_note(area, 1));
	assert_false(crash_call_has_note(area, 0));
	assert_int_equal(crash_call_note_offset(area, 1), SLOT_0 + 512 + 4);
	assert_memory_equal(note, "\5\0\0\0\x78\1\0\0\1\0\0\0CORE\0\0\0", 20);
	assert_memory_equal(note + 20 + 112, &regs, 256);
	assert_int_equal(number(note, 20 + 32, 4), 0);
	assert_true(elfcorehdr_notes_end(note, 408));
	assert_int_equal(crash_call_save(area, UINT64_C(1) << 40, &regs), LB_OK);
	assert_int_equal(crash_call_save(area, 8, &regs), LB_ENOENT);
}

/* Whatever its head says: a note that is not exactly the one we write does not count. */
static void a_note_that_is_not_whole_does_not_count(void **state)
{
	struct crash_call *area = *state;
	uint8_t *slot = (uint8_t *)area + SLOT_0;

	assert_int_equal(crash_call_save(area, 7, &regs), LB_OK);
	for (size_t byte = 4; byte < 16 + 5; byte++) {
		slot[byte] ^= 0x80;
		assert_false(crash_call_has_note(area, 0));
		slot[byte] ^= 0x80;
	}
	slot[400] = 1; /* its end */
	assert_false(crash_call_has_note(area, 0));
	slot[400] = 0;
	assert_true(crash_call_has_note(area, 0));
}

#define WITH_AREA(name) cmocka_unit_test_setup_teardown(name, make_area, free_area)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_AREA(the_layout_is_the_documented_one),
		WITH_AREA(any_flipped_bit_of_the_header_is_refused),
		WITH_AREA(parts_that_cannot_be_are_refused),
		WITH_AREA(harts_beyond_the_last_slot_have_none),
		WITH_AREA(no_hart_has_the_id_that_ends_the_list),
		WITH_AREA(a_caller_is_prepared_wherever_its_page_is),
		WITH_AREA(a_caller_that_cannot_be_is_not_prepared),
		WITH_AREA(a_note_is_whole_and_where_linux_looks),
		WITH_AREA(a_note_that_is_not_whole_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
