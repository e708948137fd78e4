// SPDX-License-Identifier: BSD-2-Clause
/* The reader of a dead kernel's log, against a model of its writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
	(void)state;
	for (enum dead_age age = 0; age < AGES; age++) {
		build(age);
		assert_int_equal(walk(SIZE_MAX), 0);
		assert_int_equal(printk_ending(&ring).ending, PRINTK_ENDING_CUT);
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
		{{"reboot: Power off not available: System halted instead"},
		 PRINTK_ENDING_POWER_OFF,
		 "reboot: Power off not available: System halted instead"},
		{{"reboot: HARDWARE PROTECTION shutdown (too hot)"}, PRINTK_ENDING_CUT, ""},
		{{"reboot: Hardware protection timed-out. Trying forced poweroff", "reboot: Power down"},
		 PRINTK_ENDING_POWER_OFF,
		 "reboot: Power down"},
		{{"reboot: Power down",
		  "reboot: Hardware protection shutdown failed. Trying emergency restart"},
		 PRINTK_ENDING_FORCED,
		 "reboot: Hardware protection shutdown failed. Trying emergency restart"},
		{{"reboot: Restarting system",
		  "reboot: Hardware protection reboot failed. Trying emergency restart"},
		 PRINTK_ENDING_FORCED,
		 "reboot: Hardware protection reboot failed. Trying emergency restart"},
		/* ('+': LOG_CONT, so its beginning is the middle of a line.) */
		{{"thing:", "+reboot: Restarting system"}, PRINTK_ENDING_CUT, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct printk_told told;

		build(AGE_6_12);
		dead_log(&kernel, "Linux version 6.12");
		for (size_t j = 0; j < 4 && rows[i].lines[j]; j++) {
			if (rows[i].lines[j][0] == '>')
				dead_log_user(&kernel, rows[i].lines[j] + 1);
			else if (rows[i].lines[j][0] == '+')
				dead_log_flags(&kernel, rows[i].lines[j] + 1, LOG_CONT | LOG_NEWLINE);
			else
				dead_log(&kernel, rows[i].lines[j]);
		}
		open_ring();
		told = printk_ending(&ring);
		if (told.ending != rows[i].ending)
			fail_msg("row %zu: %s", i, printk_ending_name(told.ending));
		if (told.ending != PRINTK_ENDING_CUT) {
			assert_int_equal(told.record.length, strlen(rows[i].line));
			assert_memory_equal(told.record.text, rows[i].line, told.record.length);
		}
		end();
	}
}

/* panic_print= and others can say more behind it than any window holds. */
static void a_telling_line_counts_as_long_as_it_is_in_the_ring(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.count_bits = 12;
	kernel.size_bits = 17;
	dead_kernel_build(&kernel);
	dead_log(&kernel, "reboot: Power down");
	for (int i = 1; i < 4096; i++)
		dead_log(&kernel, "noise");
	open_ring();
	assert_int_equal(printk_ending(&ring).ending, PRINTK_ENDING_POWER_OFF);
	assert_int_equal(printk_ending(&ring).record.seq, 0);
	dead_log(&kernel, "noise");
	open_ring();
	assert_int_equal(printk_ending(&ring).ending, PRINTK_ENDING_CUT);
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
		cmocka_unit_test(a_telling_line_counts_as_long_as_it_is_in_the_ring),
		cmocka_unit_test(orderly_ends_are_those_that_the_kernel_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
