// SPDX-License-Identifier: BSD-2-Clause
/*
 * Retained memory as somebody else has left it: whatever is in there, what its readers hand on lies where it
 * may. Memory is of just the size that they are promised, so that ASan sees a byte too far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/crash_record_oracle.h"

#include "kexec/crash/area.h"
#include "kexec/crash/retained.h"

#define AREA_PA	   UINT64_C(0x8fd53000)
#define AREA_BYTES 0x23000
#define TEXT_BYTES 4096
#define HASH	   UINT64_C(0x1234567890abcdef)
#define ROUNDS	   20000

static void a_record_counts_on_its_own_machine_and_of_its_own_region(void **state)
{
	struct crash_record record, got;
	struct diag diag;
	bool damaged = true;
	uint64_t seed = 1;

	random_record(&seed, &record);
	record.map_hash = HASH;
	encode(*state, 1, &record);
	assert_int_equal(retained_record(*state, HASH, &got, &damaged, &diag), LB_OK);
	assert_true(same_record(&got, &record));
	assert_false(damaged);
	assert_int_equal(retained_record(*state, HASH + 1, &got, &damaged, &diag), LB_ECONFLICT);
	memset((uint8_t *)*state + SLOT_AT, 0xa5, SLOT_AT);
	memcpy((uint8_t *)*state + SLOT_AT, magic_bytes, sizeof(magic_bytes));
	assert_int_equal(retained_record(*state, HASH, &got, &damaged, &diag), LB_OK);
	assert_true(damaged);
	for (int i = 0; i < 8; i++) {
		const struct region all = {record.region_base + (i & 1), record.region_size + (i & 2)};
		const uint64_t kept = record.kept_room + (i & 4);

		assert_int_equal(retained_is_of(&record, all, kept, &diag), i ? LB_ECONFLICT : LB_OK);
	}
}

/* Where a region is looked for by its end, it must be all in the piece of RAM that ends there or later. */
static void nobody_waits_in_a_region_that_is_elsewhere(void **state)
{
	const uint64_t base = 0x80000000, size = 104 << 20, end = base + size;
	const struct {
		uint32_t state;
		uint64_t base, size, end;
		struct region piece;
		bool waits;
	} rows[] = {
		{CRASH_ARMED, base, size, end, {base, size}, true},
		{CRASH_CAPTURING, base, size, end, {base - 1, size + 2}, true},
		{CRASH_DISARMED, base, size, end, {base, size}, false},
		{CRASH_EMPTY, base, size, end, {base, size}, false},
		{CRASH_DONE, base, size, end, {base, size}, false},
		{CRASH_ARMED, base, size, end + CRASH_REGION_ALIGN, {base, size * 2}, false},
		{CRASH_ARMED, base, size, end, {base + 1, size}, false},
		{CRASH_ARMED, base, size, end, {base, size - 1}, false},
		{CRASH_ARMED, base + 4096, size, end + 4096, {base, size * 2}, false},
		{CRASH_ARMED, -size, size, 0, {-size, size - 1}, false},
		{CRASH_ARMED, base, 2 << 20, base + (2 << 20), {base, size}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct crash_record record = {
			.state = rows[i].state, .region_base = rows[i].base, .region_size = rows[i].size};

		assert_int_equal(retained_waits_at(&record, rows[i].piece, rows[i].end), rows[i].waits);
	}
}

/* A good area with all its notes saved. */
static struct crash_call *make_area(void)
{
	const struct crash_call_facts facts = {AREA_PA, 0x8fa01234, 0xe8, 64, 0};
	struct crash_call *area = aligned_alloc(4096, AREA_BYTES);
	const struct crash_call_regs regs = {.pc = 1};

	crash_call_init(area, &facts);
	for (uint64_t hart = 0; hart < CRASH_CALL_HARTS; hart++) {
		assert_true(crash_call_add_hart(area, hart));
		assert_int_equal(crash_call_save(area, hart, &regs), LB_OK);
	}
	area->made = CRASH_CALL_MADE;
	area->started = 1;
	return area;
}

static void what_a_caller_left_is_found(void **state)
{
	static struct elfcorehdr_request core;
	struct crash_call *area = make_area();
	size_t harts;

	(void)state;
	assert_true(retained_was_called(area, AREA_PA));
	assert_false(retained_was_called(area, AREA_PA + 4096));
	assert_true(retained_has_started(area));
	core.note_count = 0;
	assert_int_equal(retained_add_notes(area, AREA_PA, &core, &harts), CRASH_CALL_HARTS);
	assert_int_equal(harts, CRASH_CALL_HARTS);
	assert_int_equal(core.note_count, CRASH_CALL_HARTS);
	assert_int_equal(retained_add_notes(area, AREA_PA + 4096, &core, &harts), 0);
	assert_int_equal(harts, 0);
	core.note_count = ELFCOREHDR_NOTES_MAX - 2; /* the dead kernel's own has its place */
	assert_int_equal(retained_add_notes(area, AREA_PA, &core, &harts), 1);
	area->made--;
	assert_false(retained_was_called(area, AREA_PA));
	free(area);
}

/* Any word of the header, any value, under a right sum. */
static void no_forged_area_leads_out_of_it(void **state)
{
	static struct elfcorehdr_request core;
	struct crash_call *area = make_area(), *whole = make_area();
	uint64_t seed = 2, found = 0;
	size_t harts;

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		memcpy(area, whole, 0x600);
		for (uint64_t changes = 1 + below(&seed, 3); changes--;) {
			const uint64_t wild[] = {0,
						 0x1000,
						 0x22000,
						 AREA_BYTES,
						 UINT32_MAX,
						 -1,
						 below(&seed, AREA_BYTES / 4096) * 4096,
						 next_random(&seed)};

			put((uint8_t *)area + 4 * below(&seed, 0x78 / 4),
			    wild[below(&seed, ARRAY_SIZE(wild))], below(&seed, 2) ? 4 : 8);
		}
		area->sum = crash_call_sum(area, offsetof(struct crash_call, sum) / 8);
		core.note_count = 0;
		(void)retained_was_called(area, AREA_PA);
		found += retained_add_notes(area, AREA_PA, &core, &harts);
		assert_true(harts <= CRASH_CALL_HARTS && core.note_count <= harts);
		for (size_t i = 0; i < core.note_count; i++)
			assert_true(region_contains((struct region){AREA_PA, AREA_BYTES},
						    (struct region){core.note[i].pa, core.note[i].size}));
	}
	assert_true(found > ROUNDS); /* or nothing was tried */
	free(area);
	free(whole);
}

static void no_forged_text_is_longer_than_its_room(void **state)
{
	const uint64_t magic = UINT64_C(0x316c7478655442ff), room = TEXT_BYTES - 24;
	const uint64_t sizes[] = {1, room - 1, room, room + 1, TEXT_BYTES, UINT64_MAX, -room, 0};
	uint8_t *memory = malloc(TEXT_BYTES);
	uint64_t size;

	(void)state;
	memset(memory, 'x', TEXT_BYTES);
	assert_null(retained_text(memory, TEXT_BYTES, &size));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const bool fits = sizes[i] && sizes[i] <= room;

		put(memory, magic, 8);
		put(memory + 8, sizes[i], 8);
		put(memory + 16, magic ^ sizes[i], 8);
		assert_ptr_equal(retained_text(memory, TEXT_BYTES, &size), fits ? memory + 24 : NULL);
		assert_int_equal(size, fits ? sizes[i] : 0);
		put(memory + 16, magic ^ sizes[i] ^ 1, 8);
		assert_null(retained_text(memory, TEXT_BYTES, &size));
	}
	free(memory);
}

/* The judge reads where a record says that a kernel lay, or a crash kernel ran: only if that is RAM. */
static void no_forged_place_is_read_where_there_is_no_ram(void **state)
{
	const struct region own = {0x9000, 0x1000};
	const struct {
		struct region place;
		bool is_there, has_kernel;
	} rows[] = {
		{{0x4000, 0x1000}, true, true},	     {{0x2000, 0x6000}, true, true},
		{{0x2000, 0x6001}, false, true},     {{0x1fff, 0x1000}, false, false},
		{{0x7000, 0x1000}, true, true},	     {{0x7001, 0x800}, true, false},
		{{0x8000, 0x1000}, false, false},    {{0, UINT64_MAX}, false, false},
		{{UINT64_MAX, 2}, false, false},     {{0x4000, 0}, false, false},
		{{0x4000, UINT64_MAX}, false, true},
	};
	struct region_set ram;

	(void)state;
	region_set_clear(&ram);
	assert_int_equal(region_set_add(&ram, 0x2000, 0x6000), LB_OK);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct region place = rows[i].place, wanted = rows[i].is_there ? place : own;
		const struct crash_record record = {
			.crash_usable = place, .kernel_pa = place.base, .kernel_size = place.size};
		const struct region got = retained_last_usable(&record, &ram, own);

		assert_true(got.base == wanted.base && got.size == wanted.size);
		assert_int_equal(retained_has_kernel(&record, &ram), rows[i].has_kernel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_record_counts_on_its_own_machine_and_of_its_own_region,
						make_memory, free_memory),
		cmocka_unit_test(nobody_waits_in_a_region_that_is_elsewhere),
		cmocka_unit_test(no_forged_place_is_read_where_there_is_no_ram),
		cmocka_unit_test(what_a_caller_left_is_found),
		cmocka_unit_test(no_forged_area_leads_out_of_it),
		cmocka_unit_test(no_forged_text_is_longer_than_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
