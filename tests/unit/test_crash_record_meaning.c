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
		cmocka_unit_test(the_hash_of_ram_is_as_documented_and_tells_machines_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
