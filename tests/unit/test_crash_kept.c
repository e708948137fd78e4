// SPDX-License-Identifier: BSD-2-Clause
/*
 * A crash kernel that userspace loads: whenever power goes, what the record names is whole. It is the old FIT
 * or the new one, or, where both have no room, none.
 *
 * The model of a reset: the stores since the last write-back reached RAM in part, in any order; those before
 * it all did. So at every write-back, RAM is looked at with any part of what was stored since the one before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "kexec/crash/kept.h"
#include "tests/unit/crash_record_oracle.h"

#define ROOM	(256 * KIB) /* the tests' part of a room of 2 MiB */
#define BASE	UINT64_C(0xb0000000)
#define ROOM_PA (BASE + 100 * MIB - CRASH_PRIVATE_SIZE)

/* What the hart sees, and what is in RAM: the record, then the room. */
struct memory {
	_Alignas(4096) uint8_t record[MEMORY];
	uint8_t room[ROOM];
};

/* One scene at a time. */
static struct scene {
	struct memory cache, ram, torn;
	uint8_t fit[2][ROOM];
	uint64_t size[2]; /* old, new; 0: none */
	bool both_fit;
	unsigned settled, seen[3]; /* how often a reset left: none, the old, the new */
	uint64_t seed;
} scene;

static struct crash_kept kept_of(crash_write_back *write_back)
{
	return (struct crash_kept){
		.memory = scene.cache.record,
		.room = scene.cache.room,
		.where = {ROOM_PA, ROOM},
		.write_back = write_back,
		.context = &scene,
	};
}

/* Which FIT does a stage find here? 0: none; 1, 2: the old, the new, whole. Anything else fails. */
static unsigned find(const struct memory *memory)
{
	struct crash_record record;
	uint64_t at;

	assert_int_equal(crash_record_read(memory->record, &record, NULL), LB_OK);
	assert_int_equal(record.state, CRASH_ARMED);
	if (!record.kept.size)
		return 0;
	at = record.kept.pa - ROOM_PA;
	assert_true(at % PAGE_SIZE == 0 && at + record.kept.size <= ROOM);
	assert_int_equal(record.kept.sum, checksum(memory->room + at, record.kept.size));
	for (unsigned i = 0; i < 2; i++) {
		if (record.kept.size == scene.size[i] &&
		    memcmp(memory->room + at, scene.fit[i], scene.size[i]) == 0)
			return i + 1;
	}
	fail_msg("seed 0x%llx: half a FIT has a good checksum", (unsigned long long)scene.seed);
	return 0;
}

/* Some of what was stored since the last write-back is in RAM: blocks of a cache, in no order. */
static void tear(void)
{
	const uint8_t *from = (const uint8_t *)&scene.cache;
	uint8_t *to = (uint8_t *)&scene.torn;
	const uint64_t chance = below(&scene.seed, 9);
	unsigned found;

	scene.torn = scene.ram;
	for (size_t at = 0; at < sizeof(struct memory); at += 64) {
		if (below(&scene.seed, 8) < chance)
			memcpy(to + at, from + at, 64);
	}
	found = find(&scene.torn);
	scene.seen[found]++;
	if (scene.both_fit)
		assert_true(found || !scene.size[0]);
}

static void write_back(void *context, const void *start, size_t size)
{
	const size_t at = (size_t)((const uint8_t *)start - (const uint8_t *)&scene.cache);

	assert_ptr_equal(context, &scene);
	assert_true(size && at + size <= sizeof(struct memory));
	for (int i = 0; i < 4; i++)
		tear();
	memcpy((uint8_t *)&scene.ram + at, start, size);
	scene.settled++;
}

static void begin(uint64_t seed, uint64_t old, uint64_t new)
{
	struct crash_record record = {
		.state = CRASH_ARMED,
		.region_base = BASE,
		.region_size = 102 * MIB,
		.kept_room = 2 * MIB,
	};
	const struct crash_kept kept = kept_of(NULL);

	memset(&scene, 0, sizeof(scene));
	scene.seed = seed;
	scene.size[0] = old;
	scene.size[1] = new;
	for (unsigned i = 0; i < 2; i++)
		fill_random(&scene.seed, scene.fit[i], scene.size[i]);
	for (int i = 0; i < 2; i++)
		assert_int_equal(crash_record_write(scene.cache.record, &record, NULL, NULL), LB_OK);
	if (old)
		assert_int_equal(crash_kept_put(&kept, &record, scene.fit[0], old), LB_OK);
	scene.both_fit = new <= align_down(ROOM - old, PAGE_SIZE);
	scene.ram = scene.cache;
}

static struct crash_record record_now(void)
{
	struct crash_record record;

	assert_int_equal(crash_record_read(scene.cache.record, &record, NULL), LB_OK);
	return record;
}

static const struct {
	uint64_t old, new;
} rows[] = {
	{0, 1},
	{0, ROOM},
	{24 * KIB, 24 * KIB},
	{24 * KIB + 1, ROOM - 28 * KIB},
	{24 * KIB + 1, ROOM - 28 * KIB + 1},
	{ROOM, ROOM},
	{ROOM, 1},
	{1, ROOM},
	{48 * KIB + 7, 48 * KIB + 7},
};

static void a_reset_while_loading_leaves_the_old_fit_the_new_one_or_none(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 20 * ARRAY_SIZE(rows); round++) {
		const size_t row = round % ARRAY_SIZE(rows);
		const struct crash_kept kept = kept_of(write_back);
		struct crash_record record;

		begin(round, rows[row].old, rows[row].new);
		record = record_now();
		assert_int_equal(crash_kept_put(&kept, &record, scene.fit[1], scene.size[1]), LB_OK);
		assert_int_equal(find(&scene.cache), 2);
		assert_int_equal(find(&scene.ram), 2);
		assert_memory_equal(&record, &(struct crash_record[]){record_now()}[0], sizeof(record));
		assert_true(scene.seen[2] > 0);
		assert_true(!rows[row].old || scene.seen[1] > 0);
		if (scene.both_fit && rows[row].old)
			assert_int_equal(scene.seen[0], 0);
	}
}

static void a_reset_while_unloading_leaves_it_or_none(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 50; round++) {
		const struct crash_kept kept = kept_of(write_back);
		struct crash_record record;

		begin(round, 24 * KIB, 0);
		scene.both_fit = false;
		record = record_now();
		assert_int_equal(crash_kept_drop(&kept, &record), LB_OK);
		assert_int_equal(find(&scene.ram), 0);
		assert_true(scene.seen[0] > 0 && scene.seen[1] > 0);
		scene.ram.record[0x18] ^= 1; /* nor does a damaged slot bring it back */
		assert_int_equal(find(&scene.ram), 0);
		scene.ram.record[0x18] ^= 1;
		scene.ram.record[SLOT_AT + 0x18] ^= 1;
		assert_int_equal(find(&scene.ram), 0);
	}
}

static void loading_again_and_again_goes_from_end_to_end_of_the_room(void **state)
{
	const struct crash_kept kept = kept_of(NULL);
	struct crash_record record;

	(void)state;
	begin(1, 0, 24 * KIB + 1);
	record = record_now();
	for (int i = 0; i < 6; i++) {
		assert_int_equal(crash_kept_put(&kept, &record, scene.fit[1], scene.size[1]), LB_OK);
		assert_int_equal(record.kept.pa, ROOM_PA + (i % 2 ? ROOM - 28 * KIB : 0));
		assert_int_equal(find(&scene.cache), 2);
	}
}

static void what_does_not_fit_changes_nothing(void **state)
{
	const struct crash_kept kept = kept_of(write_back);
	struct crash_record record, before;

	(void)state;
	begin(2, ROOM, 0);
	record = before = record_now();
	assert_int_equal(crash_kept_put(&kept, &record, scene.fit[1], ROOM + 1), LB_ENOSPC);
	assert_int_equal(crash_kept_put(&kept, &record, scene.fit[1], UINT64_MAX), LB_ENOSPC);
	assert_int_equal(crash_kept_put(&kept, &record, scene.fit[1], 0), LB_ENOSPC);
	assert_memory_equal(&record, &before, sizeof(record));
	assert_int_equal(scene.settled, 0);
	record.state = 5;
	assert_int_equal(crash_kept_put(&kept, &record, scene.fit[1], 1), LB_EINVAL);
	assert_int_equal(find(&scene.cache), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_while_loading_leaves_the_old_fit_the_new_one_or_none),
		cmocka_unit_test(a_reset_while_unloading_leaves_it_or_none),
		cmocka_unit_test(loading_again_and_again_goes_from_end_to_end_of_the_room),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
