// SPDX-License-Identifier: BSD-2-Clause
/* A Linux command line, by Linux' own rules. */
#include "base/cmdline.h"

#include <stdio.h>
#include <string.h>

/* Linux' isspace(), with Latin-1's space that does not break. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (uint8_t)c == 0xa0;
}

/* Quotes around the word, or around its value, are no part of them. */
static void find_parts(struct cmdline_word *word, const char *equals)
{
	const char *end = word->text + word->length;
	const bool is_quoted = *word->text == '"' || (equals && equals[1] == '"');

	word->value = equals ? equals + 1 + (equals[1] == '"') : NULL;
	if (is_quoted && end > (equals ? word->value : word->name) && end[-1] == '"')
		end--;
	word->name_length = (size_t)((equals ? equals : end) - word->name);
	word->value_length = equals ? (size_t)(end - word->value) : 0;
}

bool cmdline_next(const char **at, struct cmdline_word *word)
{
	const char *equals = NULL, *end = *at;

	while (is_space(*end))
		end++;
	if (!*end)
		return false;
	*word = (struct cmdline_word){.text = end, .name = end + (*end == '"')};
	for (; *end && (word->open || !is_space(*end)); end++) {
		word->open ^= *end == '"';
		if (!equals && *end == '=' && end > word->name)
			equals = end;
	}
	word->length = (size_t)(end - word->text);
	find_parts(word, equals);
	*at = end;
	return true;
}

static char folded(char c)
{
	return c == '-' ? '_' : c;
}

bool cmdline_same(const struct cmdline_word *a, const struct cmdline_word *b)
{
	size_t i = 0;

	if (a->name_length != b->name_length)
		return false;
	while (i < a->name_length && folded(a->name[i]) == folded(b->name[i]))
		i++;
	return i == a->name_length;
}

static bool ends_options(const struct cmdline_word *word)
{
	return !word->value && word->name_length == 2 && !memcmp(word->name, "--", 2);
}

bool cmdline_find(const char *line, const char *option, struct cmdline_word *found)
{
	struct cmdline_word wanted, word;
	bool is_there = false;

	if (!cmdline_next(&option, &wanted))
		return false;
	while (cmdline_next(&line, &word) && !ends_options(&word)) {
		if (!cmdline_same(&word, &wanted))
			continue;
		*found = word;
		is_there = true;
	}
	return is_there;
}

void cmdline_begin(struct cmdline *line, size_t most)
{
	line->most = most;
	*line->text = *line->lost = '\0';
}

static void lose(struct cmdline *line, const char *text, size_t length)
{
	const size_t used = strlen(line->lost);

	snprintf(line->lost + used, sizeof(line->lost) - used, "%s%.*s", used ? " " : "", (int)length, text);
}

/* Make @word one of the line's at @at, where another begins or all ends. Return: where it ends; 0: no room */
static size_t insert(struct cmdline *line, size_t at, const struct cmdline_word *word)
{
	const size_t used = strlen(line->text), gap = used != 0, length = word->length + word->open;
	char *to = line->text + at;

	if (used + gap + length > line->most)
		return 0;
	memmove(to + length + gap, to, used - at + 1);
	if (gap && at == used)
		*to++ = ' ';
	else if (gap)
		to[length] = ' ';
	memcpy(to, word->text, word->length);
	if (word->open)
		to[word->length] = '"';
	return at + length + gap;
}

static size_t options_end(const char *line)
{
	const char *at = line;
	struct cmdline_word word;

	while (cmdline_next(&at, &word)) {
		if (ends_options(&word))
			return (size_t)(word.text - line);
	}
	return strlen(line);
}

void cmdline_append(struct cmdline *line, const char *text)
{
	size_t at = options_end(line->text);
	bool for_init = false;
	struct cmdline_word word;

	while (cmdline_next(&text, &word)) {
		const bool begins_init = !for_init && ends_options(&word);

		for_init |= begins_init;
		if (begins_init && line->text[at]) {
			at = strlen(line->text);
			continue;
		}
		at = insert(line, at, &word);
		if (!at) {
			lose(line, word.text, strlen(word.text));
			return;
		}
	}
}

void cmdline_remove(struct cmdline *line, const struct cmdline_word *word)
{
	char *at = line->text + (word->text - line->text);
	const char *rest = at + word->length;

	rest += *rest != '\0';
	memmove(at, rest, strlen(rest) + 1);
	if (!*at && at > line->text)
		at[-1] = '\0';
}

/* Return: false, if there is no word. */
static bool lose_last(struct cmdline *line)
{
	const char *at = line->text;
	struct cmdline_word word;

	word.length = 0;
	while (cmdline_next(&at, &word))
		;
	if (!word.length)
		return false;
	lose(line, word.text, word.length);
	cmdline_remove(line, &word);
	return true;
}

/* Return: how many characters are ours now. */
static size_t put_in_front(struct cmdline *line, size_t ours, const struct cmdline_word *option)
{
	size_t used, end;

	do {
		used = strlen(line->text);
		ours = ours < used ? ours : used; /* the last word takes the space before it along */
		end = insert(line, ours, option);
	} while (!end && lose_last(line));
	return end ? end : ours;
}

size_t cmdline_ensure(struct cmdline *line, const char *options)
{
	const char *next = options;
	struct cmdline_word option, there;
	size_t ours = 0;

	while (cmdline_next(&next, &option)) {
		if (cmdline_find(line->text, option.text, &there))
			continue;
		ours = put_in_front(line, ours, &option);
		next = options; /* a word that made room may have been one of them */
	}
	return ours && line->text[ours - 1] == ' ' ? ours - 1 : ours;
}
