// SPDX-License-Identifier: BSD-2-Clause
/* The stage's log: formatted lines to the console and into a ring in memory. */
#include "boot/machine/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PREFIX "lifeboat: "

static const struct {
	const char *name;
	const char *mark; /* in front of the line, so that an error is found by eye and by grep */
} levels[] = {
	[LOG_ERROR] = {"error", "ERROR: "},
	[LOG_WARN] = {"warn", "warning: "},
	[LOG_INFO] = {"info", ""},
	[LOG_DEBUG] = {"debug", "debug: "},
};

void log_init(struct log *log, const struct console *console)
{
	log->console = *console;
	log->level = LOG_INFO;
	log->written = 0;
}

bool log_level_by_name(const char *name, size_t length, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strlen(levels[i].name) == length && !memcmp(levels[i].name, name, length)) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void keep(struct log *log, const char *text, size_t size)
{
	const size_t at = log->written % LOG_RING_SIZE;
	const size_t first = size < LOG_RING_SIZE - at ? size : LOG_RING_SIZE - at;

	memcpy(log->ring + at, text, first);
	memcpy(log->ring, text + first, size - first);
	log->written += size;
}

static void sanitise(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		text[i] = text_printable(text[i]);
}

size_t log_copy(const struct log *log, char *out, size_t room)
{
	uint64_t kept = log->written < LOG_RING_SIZE ? log->written : LOG_RING_SIZE;
	uint64_t first;

	if (kept > room)
		kept = room;
	first = log->written - kept;
	for (uint64_t i = 0; i < kept; i++)
		out[i] = log->ring[(first + i) % LOG_RING_SIZE];
	return kept;
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
	const size_t room = sizeof(log->line) - 2; /* for \r\n: a raw serial line wants both */
	va_list args;
	size_t size;
	int more;

	size = (size_t)snprintf(log->line, room, PREFIX "%s", levels[level].mark);
	va_start(args, format);
	more = vsnprintf(log->line + size, room - size, format, args);
	va_end(args);
	if (more > 0)
		size += (size_t)more < room - size ? (size_t)more : room - size - 1;
	sanitise(log->line, size);
	log->line[size++] = '\r';
	log->line[size++] = '\n';

	keep(log, log->line, size);
	if (level <= log->level)
		console_write(&log->console, log->line, size);
}
