// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash record's two slots: layout, which one counts, and what is refused. Resets:
 * test_crash_record_tear.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/crash_record_oracle.h"

#define CHECK(seed, condition)                                                               \
	do {                                                                                 \
		if (!(condition))                                                            \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(seed), #condition); \
	} while (0)

/* Reading must fail this way, say why, and leave @record alone. */
static bool refused(const uint8_t *memory, enum lb_err want, const char *why)
{
	static struct crash_record got, before;
	struct diag diag = {""};

	memset(&got, 0x5a, sizeof(got));
	before = got;
	return crash_record_read(memory, &got, &diag) == want && same_record(&got, &before) &&
	       strstr(diag.text, why) != NULL;
}

/* Two records in two slots, the newer in @newer. */
struct pair {
	struct crash_record old, new;
	unsigned newer;
};

static void make_pair(uint64_t *seed, uint8_t *memory, struct pair *p)
{
	uint32_t generation = (uint32_t)next_random(seed);

	random_record(seed, &p->old);
	random_record(seed, &p->new);
	p->newer = (unsigned)below(seed, 2);
	fill_random(seed, memory, MEMORY);
	encode(memory + SLOT_AT * !p->newer, generation, &p->old);
	encode(memory + SLOT_AT * p->newer, generation + 1, &p->new);
}

static void what_is_written_is_read_back_over_any_garbage(void **state)
{
	uint8_t *memory = *state;

	for (uint64_t round = 0; round < 2000; round++) {
		static struct crash_record record;
		uint64_t seed = round;

		fill_random(&seed, memory, MEMORY);
		if (round % 4 == 1)
			memset(memory, 0, MEMORY);
		if (round % 4 == 2)
			memset(memory, 0xff, MEMORY);
		if (round % 4 == 3)
			memcpy(memory + SLOT_AT * below(&seed, 2), magic_bytes, 8);
		for (int i = 0; i < 5; i++) {
			random_record(&seed, &record);
			CHECK(round, crash_record_write(memory, &record, NULL, NULL) == LB_OK);
			CHECK(round, reads_as(memory, &record));
		}
	}
}

static void slots_are_written_in_turn_with_the_documented_layout(void **state)
{
	uint8_t *memory = *state;
	static uint8_t want[MEMORY];
	uint64_t seed = 1;

	fill_random(&seed, want, MEMORY);
	memcpy(memory, want, MEMORY);
	for (uint32_t generation = 1; generation < 200; generation++) {
		static struct crash_record record;

		random_record(&seed, &record);
		assert_int_equal(crash_record_write(memory, &record, NULL, NULL), LB_OK);
		encode(want + (generation % 2 ? 0 : SLOT_AT), generation, &record);
		assert_memory_equal(memory, want, MEMORY);
	}
}

static void the_checksum_is_the_crc_32_that_everybody_has(void **state)
{
	(void)state;
	/* The check value of CRC-32/ISO-HDLC; what the code computes is compared with divide() above. */
	assert_int_equal(divide((const uint8_t *)"123456789", 9), 0xcbf43926);
}

static void the_newer_slot_counts_where_generations_wrap_too(void **state)
{
	static const uint32_t generations[] = {0,	   1,	       0x7ffffffe, 0x7fffffff,
					       0x80000000, 0xfffffffe, 0xffffffff};
	uint8_t *memory = *state;
	static struct crash_record old, new;
	uint64_t seed = 2;

	for (size_t i = 0; i < ARRAY_SIZE(generations); i++) {
		for (unsigned newer = 0; newer < 2; newer++) {
			random_record(&seed, &old);
			random_record(&seed, &new);
			encode(memory + SLOT_AT * !newer, generations[i], &old);
			encode(memory + SLOT_AT * newer, generations[i] + 1, &new);
			assert_true(reads_as(memory, &new));
			for (uint32_t n = 2; n < 6; n++) { /* each takes the older one's place */
				uint8_t slot[SLOT_BYTES];

				random_record(&seed, &new);
				assert_int_equal(crash_record_write(memory, &new, NULL, NULL), LB_OK);
				assert_true(reads_as(memory, &new));
				encode(slot, generations[i] + n, &new);
				assert_memory_equal(memory + SLOT_AT * (n % 2 ? newer : !newer), slot,
						    SLOT_BYTES);
			}
		}
	}
}

static void equal_and_opposite_generations_are_settled_once_for_all(void **state)
{
	static const uint32_t distances[] = {0, 0x80000000};
	uint8_t *memory = *state;
	uint64_t seed = 3;

	for (unsigned i = 0; i < 100; i++) {
		static struct crash_record a, b, c;
		uint32_t generation = (uint32_t)next_random(&seed);

		random_record(&seed, &a);
		random_record(&seed, &b);
		random_record(&seed, &c);
		encode(memory, generation, &a);
		encode(memory + SLOT_AT, generation + distances[i % 2], &b);
		assert_true(reads_as(memory, &a));
		assert_int_equal(crash_record_write(memory, &c, NULL, NULL), LB_OK);
		assert_true(reads_as(memory, &c));
		encode(memory + SLOT_AT, generation, &b);
		assert_true(reads_as(memory, &a)); /* the write left slot 0 alone */
	}
}

static void memory_without_a_magic_holds_no_record(void **state)
{
	uint8_t *memory = *state;
	uint64_t seed = 4;

	assert_true(refused(memory, LB_ENOENT, "there is none"));
	memset(memory, 0xff, MEMORY);
	assert_true(refused(memory, LB_ENOENT, "there is none"));
	for (unsigned i = 0; i < 1000; i++) {
		fill_random(&seed, memory, MEMORY);
		assert_true(refused(memory, LB_ENOENT, "there is none"));
	}
}

static void garbage_behind_a_magic_is_damaged_whatever_size_it_claims(void **state)
{
	static const uint32_t sizes[] = {
		0,    11,   12,	  13,	     23, 24, SLOT_BYTES - 1, SLOT_BYTES, SLOT_BYTES + 1,
		4095, 4096, 4097, 0xffffffff};
	uint8_t *memory = *state;
	uint64_t seed = 5;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned at = SLOT_AT * (unsigned)below(&seed, 2);

		fill_random(&seed, memory, MEMORY);
		memcpy(memory + at, magic_bytes, 8);
		if (i % 2)
			put(memory + at + 0x0c, sizes[i / 2 % ARRAY_SIZE(sizes)], 4);
		assert_true(refused(memory, LB_EFORMAT, at ? "slot 1 is damaged" : "slot 0 is damaged"));
	}
	for (unsigned size = 12; size < 24; size++) { /* too small for a version and a generation */
		memset(memory, 0, MEMORY);
		memcpy(memory, magic_bytes, 8);
		seal(memory, size);
		assert_true(refused(memory, LB_EFORMAT, "slot 0 is damaged"));
	}
}

static void any_flipped_bit_costs_its_slot_and_never_the_other(void **state)
{
	uint8_t *memory = *state;
	uint64_t seed = 6;

	for (unsigned round = 0; round < 6; round++) {
		static struct pair p;

		make_pair(&seed, memory, &p);
		for (unsigned bit = 0; bit < MEMORY * 8; bit++) {
			unsigned at = bit / 8;
			bool in_newer = at / SLOT_AT == p.newer, used = at % SLOT_AT < SLOT_BYTES;

			memory[at] ^= (uint8_t)(1 << bit % 8);
			if (used || bit % 61 == 0)
				CHECK(bit, reads_as(memory, in_newer && used ? &p.old : &p.new));
			/* A slot without its magic counts as one that a reset cut off: that is no damage. */
			CHECK(bit, crash_record_is_damaged(memory) == (used && at % SLOT_AT >= 8));
			memory[at] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void after_damage_the_next_write_replaces_the_damaged_slot(void **state)
{
	uint8_t *memory = *state;
	static uint8_t before[MEMORY];
	static struct pair p;
	static struct crash_record next;

	for (uint64_t round = 0; round < 4000; round++) {
		uint64_t seed = round + 7000;
		unsigned hurt = (unsigned)below(&seed, 2);

		make_pair(&seed, memory, &p);
		random_record(&seed, &next);
		for (uint64_t flips = 1 + below(&seed, 3), last = SLOT_BYTES; flips; flips--) {
			uint64_t at = below(&seed, SLOT_BYTES);

			if (at != last)
				memory[SLOT_AT * hurt + at] ^= (uint8_t)(1 << below(&seed, 8));
			last = at;
		}
		memcpy(before, memory, MEMORY);
		CHECK(round, reads_as(memory, hurt == p.newer ? &p.old : &p.new));
		CHECK(round, crash_record_write(memory, &next, NULL, NULL) == LB_OK);
		CHECK(round, reads_as(memory, &next));
		CHECK(round, memcmp(memory + SLOT_AT * !hurt, before + SLOT_AT * !hurt, SLOT_AT) == 0);
	}
}

static void two_damaged_slots_are_no_record(void **state)
{
	uint8_t *memory = *state;
	static struct pair p;

	for (uint64_t round = 0; round < 2000; round++) {
		uint64_t seed = round + 8000;
		unsigned a = 8 + (unsigned)below(&seed, SLOT_BYTES - 8),
			 b = 8 + (unsigned)below(&seed, SLOT_BYTES - 8);

		make_pair(&seed, memory, &p);
		memory[a] ^= (uint8_t)(1 << below(&seed, 8));
		memory[SLOT_AT + b] ^= (uint8_t)(1 << below(&seed, 8));
		CHECK(round, refused(memory, LB_EFORMAT, "slot 0 is damaged, slot 1 is damaged"));
	}
}

/* Turn a slot into one of another version, @size bytes long. */
static void make_foreign(uint8_t *slot, uint32_t version, uint32_t size)
{
	put(slot + 0x10, version, 4);
	seal(slot, size);
}

static void a_newest_slot_of_another_version_is_refused_and_an_older_one_ignored(void **state)
{
	static const uint32_t versions[] = {0, 3, 5, 0xffffffff},
			      sizes[] = {24, 25, 100, SLOT_BYTES, SLOT_BYTES + 1, 4096};
	static struct pair p;
	static struct crash_record next;
	uint8_t *memory = *state;

	for (uint64_t round = 0; round < 1000; round++) {
		uint64_t seed = round + 9000;
		uint32_t version = versions[round % 4], size = sizes[round / 4 % 6];
		char why[48];

		make_pair(&seed, memory, &p);
		random_record(&seed, &next);
		snprintf(why, sizeof(why), "it is of version %u, this lifeboat's is 4", version);
		if (below(&seed, 2)) {
			make_foreign(memory + SLOT_AT * !p.newer, version, size);
			CHECK(round, reads_as(memory, &p.new));
		} else {
			make_foreign(memory + SLOT_AT * p.newer, version, size);
			if (below(&seed, 2))
				make_foreign(memory + SLOT_AT * !p.newer, version + 5, 24);
			CHECK(round, refused(memory, LB_EUNSUPPORTED, why));
			if (below(&seed, 2)) { /* damaged, it does not count */
				memory[SLOT_AT * p.newer + size - 1] ^= 0x10;
				CHECK(round, !refused(memory, LB_EUNSUPPORTED, why));
				memory[SLOT_AT * p.newer + size - 1] ^= 0x10;
			}
		}
		CHECK(round, crash_record_write(memory, &next, NULL, NULL) == LB_OK);
		CHECK(round, reads_as(memory, &next));
		memory[SLOT_AT * !p.newer]++; /* it took the older one's place: without it all is as before */
		CHECK(round, !reads_as(memory, &next));
	}
}

/* What makes full_record() impossible: numbers put where the layout has the fields. */
struct spoiler {
	struct {
		unsigned at, bytes;
		uint64_t value;
	} change[2];
};

static const struct spoiler spoilers[] = {
	{{{0x18, 4, 5}}}, /* state */
	{{{0x18, 4, UINT32_MAX}}},
	{{{0x20, 8, 0xf0001000}}}, /* region: base and size unaligned, empty, wrapping around */
	{{{0x28, 8, 0x10100000}}},
	{{{0x28, 8, 0}, {0x5c, 4, 0}}},
	{{{0x28, 8, -UINT64_C(0xf0000000)}}},
	{{{0x28, 8, 0x200000}, {0x5c, 4, 0}}}, /* and too small for what is in one */
	{{{0x28, 8, 0x6200000}, {0x5c, 4, 0}}},
	{{{0x48, 8, 0xefffffff}}}, /* the crash kernel's entry: below and behind usable memory */
	{{{0x48, 8, 0xfdc00000}}},
	{{{0x48, 8, 0xffc00000}}},
	{{{0x48, 8, 0x100000000}}},
	{{{0x58, 4, 17}}}, /* counts */
	{{{0x58, 4, UINT32_MAX}}},
	{{{0x5c, 4, 7}}},
	{{{0x5c, 4, 0x80000000}}},
	{{{0x88, 8, 0}}}, /* the last lost range: empty, wrapping around */
	{{{0x80, 8, 1}, {0x88, 8, UINT64_MAX}}},
	{{{0x80, 8, UINT64_MAX}, {0x88, 8, 1}}},
	{{{0x1a4, 4, 1}}}, /* the last piece: reserved, then at and over the edges */
	{{{0x190, 8, 0xefffffff}, {0x198, 8, 1}}},
	{{{0x190, 8, 0x100000000}, {0x198, 8, 1}}},
	{{{0x190, 8, 0xf0000001}}},
	{{{0x198, 8, UINT64_MAX}}},
	{{{0x190, 8, 0xfdbfffff}, {0x198, 8, 2}}}, /* in what is kept, and in what is the stage's own */
	{{{0x190, 8, 0xffbfffff}, {0x198, 8, 2}}},
	{{{0x190, 8, 1}, {0x198, 8, 0}}}, /* not there, but somewhere */
	{{{0x160, 8, 0}}},		  /* the first piece */
	{{{0x208, 4, 32}}},		  /* there is no such configuration */
	{{{0x23f, 1, 'x'}}},		  /* the name has no end */
	{{{0x240, 8, 0x1fff000}}},	  /* room to keep: unaligned, none, more than there is */
	{{{0x240, 8, 0}}},
	{{{0x240, 8, 0x9e00000}, {0x5c, 4, 0}}},
	{{{0x240, 8, 0x10200000}}},
	{{{0x240, 8, -UINT64_C(0x200000)}}},
	{{{0x248, 8, 0xfdbfffff}}}, /* what is kept: out of that room, below and behind it */
	{{{0x248, 8, 0xfdc00001}}},
	{{{0x250, 8, 0x2000001}}},
	{{{0x250, 8, UINT64_MAX}}},
	{{{0x250, 8, 0}}}, /* not there, but somewhere */
	{{{0x25c, 4, 1}}},
};

static void spoil(uint8_t *slot, const struct spoiler *how)
{
	for (unsigned i = 0; i < 2; i++)
		put(slot + how->change[i].at, how->change[i].value, how->change[i].bytes);
	seal(slot, SLOT_BYTES);
}

/* Armed, with three lost ranges, and three pieces and a kept one as large as they can be. */
static void full_record(uint64_t *seed, struct crash_record *r)
{
	random_record(seed, r);
	r->state = CRASH_ARMED;
	r->region_base = 0xf0000000;
	r->region_size = 0x10000000;
	r->crash_entry = 0xf0001000;
	r->lost_count = r->piece_count = 3;
	for (unsigned i = 0; i < 16;
	     i++) /* sound behind the counts, too: a wrong count is all that is wrong */
		r->lost[i] = (struct region){0x1000 * i, UINT64_MAX - 0x1000 * i};
	for (unsigned i = 0; i < 6; i++)
		r->piece[i] = (struct crash_piece){0xf0000000, 0xdc00000, 7, 0};
	r->kept_room = 0x2000000;
	r->kept = (struct crash_piece){0xfdc00000, 0x2000000, 7, 0};
}

static void impossible_fields_are_refused_when_read_and_never_written(void **state)
{
	uint8_t *memory = *state;
	static uint8_t before[MEMORY];
	static struct crash_record good, old;
	uint64_t seed = 10;

	for (unsigned how = 0; how < ARRAY_SIZE(spoilers); how++) {
		full_record(&seed, &good);
		random_record(&seed, &old);
		memset(memory, 0, MEMORY);
		encode(memory, 41, &good);
		assert_true(reads_as(memory, &good));
		spoil(memory, &spoilers[how]);
		memcpy(&good, memory + 0x18, sizeof(good));
		CHECK(how, refused(memory, LB_EFORMAT, "slot 0 is not sound, slot 1 is vacant"));
		encode(memory + SLOT_AT, 40, &old);
		CHECK(how, reads_as(memory, &old));
		memcpy(before, memory, MEMORY);
		CHECK(how, crash_record_write(memory, &good, NULL, NULL) == LB_EINVAL);
		assert_memory_equal(memory, before, MEMORY);
	}
	for (uint32_t size = 24; size <= 4096; size++) { /* this version, another size */
		full_record(&seed, &good);
		memset(memory, 0, MEMORY);
		encode(memory, 41, &good);
		seal(memory, size);
		CHECK(size, size == SLOT_BYTES ? reads_as(memory, &good)
					       : refused(memory, LB_EFORMAT, "not sound"));
	}
}

static void the_least_and_the_most_that_is_sound_is_kept(void **state)
{
	static struct crash_record empty, most; /* all zero is CRASH_EMPTY */
	uint8_t *memory = *state;
	uint64_t seed = 11;

	assert_int_equal(crash_record_write(memory, &empty, NULL, NULL), LB_OK);
	assert_true(reads_as(memory, &empty));
	full_record(&seed, &most);
	most.state = CRASH_DONE;
	most.attempts = UINT32_MAX;
	most.region_base = 0;
	most.region_size = -UINT64_C(0x200000); /* all but the last 2 MiB */
	most.kept_room = most.region_size - 0x6400000;
	most.kept = (struct crash_piece){0x6000000, most.kept_room, 7, 0};
	most.crash_entry = 0x6000000 - 1;
	most.lost_count = 16;
	most.piece_count = 6;
	for (unsigned i = 0; i < 16; i++)
		most.lost[i] = (struct region){UINT64_MAX - 1, 1};
	for (unsigned i = 0; i < 6; i++)
		most.piece[i] = (struct crash_piece){0x6000000 - 1, 1, 0, 0};
	most.piece[0] = (struct crash_piece){0, 0, UINT32_MAX, 0}; /* not there: its checksum says nothing */
	assert_int_equal(crash_record_write(memory, &most, NULL, NULL), LB_OK);
	assert_true(reads_as(memory, &most));
}

static void each_state_has_its_name(void **state)
{
	static const char *const names[] = {"empty", "armed", "disarmed", "capturing", "done", "unknown"};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(crash_state_name(i), names[i]);
	assert_string_equal(crash_state_name(UINT32_MAX), "unknown");
}

#define WITH_MEMORY(name) cmocka_unit_test_setup_teardown(name, make_memory, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MEMORY(what_is_written_is_read_back_over_any_garbage),
		WITH_MEMORY(slots_are_written_in_turn_with_the_documented_layout),
		WITH_MEMORY(the_checksum_is_the_crc_32_that_everybody_has),
		WITH_MEMORY(the_newer_slot_counts_where_generations_wrap_too),
		WITH_MEMORY(equal_and_opposite_generations_are_settled_once_for_all),
		WITH_MEMORY(memory_without_a_magic_holds_no_record),
		WITH_MEMORY(garbage_behind_a_magic_is_damaged_whatever_size_it_claims),
		WITH_MEMORY(any_flipped_bit_costs_its_slot_and_never_the_other),
		WITH_MEMORY(after_damage_the_next_write_replaces_the_damaged_slot),
		WITH_MEMORY(two_damaged_slots_are_no_record),
		WITH_MEMORY(a_newest_slot_of_another_version_is_refused_and_an_older_one_ignored),
		WITH_MEMORY(impossible_fields_are_refused_when_read_and_never_written),
		WITH_MEMORY(the_least_and_the_most_that_is_sound_is_kept),
		WITH_MEMORY(each_state_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
