// SPDX-License-Identifier: BSD-2-Clause
/* The reader of a dead kernel's log, against a model of its writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "printk_check.h"

#define RANDOM_RUNS 300

#define CHECK(seed, condition)                                                               \
	do {                                                                                 \
		if (!(condition))                                                            \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(seed), #condition); \
	} while (0)

/* The last @count of what a reader must find, and nothing else. */
static void assert_finds(uint64_t seed, size_t count)
{
	static size_t index[DEAD_LOG_MAX];
	size_t all = dead_readable(&kernel, index);
	size_t want = all < count ? all : count;

	CHECK(seed, walk(count) == want);
	for (size_t i = 0; i < want; i++) {
		const struct dead_record *expect = &kernel.log[index[all - want + i]];
		const struct dead_record *got = &found.record[i];

		CHECK(seed, got->seq == expect->seq);
		CHECK(seed, got->ts == expect->ts);
		CHECK(seed, got->facility == expect->facility);
		CHECK(seed, got->flags == ((expect->flags & 8) != 0));
		CHECK(seed, got->length == expect->length);
		CHECK(seed, memcmp(got->text, expect->text, got->length) == 0);
	}
}

static size_t random_text(uint64_t *seed, char text[DEAD_TEXT_MAX])
{
	static const uint64_t bounds[] = {1, 9, 40, DEAD_TEXT_MAX + 1};
	size_t length = dead_below(seed, bounds[dead_below(seed, ARRAY_SIZE(bounds))]);

	for (size_t i = 0; i < length; i++)
		text[i] = (char)dead_random(seed);
	return length;
}

/* Log one line of random text, facility, level and fate. */
static void random_record(uint64_t *seed)
{
	char text[DEAD_TEXT_MAX];
	size_t length = random_text(seed, text);
	struct dead_record *record = dead_log_bytes(&kernel, text, length);

	record->facility = (uint8_t)dead_random(seed);
	record->level = (uint8_t)dead_below(seed, 8);
	record->flags = (uint8_t)dead_below(seed, 32);
	record->ts = dead_random(seed);
	if (dead_below(seed, 10) == 0)
		record->state = dead_below(seed, 2) ? STATE_RESERVED : STATE_COMMITTED;
	if (!length && dead_below(seed, 2))
		record->begin = record->next = 1;
	dead_log_rewrite(&kernel, record);
}

static void the_reader_finds_what_a_writer_has_left(void **state)
{
	(void)state;
	for (uint64_t run = 0; run < RANDOM_RUNS; run++) {
		uint64_t name = 0x9a7c + run, seed = name;
		size_t lines = dead_below(&seed, 400);

		begin((enum dead_age)(run % AGES));
		kernel.count_bits = 1 + (unsigned)dead_below(&seed, 8);
		kernel.size_bits = 9 + (unsigned)dead_below(&seed, 6);
		kernel.linear = kernel.age != AGE_6_1 && dead_below(&seed, 2);
		dead_kernel_build(&kernel);
		for (size_t i = 0; i < lines; i++) {
			random_record(&seed);
			if (dead_below(&seed, 20))
				continue;
			open_ring();
			assert_finds(name, dead_below(&seed, 2) ? UINT32_MAX : dead_below(&seed, 20));
		}
		open_ring();
		assert_finds(name, UINT32_MAX);
		assert_finds(name, SIZE_MAX);
		end();
	}
}

static void an_empty_ring_has_no_records_and_its_kernel_was_cut_off(void **state)
{
	char line[8] = "before";

	(void)state;
	for (enum dead_age age = 0; age < AGES; age++) {
		build(age);
		assert_int_equal(walk(SIZE_MAX), 0);
		assert_int_equal(printk_ending(&ring, line, sizeof(line)), PRINTK_ENDING_CUT);
		assert_string_equal(line, "");
		end();
	}
}

static void ids_and_positions_may_wrap(void **state)
{
	(void)state;
	/* Ids pass 2^62 and positions 2^64 when either ring is full for the first time. */
	build(AGE_7_2);
	for (int i = 0; i < 70; i++) {
		dead_log(&kernel, "twenty-four bytes, with.");
		open_ring();
		assert_finds(0, SIZE_MAX);
	}
	assert_true(kernel.tail_id < 70 && kernel.head_lpos < UINT64_C(70) * 32);
	end();
}

/* Logs until a block would begin @left bytes before the end of the data ring. */
static void fill_up_to(uint64_t left)
{
	uint64_t size = UINT64_C(1) << kernel.size_bits;

	while (kernel.head_lpos % size != size - left)
		dead_log(&kernel, "12345678");
}

static void a_block_may_end_where_the_ring_does(void **state)
{
	(void)state;
	begin(AGE_7_2);
	kernel.count_bits = 7;
	dead_kernel_build(&kernel);
	fill_up_to(32);
	dead_log(&kernel, "the ring's last 24 bytes");
	assert_int_equal(kernel.head_lpos, 0);
	open_ring();
	assert_finds(0, SIZE_MAX);
	assert_int_equal(found.count, kernel.logged);
	end();
}

static void a_block_that_does_not_fit_before_the_end_is_read_at_the_start(void **state)
{
	static const enum dead_age ages[] = {AGE_6_12, AGE_7_2};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		const struct dead_record *last;

		build(ages[i]);
		fill_up_to(16);
		last = dead_log(&kernel, "longer than that");
		assert_int_equal(last->next % 1024, 24);
		open_ring();
		assert_finds(0, SIZE_MAX);
		assert_memory_equal(found.record[found.count - 1].text, "longer than that", 16);
		end();
	}
}

static void the_newest_record_counts_when_committed_but_not_while_it_is_written(void **state)
{
	static const struct {
		enum dead_state state;
		size_t readable;
	} rows[] = {{STATE_RESERVED, 1}, {STATE_COMMITTED, 2}, {STATE_FINALIZED, 2}, {STATE_REUSABLE, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dead_record *last;

		build(AGE_6_12);
		dead_log(&kernel, "first");
		last = dead_log(&kernel, "second");
		last->state = rows[i].state;
		dead_log_rewrite(&kernel, last);
		open_ring();
		assert_int_equal(walk(10), rows[i].readable);
		end();
	}
}

static void an_empty_line_is_a_record_and_a_lost_text_is_none(void **state)
{
	struct dead_record *lost;

	(void)state;
	build(AGE_6_12);
	dead_log(&kernel, "");
	lost = dead_log(&kernel, "");
	lost->begin = lost->next = 1;
	dead_log_rewrite(&kernel, lost);
	dead_log(&kernel, "behind");
	open_ring();
	assert_int_equal(walk(10), 2);
	assert_int_equal(found.record[0].length, 0);
	assert_int_equal(found.record[1].length, 6);
	end();
}

static void the_search_goes_back_over_4096_unreadable_records_at_most(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.count_bits = 13;
	kernel.size_bits = 17;
	dead_kernel_build(&kernel);
	dead_log(&kernel, "reboot: Power down");
	for (int i = 1; i <= 4096; i++) {
		struct dead_record *lost = dead_log(&kernel, "");

		lost->begin = lost->next = 1;
		dead_log_rewrite(&kernel, lost);
		open_ring();
		assert_int_equal(walk(2), i < 4096);
	}
	end();
}

static void a_head_far_before_the_tail_ends_at_one_round_of_the_ring(void **state)
{
	(void)state;
	build(AGE_6_12);
	for (int i = 0; i < 100; i++)
		dead_log(&kernel, "");
	open_ring();
	ring.tail_id = ring.head_id + 1;
	assert_int_equal(walk(SIZE_MAX), 32);
	ring.tail_id = ring.head_id - 500;
	assert_int_equal(walk(SIZE_MAX), 32);
	ring.tail_id = ring.head_id;
	assert_int_equal(walk(SIZE_MAX), 1);
	end();
}

/* Each line of a log's end; '>' marks what userspace wrote to /dev/kmsg. */
static void the_last_telling_line_of_the_kernel_names_the_end(void **state)
{
	static const struct {
		const char *lines[4];
		enum printk_ending ending;
		const char *line;
	} rows[] = {
		{{"reboot: Restarting system"}, PRINTK_ENDING_RESTART, "reboot: Restarting system"},
		{{"reboot: Restarting system with command 'x'"},
		 PRINTK_ENDING_RESTART,
		 "reboot: Restarting system with command 'x'"},
		{{"reboot: Restarting syste"}, PRINTK_ENDING_CUT, ""},
		{{"reboot: Restarting system", "pci: bye"},
		 PRINTK_ENDING_RESTART,
		 "reboot: Restarting system"},
		{{"reboot: Power down"}, PRINTK_ENDING_POWER_OFF, "reboot: Power down"},
		{{"reboot: System halted"}, PRINTK_ENDING_POWER_OFF, "reboot: System halted"},
		{{"kexec_core: Starting new kernel", "Will call new kernel at 80200000 from hart id 0",
		  "Bye..."},
		 PRINTK_ENDING_KEXEC,
		 "kexec_core: Starting new kernel"},
		{{"Kernel panic - not syncing: sysrq triggered crash", "Rebooting in 1 seconds.."},
		 PRINTK_ENDING_PANIC,
		 "Kernel panic - not syncing: sysrq triggered crash"},
		{{"Kernel panic - not syncing: Fatal exception", "Starting crashdump kernel...", "Bye..."},
		 PRINTK_ENDING_PANIC,
		 "Kernel panic - not syncing: Fatal exception"},
		{{"reboot: Restarting system", "Kernel panic - not syncing: x"},
		 PRINTK_ENDING_PANIC,
		 "Kernel panic - not syncing: x"},
		{{"sysrq: Resetting"}, PRINTK_ENDING_FORCED, "sysrq: Resetting"},
		{{"sysrq: Show State", "all fine"}, PRINTK_ENDING_CUT, ""},
		{{">reboot: Restarting system", ">reboot: Power down"}, PRINTK_ENDING_CUT, ""},
		{{"Kernel panic - not syncing: y", ">reboot: Power down"},
		 PRINTK_ENDING_PANIC,
		 "Kernel panic - not syncing: y"},
		{{"systemd-shutdown: reboot: Restarting system"}, PRINTK_ENDING_CUT, ""},
		{{"Kernel panic - not syncing: \x1b[2J\xff"},
		 PRINTK_ENDING_PANIC,
		 "Kernel panic - not syncing: ?[2J?"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[100] = "before";
		enum printk_ending ending;

		build(AGE_6_12);
		dead_log(&kernel, "Linux version 6.12");
		for (size_t j = 0; j < 4 && rows[i].lines[j]; j++) {
			if (rows[i].lines[j][0] == '>')
				dead_log_user(&kernel, rows[i].lines[j] + 1);
			else
				dead_log(&kernel, rows[i].lines[j]);
		}
		open_ring();
		ending = printk_ending(&ring, line, sizeof(line));
		if (ending != rows[i].ending || strcmp(line, rows[i].line))
			fail_msg("row %zu: %s, %s", i, printk_ending_name(ending), line);
		assert_int_equal(printk_ending(&ring, NULL, 0), rows[i].ending);
		end();
	}
}

static void a_telling_line_counts_for_256_records(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.count_bits = 10;
	kernel.size_bits = 15;
	dead_kernel_build(&kernel);
	dead_log(&kernel, "reboot: Power down");
	for (int i = 1; i <= 256; i++) {
		open_ring();
		assert_int_equal(printk_ending(&ring, NULL, 0), PRINTK_ENDING_POWER_OFF);
		dead_log(&kernel, "noise");
	}
	open_ring();
	assert_int_equal(printk_ending(&ring, NULL, 0), PRINTK_ENDING_CUT);
	end();
}

static void the_telling_line_is_cut_to_its_buffer(void **state)
{
	char line[8] = "xxxxxxx";

	(void)state;
	build(AGE_6_12);
	dead_log(&kernel, "reboot: Power down");
	open_ring();
	assert_int_equal(printk_ending(&ring, line, 6), PRINTK_ENDING_POWER_OFF);
	assert_memory_equal(line, "reboo\0x", 7);
	assert_int_equal(printk_ending(&ring, line, 1), PRINTK_ENDING_POWER_OFF);
	assert_string_equal(line, "");
	assert_int_equal(printk_ending(&ring, line + 1, 0), PRINTK_ENDING_POWER_OFF);
	assert_memory_equal(line, "\0eboo\0x", 7);
	end();
}

static void orderly_ends_are_those_that_the_kernel_meant(void **state)
{
	static const struct {
		const char *name;
		bool orderly;
	} rows[] = {
		[PRINTK_ENDING_RESTART] = {"restart", true},  [PRINTK_ENDING_POWER_OFF] = {"power-off", true},
		[PRINTK_ENDING_KEXEC] = {"kexec", true},      [PRINTK_ENDING_PANIC] = {"panic", false},
		[PRINTK_ENDING_FORCED] = {"forced", false},   [PRINTK_ENDING_CUT] = {"cut", false},
		[PRINTK_ENDING_CUT + 1] = {"unknown", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(printk_ending_name((enum printk_ending)i), rows[i].name);
		assert_int_equal(printk_ending_is_orderly((enum printk_ending)i), rows[i].orderly);
	}
}

static void a_record_is_written_as_dmesg_does(void **state)
{
	static const struct {
		uint64_t ts;
		const char *text;
		size_t length, size;
		const char *line;
	} rows[] = {
		{0, "Linux version", 13, 100, "[    0.000000] Linux version"},
		{1234567890, "x", 1, 100, "[    1.234567] x"},
		{UINT64_C(99999999999999), "x", 1, 100, "[99999.999999] x"},
		{UINT64_C(123456000000789), "x", 1, 100, "[123456.000000] x"},
		{UINT64_MAX, "", 0, 100, "[18446744073.709551] "},
		{0, "a\tb\nc\x1b\x7f\x80~ \0z", 12, 100, "[    0.000000] a?b?c???~ ?z"},
		{0, "Linux", 5, 20, "[    0.000000] Linu"},
		{0, "Linux", 5, 16, "[    0.000000] "},
		{0, "Linux", 5, 15, "[    0.000000]"},
		{0, "Linux", 5, 2, "["},
		{0, "Linux", 5, 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct printk_record record = {
			.ts_nsec = rows[i].ts, .text = rows[i].text, .length = rows[i].length};
		char *line = malloc(rows[i].size);

		assert_int_equal(printk_format(&record, line, rows[i].size), strlen(rows[i].line));
		assert_string_equal(line, rows[i].line);
		free(line);
	}
	assert_int_equal(printk_format(&(struct printk_record){.text = "x", .length = 1}, NULL, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reader_finds_what_a_writer_has_left),
		cmocka_unit_test(an_empty_ring_has_no_records_and_its_kernel_was_cut_off),
		cmocka_unit_test(ids_and_positions_may_wrap),
		cmocka_unit_test(a_block_may_end_where_the_ring_does),
		cmocka_unit_test(a_block_that_does_not_fit_before_the_end_is_read_at_the_start),
		cmocka_unit_test(the_newest_record_counts_when_committed_but_not_while_it_is_written),
		cmocka_unit_test(an_empty_line_is_a_record_and_a_lost_text_is_none),
		cmocka_unit_test(the_search_goes_back_over_4096_unreadable_records_at_most),
		cmocka_unit_test(a_head_far_before_the_tail_ends_at_one_round_of_the_ring),
		cmocka_unit_test(the_last_telling_line_of_the_kernel_names_the_end),
		cmocka_unit_test(a_telling_line_counts_for_256_records),
		cmocka_unit_test(the_telling_line_is_cut_to_its_buffer),
		cmocka_unit_test(orderly_ends_are_those_that_the_kernel_meant),
		cmocka_unit_test(a_record_is_written_as_dmesg_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
