// SPDX-License-Identifier: BSD-2-Clause
/* What a sound crash record means: its pieces, and whose RAM it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/crash_record_oracle.h"

/* What stands behind the count may be anything, as random_record() has it. */
static void a_piece_counts_only_as_far_as_piece_count_says(void **state)
{
	static struct crash_record record;
	uint64_t seed = 12;

	(void)state;
	for (uint64_t round = 0; round < 200; round++) {
		random_record(&seed, &record);
		for (uint32_t i = 0; i < 6; i++) {
			const struct region piece = crash_record_piece(&record, i);
			const bool counts = i < record.piece_count;

			assert_true(piece.base == (counts ? record.piece[i].pa : 0));
			assert_true(piece.size == (counts ? record.piece[i].size : 0));
		}
		if (record.piece_count < 4) /* header, FDT, initramfs, and no image */
			assert_true(!crash_record_has_kernel(&record));
	}
}

static void a_crash_kernel_has_an_entry_an_fdt_and_an_image(void **state)
{
	static struct crash_record record;
	uint64_t seed = 13;

	(void)state;
	random_record(&seed, &record);
	crash_record_drop_pieces(&record);
	record.crash_entry = record.piece[3].pa = record.region_base;
	record.piece[1].size = record.piece[3].size = 1; /* a core header and an initramfs need not be */
	assert_true(crash_record_has_kernel(&record));
	record.piece_count = 3;
	assert_false(crash_record_has_kernel(&record));
	record.piece_count = 6;
	record.crash_entry = 0;
	assert_false(crash_record_has_kernel(&record));
	record.crash_entry = record.region_base;
	record.piece[1].size = 0;
	assert_false(crash_record_has_kernel(&record));
	record.piece[1].size = 1;
	assert_true(crash_record_has_kernel(&record));
	crash_record_drop_pieces(&record);
	assert_int_equal(record.piece_count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(crash_record_piece(&record, i).size, 0);
	assert_false(crash_record_has_kernel(&record));
}

/* Is what the stage does with such a record inside of what the record is about? In numbers of its own. */
static bool is_harmless(const struct crash_record *r)
{
	const unsigned __int128 base = r->region_base, end = base + r->region_size, own = end - (4 << 20);
	const unsigned __int128 kept = own - r->kept_room, pa = r->kept.pa, size = r->kept.size;
	const uint64_t least = 100 << 20;

	if (!r->region_size)
		return r->state == CRASH_EMPTY && !r->crash_entry && !r->kept_room && !size;
	if (r->region_size < least || r->kept_room > r->region_size - least || end > UINT64_MAX ||
	    (r->region_base | r->region_size | r->kept_room) % (2 << 20))
		return false;
	if (r->crash_entry && (r->crash_entry < base || r->crash_entry >= kept))
		return false;
	if (size ? pa < kept || pa + size > own : pa != 0)
		return false;
	for (uint32_t i = 0; i < r->piece_count; i++) {
		const unsigned __int128 at = r->piece[i].pa, bytes = r->piece[i].size;

		if (bytes ? at < base || at + bytes > kept : at != 0)
			return false;
	}
	return r->piece_count <= 6 && r->lost_count <= 16;
}

/* Every word of a forged record with a good checksum, one and two at a time, as wild as can be. */
static void no_forged_field_leads_out_of_the_region(void **state)
{
	static const uint64_t wild[] = {0,
					1,
					7,
					17,
					0x1000,
					0x200000,
					0x400000,
					0x6400000,
					0x80000000,
					UINT32_MAX,
					UINT64_C(1) << 47,
					-UINT64_C(0x200000),
					UINT64_MAX};
	static struct crash_record record, got;
	const unsigned words = SLOT_BYTES / 8 - 3;
	uint8_t *memory = aligned_alloc(4096, MEMORY);
	uint64_t seed = 14, read = 0;

	(void)state;
	memset(memory, 0, MEMORY);
	for (uint64_t round = 0; round < 40000; round++) {
		if (round % 50 == 0)
			random_record(&seed, &record);
		encode(memory, 1, &record);
		for (uint64_t changes = round % 2 + 1; changes--;) {
			const uint64_t word = 0x18 + 8 * below(&seed, words);
			uint64_t value = wild[below(&seed, ARRAY_SIZE(wild))];

			if (below(&seed, 3) == 0)
				value += record.region_base + record.region_size;
			put(memory + word, value, below(&seed, 4) ? 8 : 4);
		}
		seal(memory, SLOT_BYTES);
		if (crash_record_read(memory, &got, NULL))
			continue;
		read++;
		if (!is_harmless(&got))
			fail_msg("round %llu is taken", (unsigned long long)round);
	}
	assert_true(read > 1000); /* or nothing was tried */
	free(memory);
}

/* docs/abi.md: FNV-1a over base and size of each, little-endian. */
static void the_hash_of_ram_is_as_documented_and_tells_machines_apart(void **state)
{
	static struct region_set ram;
	uint64_t hash = UINT64_C(0xcbf29ce484222325), before;

	(void)state;
	assert_int_equal(crash_hash_ram(&ram), hash);
	assert_int_equal(region_set_add(&ram, 0x80000000, 0x10000000), LB_OK);
	assert_int_equal(region_set_add(&ram, UINT64_C(0x880000000), 0x7654321000), LB_OK);
	for (size_t i = 0; i < 32; i++) {
		const struct region r = ram.region[i / 16];
		const uint64_t number = i % 16 < 8 ? r.base : r.size;

		hash = (hash ^ (number >> i % 8 * 8 & 0xff)) * UINT64_C(0x100000001b3);
	}
	before = crash_hash_ram(&ram);
	assert_int_equal(before, hash);
	assert_int_equal(region_set_add(&ram, UINT64_C(0x4000000000000), 1), LB_OK);
	assert_int_not_equal(crash_hash_ram(&ram), before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_counts_only_as_far_as_piece_count_says),
		cmocka_unit_test(a_crash_kernel_has_an_entry_an_fdt_and_an_image),
		cmocka_unit_test(no_forged_field_leads_out_of_the_region),
		cmocka_unit_test(the_hash_of_ram_is_as_documented_and_tells_machines_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
