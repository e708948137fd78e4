// SPDX-License-Identifier: BSD-2-Clause
/* The text that is made of a dead kernel's log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "printk_check.h"

static char text[64 * KIB];

static void assert_text(const char *want, size_t room)
{
	size_t size;

	memset(text, '#', sizeof(text));
	open_ring();
	size = printk_text(&ring, text, room);
	text[size] = '\0';
	assert_string_equal(text, want);
	assert_true(size <= room);
	assert_int_equal(text[room + 1], '#');
}

static void a_record_of_several_lines_is_several_and_what_was_continued_is_joined(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.size_bits = 12;
	dead_kernel_build(&kernel);
	dead_log_flags(&kernel, "one\ntwo\n\nfour", LOG_NEWLINE);
	dead_log_flags(&kernel, "begun,", 0);
	dead_log_flags(&kernel, " continued,", LOG_CONT);
	dead_log_flags(&kernel, " done", LOG_CONT | LOG_NEWLINE);
	dead_log_flags(&kernel, "other's begin", 0);
	dead_log_flags(&kernel, "whole", LOG_NEWLINE);
	dead_log_flags(&kernel, "late\x1b", LOG_CONT | LOG_NEWLINE);
	dead_log_flags(&kernel, "", LOG_NEWLINE);
	assert_text("[    0.000000] one\n[    0.000000] two\n[    0.000000] \n[    0.000000] four\n"
		    "[    0.001000] begun, continued, done\n"
		    "[    0.004000] other's begin\n[    0.005000] whole\n[    0.006000] late?\n"
		    "[    0.007000] \n",
		    4096);
	end();
}

static void of_a_log_that_is_too_long_the_newest_whole_lines_are_kept(void **state)
{
	char want[8192], line[64];
	size_t from;

	(void)state;
	for (size_t room = 256; room <= 2048; room += 7) {
		begin(AGE_6_12);
		kernel.count_bits = 7;
		kernel.size_bits = 13;
		dead_kernel_build(&kernel);
		for (int i = 0; i < 100; i++) {
			snprintf(line, sizeof(line), "line %02d", i);
			dead_log(&kernel, line);
		}
		/* 23 bytes a line, 68 for the heading. */
		from = 100 - (room - 68) / 23;
		snprintf(want, sizeof(want),
			 "lifeboat: the oldest %10zu lines did not fit, and are left out\n", from);
		assert_int_equal(strlen(want), 68);
		for (size_t i = from; i < 100; i++)
			snprintf(want + strlen(want), sizeof(want) - strlen(want),
				 "[    0.%06zu] line %02zu\n", i * 1000, i);
		assert_text(want, room);
		end();
	}
}

static void a_log_that_just_fits_is_kept_whole(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.size_bits = 12;
	dead_kernel_build(&kernel);
	for (int i = 0; i < 16; i++)
		dead_log(&kernel, i ? "x" : "the first");
	open_ring();
	assert_int_equal(printk_text(&ring, text, 280), 280);
	assert_memory_equal(text, "[    0.000000] the first\n", 25);
	assert_int_not_equal(printk_text(&ring, text, 279), 280);
	assert_memory_equal(text, "lifeboat: the oldest ", 21);
	end();
}

static void a_record_is_written_as_dmesg_does(void **state)
{
	static const struct {
		uint64_t ts;
		const char *text;
		size_t length;
		const char *line;
	} rows[] = {
		{0, "Linux version", 13, "[    0.000000] Linux version\n"},
		{1234567890, "x", 1, "[    1.234567] x\n"},
		{UINT64_C(99999999999999), "x", 1, "[99999.999999] x\n"},
		{UINT64_C(123456000000789), "x", 1, "[123456.000000] x\n"},
		{UINT64_MAX, "", 0, "[18446744073.709551] \n"},
		{0, "a\tbc\x1b\x7f\x80~ \0z", 11, "[    0.000000] a?bc???~ ?z\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dead_record *record;

		build(AGE_6_12);
		record = dead_log_bytes(&kernel, rows[i].text, rows[i].length);
		record->ts = rows[i].ts;
		dead_log_rewrite(&kernel, record);
		assert_text(rows[i].line, 256);
		end();
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_of_several_lines_is_several_and_what_was_continued_is_joined),
		cmocka_unit_test(of_a_log_that_is_too_long_the_newest_whole_lines_are_kept),
		cmocka_unit_test(a_log_that_just_fits_is_kept_whole),
		cmocka_unit_test(a_record_is_written_as_dmesg_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
