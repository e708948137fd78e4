/* SPDX-License-Identifier: BSD-2-Clause */
/* Text for a serial terminal: made printable, cut into pages; and numbers that people type. */
#ifndef LIFEBOAT_BASE_TEXT_H
#define LIFEBOAT_BASE_TEXT_H

#include "base/types.h"

#define TEXT_COLUMNS 80 /* of the terminal: a longer line takes several rows */

/** A character that does nothing but show itself: @c, or '?' for controls and what is not ASCII. */
static inline char text_printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

/**
 * Read a decimal number of exactly @length digits.
 *
 * Return: false, @number unchanged, if it is none or above @max.
 */
bool text_read_number(const char *text, size_t length, uint32_t max, uint32_t *number);

/** Text in one piece or, as a ring has it, in two. */
struct text {
	const char *piece[2];
	size_t size[2];
};

/** All of its characters. */
size_t text_size(const struct text *text);

/** The character at @at, which must be below text_size(). */
char text_at(const struct text *text, size_t at);

/**
 * Where the page begins that ends at @end: the last @rows rows before it.
 *
 * That is where a line begins, unless the line is longer than a page.
 */
size_t text_page_before(const struct text *text, size_t end, size_t rows);

/** Where the page ends that begins at @start. */
size_t text_page_after(const struct text *text, size_t start, size_t rows);

#endif
