// SPDX-License-Identifier: BSD-2-Clause
/* The boot counter: deaths in a row, against a plain list of what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "kexec/crash/deaths.h"

#define SECOND UINT64_C(1000000000)

static const struct boot_start three = {.bundle_id = 7, .limit = 3, .seconds = 60};
static const char *const names[] = {"one", "two", "three"};

/* It starts, and gets as far as that. */
static void begin(struct crash_record *record, const struct boot_start *bundle, size_t index)
{
	struct boot_start start = *bundle;

	start.config = index;
	start.name = names[index];
	boot_count_start(record, &start);
}

static uint32_t demoted(struct crash_record *record, const struct boot_start *bundle, size_t count)
{
	return boot_count_demoted(record, bundle->bundle_id, bundle->limit, count);
}

static void the_last_early_death_in_a_row_demotes(void **state)
{
	struct crash_record record = {.state = CRASH_EMPTY};

	(void)state;
	for (unsigned death = 1; death <= 3; death++) {
		begin(&record, &three, 0);
		assert_int_equal(demoted(&record, &three, 3), 0);
		assert_int_equal(boot_count_death(&record, 60 * SECOND - 1),
				 death < 3 ? BOOT_COUNT_EARLY : BOOT_COUNT_DEMOTED);
		assert_int_equal(record.early_deaths, death % 3);
	}
	assert_int_equal(demoted(&record, &three, 3), 1);
	begin(&record, &three, 1);
	assert_string_equal(record.boot_name, "two");
	assert_int_equal(demoted(&record, &three, 3), 1);
}

static void a_long_life_and_a_confirmed_one_begin_a_new_row(void **state)
{
	struct crash_record record = {.state = CRASH_EMPTY};

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		begin(&record, &three, 0);
		assert_int_equal(boot_count_death(&record, BOOT_COUNT_NO_LOG), BOOT_COUNT_EARLY);
		begin(&record, &three, 0);
		assert_int_equal(boot_count_death(&record, 1), BOOT_COUNT_EARLY);
		begin(&record, &three, 0);
		record.boot_confirmed = round % 2;
		assert_int_equal(boot_count_death(&record, round % 2 ? 1 : 60 * SECOND),
				 round % 2 ? BOOT_COUNT_CONFIRMED : BOOT_COUNT_LATE);
		assert_int_equal(record.early_deaths, 0);
	}
	begin(&record, &three, 0);
	assert_int_equal(record.boot_confirmed, 0); /* each boot is confirmed for itself */
}

static void another_configuration_begins_a_row_of_its_own(void **state)
{
	struct crash_record record = {.state = CRASH_EMPTY};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		begin(&record, &three, i % 2);
		assert_int_equal(boot_count_death(&record, 0), BOOT_COUNT_EARLY);
		assert_int_equal(record.early_deaths, 1);
	}
}

static void another_bundle_begins_anew(void **state)
{
	struct crash_record record = {
		.boot_bundle = 7, .boot_demoted = 3, .early_deaths = 2, .boot_limit = 3};
	struct boot_start other = three;

	(void)state;
	assert_int_equal(demoted(&record, &three, 3), 3);
	other.bundle_id = 8;
	assert_int_equal(demoted(&record, &other, 3), 0);
	begin(&record, &other, 0);
	assert_int_equal(record.boot_demoted, 0);
	assert_int_equal(record.early_deaths, 0);
}

static void when_all_are_demoted_all_get_another_chance(void **state)
{
	struct crash_record record = {.boot_bundle = 7, .boot_demoted = 7, .boot_limit = 3};

	(void)state;
	assert_int_equal(demoted(&record, &three, 4), 7);
	assert_int_equal(demoted(&record, &three, 3), 0);
	assert_int_equal(record.boot_demoted, 0);
	record.boot_demoted = ~UINT32_C(7) | 5; /* bits that stand for nothing don't count */
	assert_int_equal(demoted(&record, &three, 3), 5);
	record.boot_demoted = UINT32_C(1) << (CRASH_CONFIGS - 1); /* as many as there are bits */
	assert_int_equal(demoted(&record, &three, CRASH_CONFIGS), UINT32_C(1) << (CRASH_CONFIGS - 1));
	record.boot_demoted = UINT32_MAX;
	assert_int_equal(demoted(&record, &three, CRASH_CONFIGS), 0);
}

static void without_a_limit_nothing_is_counted(void **state)
{
	struct crash_record record = {.boot_bundle = 7, .boot_demoted = 1};
	struct boot_start off = three;

	(void)state;
	off.limit = 0;
	assert_int_equal(demoted(&record, &off, 3), 0);
	begin(&record, &off, 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(boot_count_death(&record, 0), BOOT_COUNT_OFF);
	assert_int_equal(record.early_deaths, 0);
}

static void a_name_from_outside_is_cut_and_printable(void **state)
{
	struct crash_record record = {.state = CRASH_EMPTY};
	struct boot_start start = three;

	(void)state;
	start.name = "\x1b[2J\xc2\x9b a\x7f~";
	boot_count_start(&record, &start);
	assert_string_equal(record.boot_name, "?[2J???a?~");
	start.name = "0123456789012345678901234567890123456789";
	boot_count_start(&record, &start);
	assert_string_equal(record.boot_name, "0123456789012345678901234567890");
	start.name = "x";
	boot_count_start(&record, &start);
	for (size_t i = 1; i < sizeof(record.boot_name); i++)
		assert_int_equal(record.boot_name[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_early_death_in_a_row_demotes),
		cmocka_unit_test(a_long_life_and_a_confirmed_one_begin_a_new_row),
		cmocka_unit_test(another_configuration_begins_a_row_of_its_own),
		cmocka_unit_test(another_bundle_begins_anew),
		cmocka_unit_test(when_all_are_demoted_all_get_another_chance),
		cmocka_unit_test(without_a_limit_nothing_is_counted),
		cmocka_unit_test(a_name_from_outside_is_cut_and_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
