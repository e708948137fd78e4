// SPDX-License-Identifier: BSD-2-Clause
/* A dead kernel's log as text: lines as dmesg shows them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kexec/dead/printk.h"

#define STAMP_MAX 32

/* In front of what is left of a log that is too long; always of the same length. */
#define HEADING	     "lifeboat: the oldest %10zu lines did not fit, and are left out\n"
#define HEADING_SIZE (sizeof(HEADING) - sizeof("%10zu") + 10)

bool printk_next_line(struct printk_record *rest, struct printk_record *line)
{
	const char *end;

	if (!rest->text)
		return false;
	end = rest->length ? memchr(rest->text, '\n', rest->length) : NULL;
	*line = *rest;
	if (end) {
		line->length = (size_t)(end - rest->text);
		rest->length -= line->length + 1;
	}
	rest->text = end && rest->length ? end + 1 : NULL;
	return true;
}

/*
 * "[%5lu.%06u] " in seconds and microseconds, at the end of @out, from the last digit on: snprintf() takes
 * four times as long, and was a third of all that a log costs.
 */
static const char *stamp(uint64_t ts_nsec, char out[STAMP_MAX])
{
	char *at = out + STAMP_MAX - 2, *const shortest = at - 1 - 5 - 6;
	uint64_t left = ts_nsec / 1000;

	at[0] = ']';
	at[1] = ' ';
	for (int digits = 0; left || digits < 7; digits++) {
		if (digits == 6)
			*--at = '.';
		*--at = (char)('0' + left % 10);
		left /= 10;
	}
	while (at > shortest)
		*--at = ' ';
	*--at = '[';
	return at;
}

/* Text that grows. */
struct writer {
	size_t at, from; /* in the whole text; what lies before @from is left out */
	bool keep;	 /* the line that is being put */
	bool open;	 /* the last record did not end its line */
	size_t left_out; /* lines */
	char *out;	 /* NULL: how long will it be? */
	size_t used, room;
};

static void put(struct writer *to, const char *bytes, size_t size)
{
	char *out;

	to->at += size;
	if (!to->keep || !to->out || size > to->room - to->used)
		return;
	out = to->out + to->used;
	to->used += size;
	for (const char *end = bytes + size; bytes != end; bytes++)
		*out++ = *bytes == '\n' ? '\n' : text_printable(*bytes);
}

static void begin_line(struct writer *to, uint64_t ts_nsec)
{
	char room[STAMP_MAX];
	const char *head = stamp(ts_nsec, room);

	if (to->at)
		put(to, "\n", 1);
	to->keep = to->at >= to->from;
	to->left_out += !to->keep;
	put(to, head, (size_t)(room + STAMP_MAX - head));
}

static void put_record(const struct printk_record *record, void *context)
{
	struct writer *to = context;
	struct printk_record rest = *record, line;
	bool joined = record->continued && to->open;

	while (printk_next_line(&rest, &line)) {
		if (!joined)
			begin_line(to, line.ts_nsec);
		joined = false;
		put(to, line.text, line.length);
	}
	to->open = !record->ends_line;
}

static void put_all(struct writer *to, const struct printk_ring *ring)
{
	if (printk_visit_last(ring, UINT32_MAX, put_record, to))
		put(to, "\n", 1);
}

size_t printk_text(const struct printk_ring *ring, char *out, size_t room)
{
	struct writer whole = {.out = NULL}, to = {.out = out, .room = room};
	char heading[HEADING_SIZE + STAMP_MAX];

	put_all(&whole, ring);
	if (whole.at > room) {
		to.from = whole.at - (room - HEADING_SIZE);
		to.used = HEADING_SIZE;
	}
	put_all(&to, ring);
	if (to.from) {
		snprintf(heading, sizeof(heading), HEADING, to.left_out);
		memcpy(out, heading, HEADING_SIZE);
	}
	return to.used;
}
