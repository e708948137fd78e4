// SPDX-License-Identifier: BSD-2-Clause
/*
 * Command lines, against Linux' way to take one apart: in place, as parse_args() does, with NULs put between
 * the parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cmdline.h"
#include "kexec/crash/barred.h"

static struct cmdline line;

/* ---- Words ---- */

/* Linux' rule, by index: returns where the next word begins, NULL when all is read. */
static char *linux_next(char *at, char **name, char **value)
{
	const size_t quoted = *at == '"';
	size_t equals = 0, i = 0;
	int inside = (int)quoted;

	at += quoted;
	for (; at[i] && (inside || !strchr(" \t\n\v\f\r\xa0", at[i])); i++) {
		if (!equals && at[i] == '=')
			equals = i;
		if (at[i] == '"')
			inside = !inside;
	}
	*name = at;
	*value = NULL;
	if (equals) {
		at[equals] = '\0';
		*value = at + equals + 1;
		if (**value == '"') {
			++*value;
			if (at[i - 1] == '"')
				at[i - 1] = '\0';
		}
	}
	if (quoted && i && at[i - 1] == '"')
		at[i - 1] = '\0';
	if (at[i])
		at[i++] = '\0';
	return at + i;
}

static void check_words(const char *text)
{
	static char copy[512];
	char *left = copy, *end = copy + strlen(text), *name, *value;
	struct cmdline_word word;

	snprintf(copy, sizeof(copy), "%s", text);
	for (;;) {
		while (left < end && strchr(" \t\n\v\f\r\xa0", *left))
			left++;
		if (left >= end)
			break;
		left = linux_next(left, &name, &value);
		if (!cmdline_next(&text, &word))
			fail_msg("no word for %s", name);
		assert_int_equal(word.name_length, strlen(name));
		assert_memory_equal(word.name, name, word.name_length);
		assert_int_equal(word.value != NULL, value != NULL);
		if (!value)
			continue;
		assert_int_equal(word.value_length, strlen(value));
		assert_memory_equal(word.value, value, word.value_length);
	}
	assert_false(cmdline_next(&text, &word));
}

static void words_are_those_that_linux_sees(void **state)
{
	static const char *const texts[] = {
		"",
		"   ",
		"quiet",
		" console=ttyS0,115200  quiet\t",
		"a=\"b c\" d",
		"\"a=b c\" d",
		"\"a b\"",
		"a=b=c",
		"=a",
		"a=",
		"a=\"",
		"\"",
		"\"\"",
		"a=\"b c",
		"x\"y z\"w",
		"a=b\"c d\"e",
		"-- init",
		"\"--\" init",
		"dyndbg=\"file x +p; func y -p\" root=/dev/vda",
		"a\xa0"
		"b\nc\rd\ve\ff",
	};
	static const char letters[] = "ab=\" \"= -_\t";
	uint64_t seed = 20261127;
	char text[24];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check_words(texts[i]);
	for (int round = 0; round < 50000; round++) {
		size_t length;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		length = (size_t)(seed >> 33) % sizeof(text);
		for (size_t i = 0; i < length; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			text[i] = letters[(seed >> 33) % (sizeof(letters) - 1)];
		}
		text[length] = '\0';
		check_words(text);
	}
}

static void the_last_of_a_name_before_the_dashes_is_found(void **state)
{
	static const struct {
		const char *text, *option, *value; /* NULL: not there */
	} rows[] = {
		{"panic=1 panic=2 quiet", "panic=5", "2"},
		{"panic=1 -- panic=2", "panic=5", "1"},
		{"quiet -- panic=2", "panic=5", NULL},
		{"panic_print=1", "panic=5", NULL},
		{"panic=1", "panic_print=5", NULL},
		{"nr-cpus=4", "nr_cpus=1", "4"},
		{"a=\"x panic=3\"", "panic=5", NULL},
		{"\"panic=3\"", "panic=5", "3"},
		{"", "panic=5", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cmdline_word word;
		const bool found = cmdline_find(rows[i].text, rows[i].option, &word);

		assert_int_equal(found, rows[i].value != NULL);
		if (found)
			assert_memory_equal(word.value, rows[i].value, word.value_length);
	}
}

/* ---- Joining ---- */

static const char *joined(const char *a, const char *b, size_t most)
{
	cmdline_begin(&line, most);
	cmdline_append(&line, a);
	cmdline_append(&line, b);
	return line.text;
}

static void options_come_before_the_dashes_and_arguments_behind(void **state)
{
	(void)state;
	assert_string_equal(joined("a b", "c", 99), "a b c");
	assert_string_equal(joined("a -- x", "b c", 99), "a b c -- x");
	assert_string_equal(joined("a", "b -- x", 99), "a b -- x");
	assert_string_equal(joined("a -- x", "b -- y -- z", 99), "a b -- x y -- z");
	assert_string_equal(joined("-- x", "b", 99), "b -- x");
	assert_string_equal(joined("", "", 99), "");
	assert_string_equal(joined("a=\"b c", "d", 99), "a=\"b c\" d");
	assert_string_equal(line.lost, "");
}

static void what_has_no_room_is_left_out_from_a_word_on_and_told(void **state)
{
	(void)state;
	assert_string_equal(joined("abc def", "gh", 10), "abc def gh");
	assert_string_equal(line.lost, "");
	assert_string_equal(joined("abc def", "ghi j", 10), "abc def");
	assert_string_equal(line.lost, "ghi j");
	assert_string_equal(joined("abc defghijk", "x", 10), "abc x");
	assert_string_equal(line.lost, "defghijk");
	assert_string_equal(joined("a=\"b c", "", 6), "");
	assert_string_equal(joined("a=\"b c", "", 7), "a=\"b c\"");
}

static void what_is_lost_is_told_as_far_as_it_fits(void **state)
{
	static char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	joined(text, text, CMDLINE_LINUX);
	assert_string_equal(line.text, "");
	assert_int_equal(strlen(line.lost), sizeof(line.lost) - 1);
}

/* ---- What must be there ---- */

static void what_is_needed_goes_in_front_unless_it_is_there(void **state)
{
	(void)state;
	joined("console=ttyS0 -- single", "", 99);
	assert_int_equal(cmdline_ensure(&line, "panic=5 reboot=panic_warm"), 25);
	assert_string_equal(line.text, "panic=5 reboot=panic_warm console=ttyS0 -- single");
	assert_int_equal(cmdline_ensure(&line, "panic=5 reboot=panic_warm"), 0);
	joined("panic=1 -- reboot=x", "", 99);
	assert_int_equal(cmdline_ensure(&line, "panic=5 reboot=panic_warm"), 17);
	assert_string_equal(line.text, "reboot=panic_warm panic=1 -- reboot=x");
	joined("", "", 99);
	assert_int_equal(cmdline_ensure(&line, "a b=1"), 5);
	assert_string_equal(line.text, "a b=1");
}

/* Whatever the user says, and however long: ours act, and nothing is longer than was asked for. */
static void what_is_needed_makes_its_room_at_the_end(void **state)
{
	static const char needs[] = "panic=5 reboot=panic_warm";

	(void)state;
	for (size_t most = strlen(needs); most < 60; most++) {
		struct cmdline_word word;

		joined("aa bb cc \"d d\" panic=9", "ee -- ff gg", most);
		cmdline_ensure(&line, needs);
		assert_true(strlen(line.text) <= most);
		assert_true(cmdline_find(line.text, "panic=", &word));
		assert_true(*word.value == '9' || *word.value == '5');
		assert_true(cmdline_find(line.text, "reboot=", &word));
		assert_int_equal(*line.lost != '\0',
				 strlen("reboot=panic_warm aa bb cc \"d d\" panic=9 ee -- ff gg") > most);
	}
	joined("aa bb cc panic=9", "", 30);
	assert_int_equal(cmdline_ensure(&line, needs), 25); /* the user's made room itself */
	assert_string_equal(line.text, "reboot=panic_warm panic=5 aa");
	assert_string_equal(line.lost, "panic=9 cc bb");
}

static void a_word_that_is_removed_leaves_one_space(void **state)
{
	static const char *const left[] = {"b c", "a c", "a b"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *at = line.text;
		struct cmdline_word word;

		joined("a b c", "", 99);
		for (size_t n = 0; n <= i; n++)
			assert_true(cmdline_next(&at, &word));
		cmdline_remove(&line, &word);
		assert_string_equal(line.text, left[i]);
	}
}

/* ---- Barred ---- */

static void what_eats_a_crash_kernels_memory_is_barred_and_nothing_else(void **state)
{
	static const char *const never[] = {
		"crashkernel=256M",
		"crashkernel=auto",
		"\"crashkernel=1G\"",
		"hugepages=120",
		"hugepagesz=1G",
		"default-hugepagesz=1G",
		"hugetlb_cma=1G",
		"mem=64M",
		"memmap=1G$1G",
		"cma=64M",
		"cma=64M@0-4G",
		"cma",
		"log_buf_len=4G",
		"log-buf-len=2M",
		"log_buf_len=0x4000000",
		"log_buf_len=1048577",
		"resume=/dev/sda2",
		"resume_offset=34816",
		"elfcorehdr=0x1000",
		"reserve_mem=4M:1M:trace",
		"swiotlb=65536",
		"kernelcore=1G",
		"sysctl.vm.nr_hugepages=512",
		"slub_debug",
		"initrd=0x80000000,1M",
		"log_buf_len=",
		"crashkernel=\"256M high\"",
	};
	static const char *const may[] = {
		"console=ttyS0,115200",
		"earlycon=sbi",
		"root=/dev/vda2",
		"nr_cpus=4",
		"maxcpus=1",
		"cma=0",
		"hugepages=0",
		"log_buf_len=1M",
		"log_buf_len=512K",
		"log_buf_len=131072",
		"panic=0",
		"memtest",
		"memory=1",
		"noresume",
		"sysctl.vm.min_free_kbytes=4096",
		"--",
		"init=/bin/sh",
		"crashkernels=1",
		"a.mem=1",
		"quiet",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never) + ARRAY_SIZE(may); i++) {
		const bool expected = i < ARRAY_SIZE(never);
		const char *text = expected ? never[i] : may[i - ARRAY_SIZE(never)], *at = text;
		struct cmdline_word word;

		assert_true(cmdline_next(&at, &word));
		if (crash_is_barred(&word) != expected)
			fail_msg("%s is%s barred", text, expected ? " not" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_that_linux_sees),
		cmocka_unit_test(the_last_of_a_name_before_the_dashes_is_found),
		cmocka_unit_test(options_come_before_the_dashes_and_arguments_behind),
		cmocka_unit_test(what_has_no_room_is_left_out_from_a_word_on_and_told),
		cmocka_unit_test(what_is_lost_is_told_as_far_as_it_fits),
		cmocka_unit_test(what_is_needed_goes_in_front_unless_it_is_there),
		cmocka_unit_test(what_is_needed_makes_its_room_at_the_end),
		cmocka_unit_test(a_word_that_is_removed_leaves_one_space),
		cmocka_unit_test(what_eats_a_crash_kernels_memory_is_barred_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
