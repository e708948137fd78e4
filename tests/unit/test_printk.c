// SPDX-License-Identifier: BSD-2-Clause
/* The reader of a dead kernel's log, against a model of its writer; then damage of every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dead_ram.h"

#define RAM_SIZE    (5 * MIB)
#define KERNEL_PA   (DEAD_BASE + 2 * MIB)
#define NOTE_PA	    (DEAD_BASE + 64 * KIB)
#define RANDOM_RUNS 300
#define DAMAGES	    30000

#define CHECK(seed, condition)                                                               \
	do {                                                                                 \
		if (!(condition))                                                            \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(seed), #condition); \
	} while (0)

static struct dead_ram ram;
static struct dead_kernel kernel;
static struct vmcoreinfo info;
static struct printk_ring ring;

/* What a walk found, copied out. */
struct found {
	size_t count;
	struct dead_record record[DEAD_LOG_MAX];
};
static struct found found;

static void collect(const struct printk_record *record, void *context)
{
	struct found *to = context;
	struct dead_record *copy = &to->record[to->count++];

	assert_true(to->count <= DEAD_LOG_MAX);
	*copy = (struct dead_record){
		.seq = record->seq,
		.ts = record->ts_nsec,
		.facility = record->facility,
		.level = record->level,
		.flags = record->continued,
		.length = record->length,
	};
	assert_non_null(record->text);
	memcpy(copy->text, record->text, record->length < DEAD_TEXT_MAX ? record->length : DEAD_TEXT_MAX);
}

static void open_ring(void)
{
	struct diag diag = {""};

	if (vmcoreinfo_read(&ram.look, NOTE_PA, KERNEL_PA, &info, &diag) ||
	    printk_open(&ram.look, &info, &ring, &diag))
		fail_msg("%s", diag.text);
}

static size_t walk(size_t count)
{
	size_t visited;

	found.count = 0;
	visited = printk_visit_last(&ring, count, collect, &found);
	assert_int_equal(visited, found.count);
	return visited;
}

/* A fresh kernel, with nothing in its log. */
static void begin(enum dead_age age)
{
	dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
	dead_kernel_init(&kernel, &ram, age, KERNEL_PA, NOTE_PA);
}

static void build(enum dead_age age)
{
	begin(age);
	dead_kernel_build(&kernel);
	open_ring();
}

static void end(void)
{
	dead_ram_free(&ram);
}

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
		CHECK(seed, got->level == expect->level);
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
	for (int i = 0; i < 40; i++) {
		dead_log(&kernel, "twenty-four bytes, with.");
		open_ring();
		assert_finds(0, SIZE_MAX);
	}
	assert_true(kernel.tail_id < 40 && kernel.head_lpos < 40 * 32);
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
	build(AGE_7_2);
	fill_up_to(24);
	dead_log(&kernel, "the very last 16");
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

/* Ways to spoil the one record "spoilt text" (24 bytes at position 32 of the ring, behind "innocent text..."). */
static void spoil_id(struct dead_record *record)
{
	dead_put(&ram, kernel.data + record->begin % 1024, record->id + 1, 8);
}

static void spoil_state_id(struct dead_record *record)
{
	dead_put(&ram, dead_desc(&kernel, record), (UINT64_C(2) << 62) | (record->id ^ 32), 8);
}

static void spoil_begin(struct dead_record *record)
{
	record->begin += 4;
}

static void spoil_next(struct dead_record *record)
{
	record->next += 2;
}

static void spoil_order(struct dead_record *record)
{
	record->next = record->begin;
}

static void spoil_wrap(struct dead_record *record)
{
	record->next += 2048;
}

static void spoil_length(struct dead_record *record)
{
	record->begin = record->next - 1024 - 8;
}

static void spoil_seq(struct dead_record *record)
{
	record->seq += 1;
}

static void spoil_half(struct dead_record *record)
{
	record->next |= 1;
}

static void a_record_that_contradicts_itself_is_passed_over(void **state)
{
	static void (*const spoil[])(struct dead_record * record) = {
		spoil_id,     spoil_begin, spoil_next, spoil_order,    spoil_wrap,
		spoil_length, spoil_seq,   spoil_half, spoil_state_id,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		struct dead_record *bad;

		build(AGE_6_12);
		dead_log(&kernel, "innocent text of 24 byte");
		bad = dead_log(&kernel, "spoilt text");
		dead_log(&kernel, "innocent too");
		open_ring();
		assert_int_equal(walk(10), 3);
		spoil[i](bad);
		if (spoil[i] != spoil_state_id)
			dead_log_rewrite(&kernel, bad);
		if (walk(10) != 2 || found.record[0].length != 24 || found.record[1].length != 12)
			fail_msg("row %zu: %zu records", i, found.count);
		end();
	}
}

static void text_ends_with_its_block_whatever_its_length_says(void **state)
{
	struct dead_record *record;

	(void)state;
	build(AGE_6_12);
	record = dead_log(&kernel, "eleven byte");
	record->length = 60000;
	dead_log_rewrite(&kernel, record);
	open_ring();
	assert_int_equal(walk(1), 1);
	assert_int_equal(found.record[0].length, 16);
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

/* What is wrong with a ring, and what opening it says. */
static void a_ring_that_can_not_be_is_not_opened(void **state)
{
	enum change { COUNT_BITS, SIZE_BITS, DESCS, INFOS, DATA, PRB, RB, DESC_SIZE, INFO_SIZE, SAME };
	static const struct {
		enum change what;
		uint64_t value;
		enum lb_err err;
	} rows[] = {
		{SAME, 0, LB_OK},
		{COUNT_BITS, 0, LB_EFORMAT},
		{COUNT_BITS, 27, LB_EFORMAT},
		{COUNT_BITS, 64, LB_EFORMAT},
		{COUNT_BITS, UINT32_MAX, LB_EFORMAT},
		{COUNT_BITS, 26, LB_ERANGE},
		{SIZE_BITS, 3, LB_EFORMAT},
		{SIZE_BITS, 32, LB_EFORMAT},
		{SIZE_BITS, 31, LB_ERANGE},
		{DESCS, 0, LB_ERANGE},
		{INFOS, UINT64_MAX, LB_ERANGE},
		{DATA, UINT64_C(0xffffffffff000000), LB_ERANGE},
		{DATA, UINT64_C(0xffffaf7fffffffff), LB_ERANGE},
		/* The last KiB of RAM, by the linear map; and one byte more. */
		{DATA, UINT64_C(0xffffaf8000000000) + RAM_SIZE - KIB, LB_OK},
		{DATA, UINT64_C(0xffffaf8000000000) + RAM_SIZE - KIB + 1, LB_ERANGE},
		{PRB, 0x1000, LB_ERANGE},
		{PRB, UINT64_MAX, LB_ERANGE},
		{RB, 0, LB_ERANGE},
		{RB, UINT64_MAX - 20, LB_ERANGE},
		{DESC_SIZE, 23, LB_EFORMAT},
		{DESC_SIZE, 0, LB_EFORMAT},
		{DESC_SIZE, 60000, LB_OK},
		{INFO_SIZE, 19, LB_EFORMAT},
		{INFO_SIZE, 20, LB_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag diag = {""};
		const uint64_t v = rows[i].value;
		enum lb_err err;

		build(AGE_6_12);
		if (rows[i].what == COUNT_BITS)
			dead_put(&ram, kernel.rb, v, 4);
		else if (rows[i].what == SIZE_BITS)
			dead_put(&ram, kernel.rb + 48, v, 4);
		else if (rows[i].what == DESCS)
			dead_put(&ram, kernel.rb + 8, v, 8);
		else if (rows[i].what == INFOS)
			dead_put(&ram, kernel.rb + 16, v, 8);
		else if (rows[i].what == DATA)
			dead_put(&ram, kernel.rb + 48 + 8, v, 8);
		else if (rows[i].what == RB)
			dead_put(&ram, kernel.prb, v, 8);
		else if (rows[i].what == PRB)
			info.prb = v;
		else if (rows[i].what == DESC_SIZE)
			info.printk.desc_size = (uint16_t)v;
		else if (rows[i].what == INFO_SIZE)
			info.printk.info_size = (uint16_t)v;
		err = printk_open(&ram.look, &info, &ring, &diag);
		if (err != rows[i].err)
			fail_msg("row %zu: %s, %s", i, lb_err_name(err), diag.text);
		assert_int_equal(diag.text[0] == '\0', err == LB_OK);
		end();
	}
}

static void fields_outside_their_structs_are_refused(void **state)
{
	uint16_t *const fields[] = {
		&info.printk.desc_state,    &info.printk.desc_text, &info.printk.lpos_begin,
		&info.printk.lpos_next,	    &info.printk.info_seq,  &info.printk.info_ts,
		&info.printk.info_text_len, &info.printk.counter,
	};

	(void)state;
	build(AGE_6_12);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint16_t before = *fields[i];

		*fields[i] = 85;
		assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_EFORMAT);
		*fields[i] = 65535;
		assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_EFORMAT);
		*fields[i] = before;
	}
	assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_OK);
	end();
}

static void a_ring_in_the_linear_map_needs_its_page_offset(void **state)
{
	(void)state;
	begin(AGE_6_1);
	kernel.linear = true;
	dead_kernel_build(&kernel);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, KERNEL_PA, &info, NULL), LB_OK);
	assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_ERANGE);
	end();
}

/* Touches all that a record offers. */
static void touch(const struct printk_record *record, void *context)
{
	unsigned *sum = context;
	char line[64];

	for (size_t i = 0; i < record->length; i++)
		*sum += (uint8_t)record->text[i];
	*sum += (unsigned)printk_format(record, line, sizeof(line));
	for (size_t i = 0; line[i]; i++)
		assert_true(line[i] >= ' ' && line[i] <= '~');
}

/* Write something hostile somewhere into what the reader reads. */
static void damage(uint64_t *seed)
{
	static const uint64_t widths[] = {1, 2, 4, 8};
	const struct {
		paddr_t pa;
		uint64_t size;
	} targets[] = {
		{NOTE_PA, 24 + kernel.text_size},
		{kernel.rb, 88},
		{kernel.prb, 8},
		{kernel.descs, 24u << kernel.count_bits},
		{kernel.infos, (uint64_t)kernel.at.info_size << kernel.count_bits},
		{kernel.data, UINT64_C(1) << kernel.size_bits},
	};
	const uint64_t values[] = {
		dead_random(seed),
		0,
		UINT64_MAX,
		dead_below(seed, 64),
		UINT64_C(1) << dead_below(seed, 64),
		kernel.kernel_va + dead_below(seed, 3 * MIB),
		kernel.page_offset + dead_below(seed, 6 * MIB),
		kernel.head_lpos + dead_below(seed, 4096) - 2048,
		(UINT64_C(2) << 62) | ((kernel.head_id - dead_below(seed, 40)) & (UINT64_MAX >> 2)),
	};
	size_t t = dead_below(seed, ARRAY_SIZE(targets));
	uint64_t width = widths[dead_below(seed, 4)];
	paddr_t pa = targets[t].pa + dead_below(seed, targets[t].size);

	pa -= dead_below(seed, 2) ? pa % width : 0;
	dead_put(&ram, pa, values[dead_below(seed, ARRAY_SIZE(values))], width);
}

/* Whatever the memory says, the reader stays in RAM (the sanitizer looks), and comes back. */
static void no_damage_hurts_the_reader(void **state)
{
	size_t opened = 0;
	unsigned sum = 0;
	uint8_t *good;

	(void)state;
	for (enum dead_age age = 0; age < AGES; age++) {
		build(age);
		for (int i = 0; i < 60; i++)
			dead_log(&kernel, "reboot: Restarting system, or something that is as long");
		good = malloc(RAM_SIZE);
		memcpy(good, ram.bytes, RAM_SIZE);
		for (uint64_t run = 0; run < DAMAGES / AGES; run++) {
			uint64_t seed = run * AGES + age;
			char line[40];

			for (uint64_t n = 1 + dead_below(&seed, 6); n > 0; n--)
				damage(&seed);
			if (!vmcoreinfo_find(&ram.look, &ram.readable, KERNEL_PA, &info, NULL, NULL) &&
			    !printk_open(&ram.look, &info, &ring, NULL)) {
				opened++;
				printk_visit_last(&ring, SIZE_MAX, touch, &sum);
				printk_ending(&ring, line, sizeof(line));
			}
			/* (What was damaged lies in these places.) */
			memcpy(ram.bytes + (NOTE_PA - DEAD_BASE), good + (NOTE_PA - DEAD_BASE), 8192);
			memcpy(ram.bytes + (kernel.prb - DEAD_BASE), good + (kernel.prb - DEAD_BASE), 512);
			memcpy(ram.bytes + (kernel.descs - DEAD_BASE), good + (kernel.descs - DEAD_BASE),
			       kernel.data + 2048 - kernel.descs);
		}
		assert_memory_equal(ram.bytes, good, RAM_SIZE);
		free(good);
		end();
	}
	/* Else the test would say little. */
	assert_in_range(opened, DAMAGES / 4, DAMAGES);
	assert_true(sum);
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
		cmocka_unit_test(a_record_that_contradicts_itself_is_passed_over),
		cmocka_unit_test(text_ends_with_its_block_whatever_its_length_says),
		cmocka_unit_test(the_search_goes_back_over_4096_unreadable_records_at_most),
		cmocka_unit_test(a_head_far_before_the_tail_ends_at_one_round_of_the_ring),
		cmocka_unit_test(the_last_telling_line_of_the_kernel_names_the_end),
		cmocka_unit_test(a_telling_line_counts_for_256_records),
		cmocka_unit_test(the_telling_line_is_cut_to_its_buffer),
		cmocka_unit_test(orderly_ends_are_those_that_the_kernel_meant),
		cmocka_unit_test(a_record_is_written_as_dmesg_does),
		cmocka_unit_test(a_ring_that_can_not_be_is_not_opened),
		cmocka_unit_test(fields_outside_their_structs_are_refused),
		cmocka_unit_test(a_ring_in_the_linear_map_needs_its_page_offset),
		cmocka_unit_test(no_damage_hurts_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
