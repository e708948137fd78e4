// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash record in retained RAM, with what was not foreseen in it, and all that follows from it: what is
 * accepted is sound in every field, and a record that was read can be written again, counted on, and laid
 * out.
 *
 * The input is a seed for the two records of the slots, and then pokes into them; a slot's checksum is made
 * right again if the input says so.
 */
#include "tests/fuzz/fuzz.h"

#include "base/crc32.h"
#include "kexec/crash/deaths.h"
#include "kexec/crash/region.h"
#include "tests/unit/crash_record_oracle.h"

#define POKES_MAX 32
#define CRC_AT	  0x08 /* these two are the same in every version: docs/abi.md */
#define SIZE_AT	  0x0c

static void poke(uint8_t *memory, struct feed *feed)
{
	uint8_t *slot = memory + (feed_below(feed, 2) ? SLOT_AT : 0);
	const uint32_t at = feed_below(feed, 0x10000) % (sizeof(struct crash_record) + 0x40);

	for (unsigned width = 1 + feed_below(feed, 8), i = 0; i < width; i++)
		slot[at + i] = (uint8_t)feed_number(feed, 1);
}

static void seal_again(uint8_t *slot)
{
	uint32_t size, crc;

	memcpy(&size, slot + SIZE_AT, sizeof(size));
	if (size < SIZE_AT || size > PAGE_SIZE)
		return;
	crc = crc32_update(0, slot + SIZE_AT, size - SIZE_AT);
	memcpy(slot + CRC_AT, &crc, sizeof(crc));
}

/* ---- What must hold of a record that was read ---- */

static void check_pieces(const struct crash_record *record)
{
	const struct region usable = {
		record->region_base,
		record->region_size ? record->region_size - CRASH_PRIVATE_SIZE - record->kept_room : 0};

	for (size_t i = 0; i < CRASH_PIECES; i++) {
		const struct region piece = crash_record_piece(record, i);

		assert_true(!piece.size || region_contains(usable, piece));
	}
	if (record->crash_entry)
		assert_true(region_contains(usable, (struct region){record->crash_entry, 1}));
	if (crash_record_has_kernel(record))
		assert_true(crash_record_piece(record, CRASH_PIECE_IMAGE).size > 0);
}

static void check_layout(const struct crash_record *record)
{
	const struct region all = {record->region_base, record->region_size};
	struct crash_region region;

	if (!all.size) {
		assert_int_equal(record->state, CRASH_EMPTY);
		return;
	}
	assert_true(crash_region_is_sound(all));
	region = crash_region_layout(all, record->kept_room);
	{
		const struct region parts[] = {region.usable,	region.stage,	   region.call,
					       region.dead_log, region.run_log[0], region.run_log[1],
					       region.record,	region.kept};

		for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
			assert_true(!parts[i].size || region_contains(all, parts[i]));
			for (size_t j = 0; j < i; j++)
				assert_false(ranges_overlap(parts[i].base, parts[i].size, parts[j].base,
							    parts[j].size));
		}
	}
}

static void check_ranges(const struct crash_record *record)
{
	assert_in_range(record->lost_count, 0, CRASH_LOST_MAX);
	for (size_t i = 0; i < record->lost_count; i++)
		assert_true(record->lost[i].size &&
			    range_is_valid(record->lost[i].base, record->lost[i].size));
	assert_true(range_is_valid(record->crash_usable.base, record->crash_usable.size));
	assert_non_null(memchr(record->boot_name, '\0', CRASH_NAME_SIZE));
	assert_string_not_equal(crash_state_name(record->state), "unknown");
}

/* ---- What the stage does with it ---- */

static void count_deaths(struct crash_record *record, struct feed *feed)
{
	const uint64_t bundle = feed_below(feed, 2) ? record->boot_bundle : feed_number(feed, 8);
	const struct boot_start start = {
		.bundle_id = bundle,
		.limit = feed_below(feed, 4),
		.seconds = feed_below(feed, 256),
		.config = feed_below(feed, CRASH_CONFIGS),
		.name = "a name that is longer than there is room for in a record",
	};

	(void)boot_count_death(record, feed_number(feed, 8));
	(void)boot_count_demoted(record, start.bundle_id, start.limit, 1 + feed_below(feed, CRASH_CONFIGS));
	boot_count_start(record, &start);
}

static void check_writing(uint8_t *memory, const struct crash_record *record, bool ready)
{
	static struct crash_record_ready made;

	if (ready) {
		assert_int_equal(crash_record_make_ready(memory, record, &made), LB_OK);
		assert_true(same_record(crash_record_of_ready(&made), record));
		crash_record_write_ready(memory, &made, NULL, NULL);
	} else {
		assert_int_equal(crash_record_write(memory, record, NULL, NULL), LB_OK);
	}
	assert_true(reads_as(memory, record));
}

static void follow(uint8_t *memory, struct crash_record *record, struct feed *feed)
{
	check_layout(record);
	check_pieces(record);
	check_ranges(record);
	record->boots++;
	record->attempts++;
	if (record->region_size)
		record->state = CRASH_CAPTURING;
	count_deaths(record, feed);
	check_writing(memory, record, feed_below(feed, 2));
	crash_record_drop_pieces(record);
	record->crash_entry = 0;
	check_writing(memory, record, feed_below(feed, 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = {data, size};
	uint64_t seed = feed_number(&feed, 2);
	uint32_t shape = feed_below(&feed, 256), pokes = feed_below(&feed, POKES_MAX);
	uint8_t *memory = aligned_alloc(PAGE_SIZE, MEMORY);
	static struct crash_record record;
	struct diag diag = {""};

	memset(memory, 0, MEMORY);
	for (int i = 0; i < 2; i++) {
		random_record(&seed, &record);
		assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
	}
	for (uint32_t i = 0; i < pokes && feed.left; i++)
		poke(memory, &feed);
	for (int i = 0; i < 2; i++) {
		if (shape >> i & 1)
			seal_again(memory + (i ? SLOT_AT : 0));
	}
	(void)crash_record_is_damaged(memory);
	if (crash_record_read(memory, &record, &diag) == LB_OK)
		follow(memory, &record, &feed);
	else
		assert_memory_equal(diag.text, "crash record: ", 14);
	free(memory);
	return 0;
}
