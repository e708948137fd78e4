// SPDX-License-Identifier: BSD-2-Clause
/* What the menu is made of: lines without the log's prefix, keys, and text a page at a time. */
#include "boot/choose/page.h"

#include <stdarg.h>
#include <stdio.h>

#include "boot/machine/clock.h"

#define PAGE_ROWS	 20		    /* of a terminal's 24 */
#define POLLS_PER_SECOND UINT64_C(100000)   /* without a clock: 10 us for a call of the firmware */
#define POLLS_MOST	 UINT64_C(50000000) /* a second, by a clock that stands still */
#define CHUNK		 128

void page_say(const struct facts *facts, const char *format, ...)
{
	char line[TEXT_COLUMNS +
		  2]; /* 79 columns, NUL or CR, LF: the last column makes some terminals wrap */
	va_list args;
	size_t size;
	int length;

	va_start(args, format);
	length = vsnprintf(line, TEXT_COLUMNS, format, args);
	va_end(args);
	size = length < 0 ? 0 : (size_t)length < TEXT_COLUMNS ? (size_t)length : TEXT_COLUMNS - 1;
	for (size_t i = 0; i < size; i++)
		line[i] = text_printable(line[i]);
	line[size++] = '\r';
	line[size++] = '\n';
	console_write(&facts->log->console, line, size);
}

static bool is_key(int c)
{
	return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\x1b';
}

int page_wait_key(const struct facts *facts, uint32_t seconds)
{
	const uint64_t begin = clock_read(),
		       ticks = (uint64_t)seconds * facts->hw->machine.timebase_frequency;
	const bool has_clock = begin && facts->hw->machine.timebase_frequency;
	const uint64_t most = seconds * (has_clock ? POLLS_MOST : POLLS_PER_SECOND);

	for (uint64_t polls = 0;; polls++) {
		const int c = console_read(&facts->log->console);

		if (is_key(c))
			return c;
		if (polls >= most || (has_clock && clock_read() - begin >= ticks))
			return -1;
	}
}

static void print(const struct facts *facts, const struct text *text, size_t start, size_t end)
{
	char chunk[CHUNK];
	size_t size = 0;

	for (size_t i = start; i < end; i++) {
		const char c = text_at(text, i);

		if (c == '\n')
			chunk[size++] = '\r';
		if (c != '\r')
			chunk[size++] = c == '\n' ? c : text_printable(c);
		if (size + 2 > sizeof(chunk) || i + 1 == end) {
			console_write(&facts->log->console, chunk, size);
			size = 0;
		}
	}
}

void page_show(const struct facts *facts, const struct text *text)
{
	size_t end = text_size(text), start = text_page_before(text, end, PAGE_ROWS);
	int key;

	for (;;) {
		print(facts, text, start, end);
		page_say(facts, "-- bytes %zu to %zu of %zu; b: further back, space: on, other keys: menu",
			 start, end, text_size(text));
		key = page_wait_key(facts, PAGE_IDLE_SECONDS);
		if (key == 'b' && start) {
			end = start;
			start = text_page_before(text, end, PAGE_ROWS);
		} else if (key == ' ' && end < text_size(text)) {
			start = end;
			end = text_page_after(text, start, PAGE_ROWS);
		} else if (key != 'b') {
			return;
		}
	}
}
