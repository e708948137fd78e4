/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage's log: lines on the console, from a level on, and all of them in memory.
 *
 * A line is "lifeboat: part: what happened". At level info a boot tells its story in less than a screen.
 */
#ifndef LIFEBOAT_BOOT_MACHINE_LOG_H
#define LIFEBOAT_BOOT_MACHINE_LOG_H

#include "base/error.h"
#include "boot/machine/console.h"

enum log_level {
	LOG_ERROR, /* the boot can't go on as asked */
	LOG_WARN,  /* something is wrong, but the boot goes on */
	LOG_INFO,
	LOG_DEBUG,
};

#define LOG_LINE_MAX  256  /* longer lines are cut */
#define LOG_RING_SIZE 8192 /* the last so many bytes are kept in memory */

struct log {
	struct console console;
	struct diag diag;     /* the line of the last failure: who gives up, or goes on without, prints it */
	enum log_level level; /* lines above it are not printed, only kept */
	uint64_t written;     /* bytes ever kept; the ring holds the last LOG_RING_SIZE of them */
	char ring[LOG_RING_SIZE];
	char line[LOG_LINE_MAX];
};

/** Begin an empty log on @console. */
void log_init(struct log *log, const struct console *console);

/**
 * Write one line (no newline in @format). What is not printable ASCII, which outside data may hold, becomes
 * '?'.
 */
void log_line(struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Copy the kept lines, oldest first, at most the last @room bytes. Return: bytes copied. */
size_t log_copy(const struct log *log, char *out, size_t room);

/** The level called @name ("error", "warn", "info", "debug"); false, @level unchanged, if there is none. */
bool log_level_by_name(const char *name, size_t length, enum log_level *level);

#define log_error(log, ...) log_line(log, LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  log_line(log, LOG_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_line(log, LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_line(log, LOG_DEBUG, __VA_ARGS__)

#endif
