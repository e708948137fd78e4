/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Linux command line, by Linux' own rules: kernel/params.c, parse_args() and next_arg().
 *
 * Words end at white space outside of quotes. A word `--` ends the kernel's options; what is behind it are
 * init's arguments. In names '-' and '_' are the same. Of an option that is there several times, most often
 * the last one counts.
 */
#ifndef LIFEBOAT_BASE_CMDLINE_H
#define LIFEBOAT_BASE_CMDLINE_H

#include "base/types.h"

#define CMDLINE_ROOM  2048
#define CMDLINE_LINUX 1023 /* characters that riscv Linux takes up to 6.12: COMMAND_LINE_SIZE, less the NUL */

/** A word. It points into the line that it was read from. */
struct cmdline_word {
	const char *text; /* all of it, quotes included */
	size_t length;
	const char *name; /* without quotes */
	size_t name_length;
	const char *value; /* behind the first '=', without quotes; NULL: there is none */
	size_t value_length;
	bool open; /* a quote is missing at its end */
};

/** A command line that is being made: words with one space between them. */
struct cmdline {
	size_t most; /* characters, below CMDLINE_ROOM */
	char text[CMDLINE_ROOM];
	char lost[80]; /* the beginning of what found no room; "": all did */
};

/** Read the word at *@at, and step behind it. Return: false, nothing changed, if there is none. */
bool cmdline_next(const char **at, struct cmdline_word *word);

/** Have the two the same name? */
bool cmdline_same(const struct cmdline_word *a, const struct cmdline_word *b);

/** Find the last word before `--` that has the name of the first one of @option. Return: is there any? */
bool cmdline_find(const char *line, const char *option, struct cmdline_word *found);

/** Begin an empty line that will have @most characters at most. */
void cmdline_begin(struct cmdline *line, size_t most);

/**
 * Append @text: its options before the `--` of @line, its arguments of init at the end.
 *
 * A quote that is left open is closed, so that it takes nothing in that comes later. From the first word on
 * that has no room @text goes to line->lost.
 */
void cmdline_append(struct cmdline *line, const char *text);

/** Take a word out that was read from line->text. Other words of it are stale then. */
void cmdline_remove(struct cmdline *line, const struct cmdline_word *word);

/**
 * Put those of @options in front of all else that @line has not.
 *
 * There they act whatever follows, and what is meant to override them does. If there is no room words at the
 * end make it: they go to line->lost.
 * @options  fit into line->most by themselves
 * Return: how many characters of line->text are these options, and spaces between them.
 */
size_t cmdline_ensure(struct cmdline *line, const char *options);

#endif
