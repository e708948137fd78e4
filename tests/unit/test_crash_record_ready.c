// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing the crash record in two halves: what was made ready is what crash_record_write() would have
 * written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/crash_record_oracle.h"

static void it_writes_what_a_plain_write_would(void **state)
{
	uint8_t *memory = *state, *plain = aligned_alloc(4096, MEMORY);
	struct crash_record_ready ready;
	struct crash_record record;
	uint64_t seed = 1;

	for (int writes = 1; writes < 5; writes++) {
		random_record(&seed, &record);
		assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
		random_record(&seed, &record);
		assert_int_equal(crash_record_make_ready(memory, &record, &ready), LB_OK);
		assert_true(same_record(crash_record_of_ready(&ready), &record));
		memcpy(plain, memory, MEMORY);
		assert_int_equal(crash_record_write(plain, &record, NULL, NULL), LB_OK);
		crash_record_write_ready(memory, &ready, NULL, NULL);
		assert_memory_equal(memory, plain, MEMORY);
	}
	free(plain);
}

/* Userspace disarmed it, or a boot was counted: the newest record is another one by then. */
static void it_follows_a_record_that_was_written_since(void **state)
{
	uint8_t *memory = *state;
	struct crash_record_ready ready;
	struct crash_record record, other;
	uint64_t seed = 2;

	for (int since = 1; since < 4; since++) {
		random_record(&seed, &record);
		assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
		assert_int_equal(crash_record_make_ready(memory, &record, &ready), LB_OK);
		for (int i = 0; i < since; i++) {
			random_record(&seed, &other);
			assert_int_equal(crash_record_write(memory, &other, NULL, NULL), LB_OK);
		}
		crash_record_write_ready(memory, &ready, NULL, NULL);
		assert_true(reads_as(memory, &record));
	}
}

/* So is a crash kernel that it does not know of: that one has to be started in another way. */
static void what_userspace_loaded_since_is_seen(void **state)
{
	uint8_t *memory = *state;
	struct crash_record_ready ready;
	struct crash_record record;
	uint64_t seed = 5;

	for (int has_one = 0; has_one < 2; has_one++) {
		memset(memory, 0, MEMORY);
		do
			random_record(&seed, &record);
		while (!record.kept.size);
		assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
		assert_int_equal(crash_record_make_ready(memory, &record, &ready), LB_OK);
		assert_false(crash_record_was_loaded_since(memory, &ready));
		if (!has_one)
			record.kept = (struct crash_piece){.size = 0};
		assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
		assert_int_equal(crash_record_was_loaded_since(memory, &ready), has_one);
		memory[0x18] ^= 1; /* the other slot holds it, too */
		memory[SLOT_AT + 0x18] ^= 1;
		assert_false(crash_record_was_loaded_since(memory, &ready));
	}
}

/* Also when what it was to follow is damaged, in its head, which is looked at, or elsewhere, which is not. */
static void damage_does_not_keep_it_from_being_the_newest(void **state)
{
	uint8_t *memory = *state, *before = aligned_alloc(4096, MEMORY);
	struct crash_record_ready ready;
	struct crash_record record;
	uint64_t seed = 3;

	random_record(&seed, &record);
	assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
	assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
	random_record(&seed, &record);
	assert_int_equal(crash_record_make_ready(memory, &record, &ready), LB_OK);
	memcpy(before, memory, MEMORY);
	for (size_t byte = 0; byte < SLOT_BYTES; byte++) {
		memcpy(memory, before, MEMORY);
		memory[byte] ^= 0x10;
		memory[SLOT_AT + byte] ^= 0x10;
		crash_record_write_ready(memory, &ready, NULL, NULL);
		assert_true(reads_as(memory, &record));
	}
	free(before);
}

static void what_is_not_sound_is_not_made_ready(void **state)
{
	uint8_t *memory = *state;
	struct crash_record_ready ready;
	struct crash_record record;
	uint64_t seed = 4;

	random_record(&seed, &record);
	assert_int_equal(crash_record_make_ready(memory, &record, &ready), LB_ENOENT);
	assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
	record.state = 5;
	assert_int_equal(crash_record_make_ready(memory, &record, &ready), LB_EINVAL);
}

#define WITH_MEMORY(name) cmocka_unit_test_setup_teardown(name, make_memory, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MEMORY(it_writes_what_a_plain_write_would),
		WITH_MEMORY(it_follows_a_record_that_was_written_since),
		WITH_MEMORY(what_userspace_loaded_since_is_seen),
		WITH_MEMORY(damage_does_not_keep_it_from_being_the_newest),
		WITH_MEMORY(what_is_not_sound_is_not_made_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
