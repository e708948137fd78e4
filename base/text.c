// SPDX-License-Identifier: BSD-2-Clause
/* Text for a serial terminal. */
#include "base/text.h"

bool text_read_number(const char *text, size_t length, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;

	if (!length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

size_t text_size(const struct text *text)
{
	return text->size[0] + text->size[1];
}

char text_at(const struct text *text, size_t at)
{
	return at < text->size[0] ? text->piece[0][at] : text->piece[1][at - text->size[0]];
}

/* What a line of @length characters takes on the terminal; an empty one takes a row, too. */
static size_t rows_of(size_t length)
{
	return length ? (length + TEXT_COLUMNS - 1) / TEXT_COLUMNS : 1;
}

/* Without its newline. */
static size_t line_start(const struct text *text, size_t end)
{
	while (end && text_at(text, end - 1) != '\n')
		end--;
	return end;
}

static size_t line_end(const struct text *text, size_t start)
{
	while (start < text_size(text) && text_at(text, start) != '\n')
		start++;
	return start;
}

size_t text_page_before(const struct text *text, size_t end, size_t rows)
{
	size_t page = end;

	while (page) {
		const size_t last = text_at(text, page - 1) == '\n' ? page - 1 : page;
		const size_t start = line_start(text, last);
		const size_t takes = rows_of(last - start);

		if (takes > rows) {
			if (page == end) /* longer than a page: its end */
				page = last - rows * TEXT_COLUMNS;
			break;
		}
		rows -= takes;
		page = start;
	}
	return page;
}

size_t text_page_after(const struct text *text, size_t start, size_t rows)
{
	const size_t size = text_size(text);
	size_t page = start;

	while (page < size) {
		const size_t last = line_end(text, page);
		const size_t takes = rows_of(last - page);

		if (takes > rows) {
			if (page == start)
				page += rows * TEXT_COLUMNS;
			break;
		}
		rows -= takes;
		page = last < size ? last + 1 : last;
	}
	return page;
}
