// SPDX-License-Identifier: BSD-2-Clause
/* Numbers that people type, and pages of text against a terminal that is a counter of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define ROWS 5

static void a_number_is_digits_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		uint32_t max, number;
		bool good;
	} rows[] = {
		{"0", 600, 0, true},
		{"007", 600, 7, true},
		{"600", 600, 600, true},
		{"601", 600, 0, false},
		{"4294967295", UINT32_MAX, UINT32_MAX, true},
		{"4294967296", UINT32_MAX, 0, false},
		{"18446744073709551617", UINT32_MAX, 0, false}, /* 1, if it wrapped around */
		{"", 600, 0, false},
		{"-1", 600, 0, false},
		{"+1", 600, 0, false},
		{"1s", 600, 0, false},
		{" 1", 600, 0, false},
		{"/", 600, 0, false},
		{":", 600, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t number = 12345;
		bool good = text_read_number(rows[i].text, strlen(rows[i].text), rows[i].max, &number);

		if (good != rows[i].good || number != (good ? rows[i].number : 12345))
			fail_msg("'%s' is %d, %u", rows[i].text, good, number);
	}
}

static void only_what_shows_itself_is_printable(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		assert_int_equal(text_printable((char)c), c >= 0x20 && c < 0x7f ? (char)c : '?');
}

/* Rows that a terminal takes for [@start, @end), character by character. */
static size_t rows_shown(const struct text *text, size_t start, size_t end)
{
	size_t rows = 0, column = 0;
	bool fresh = true; /* nothing of this row is there yet */

	for (size_t at = start; at < end; at++) {
		if (text_at(text, at) == '\n') {
			rows += fresh && !column;
			column = 0;
			fresh = true;
			continue;
		}
		if (column % TEXT_COLUMNS == 0)
			rows++;
		column++;
		fresh = false;
	}
	return rows;
}

static struct text make(char *room, size_t size, uint64_t *seed)
{
	for (size_t i = 0; i < size; i++) {
		*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		room[i] = (*seed >> 40) % 61 ? 'x' : '\n';
	}
	*seed += 1;
	return (struct text){{room, room + size / 3}, {size / 3, size - size / 3}};
}

/* Every character is on a page, none on two; no page is too high, and none could have taken a line more. */
static void pages_cover_all_and_none_is_too_high(void **state)
{
	static char room[3000];
	uint64_t seed = 1;

	(void)state;
	for (size_t size = 0; size < sizeof(room); size += 37) {
		const struct text text = make(room, size, &seed);
		size_t end = size, start = 0;

		while (end) {
			const size_t page = text_page_before(&text, end, ROWS);

			assert_true(page < end);
			assert_in_range(rows_shown(&text, page, end), 1, ROWS);
			if (page && text_at(&text, page - 1) == '\n') {
				size_t more = page - 1;

				while (more && text_at(&text, more - 1) != '\n')
					more--;
				assert_true(rows_shown(&text, more, end) > ROWS);
			}
			end = page;
		}
		while (start < size) {
			const size_t page = text_page_after(&text, start, ROWS);

			assert_true(page > start && page <= size);
			assert_in_range(rows_shown(&text, start, page), 1, ROWS);
			start = page;
		}
	}
}

static void a_ring_reads_as_one_text(void **state)
{
	const struct text text = {{"ab", "cd"}, {2, 2}};

	(void)state;
	assert_int_equal(text_size(&text), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(text_at(&text, i), "abcd"[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
		cmocka_unit_test(only_what_shows_itself_is_printable),
		cmocka_unit_test(pages_cover_all_and_none_is_too_high),
		cmocka_unit_test(a_ring_reads_as_one_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
