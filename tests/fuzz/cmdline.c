// SPDX-License-Identifier: BSD-2-Clause
/* Command lines: the input is a room, and then lines for it. */
#include "tests/fuzz/fuzz.h"

#include "base/cmdline.h"
#include "base/error.h"
#include "kexec/crash/barred.h"
#include "kexec/place/limit.h"

#define LINES 3

/* As the stage asks for: they fit into any line. */
static const char ensured[] = "panic=5 reboot=panic_warm nr_cpus=1 reset_devices cma=0";

/* The next line of the input, in a block of its own; empty when there is none. */
static char *take_line(struct feed *feed)
{
	const uint8_t *end = feed->left ? memchr(feed->next, '\n', feed->left) : NULL;
	const size_t length = end ? (size_t)(end - feed->next) : feed->left;
	char *line = malloc(length + 1);

	if (length)
		memcpy(line, feed->next, length);
	line[length] = '\0';
	feed->next += length + (end != NULL);
	feed->left -= length + (end != NULL);
	return line;
}

static bool lies_in(const char *at, size_t length, const char *line)
{
	return at >= line && at + length <= line + strlen(line);
}

static void check_words(const char *line)
{
	struct cmdline_word word, found;
	const char *at = line;

	while (cmdline_next(&at, &word)) {
		assert_true(word.length > 0 && lies_in(word.text, word.length, line));
		assert_true(lies_in(word.name, word.name_length, line));
		if (word.value)
			assert_true(lies_in(word.value, word.value_length, line));
		assert_true(cmdline_same(&word, &word));
		(void)crash_is_barred(&word);
		if (cmdline_find(line, word.text, &found))
			assert_true(lies_in(found.text, found.length, line));
	}
}

static void check_limit(const char *line)
{
	const struct region_set ram = {.count = 2,
				       .region = {{0x80000000, 0x10000000}, {0xa0000000, 0x1000}}};

	assert_true(place_limit(line, &ram) >= ram.region[0].base);
}

static void check_ensured(const char *line)
{
	struct cmdline_word option, found;
	const char *at = ensured;

	while (cmdline_next(&at, &option))
		assert_true(cmdline_find(line, option.text, &found));
}

/* Take the words of @line out, one by one: nothing is left. */
static void check_removal(struct cmdline *line)
{
	struct cmdline_word word;
	const char *at = line->text;

	while (cmdline_next(&at, &word)) {
		const size_t before = strlen(line->text);

		cmdline_remove(line, &word);
		assert_true(strlen(line->text) < before);
		at = line->text;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = {data, size};
	static struct cmdline line;
	char *text[LINES];

	cmdline_begin(&line, sizeof(ensured) + feed_below(&feed, CMDLINE_ROOM - sizeof(ensured)));
	for (size_t i = 0; i < LINES; i++) {
		text[i] = take_line(&feed);
		check_words(text[i]);
		check_limit(text[i]);
		cmdline_append(&line, text[i]);
		assert_in_range(strlen(line.text), 0, line.most);
		assert_in_range(strlen(line.lost), 0, sizeof(line.lost) - 1);
	}
	assert_in_range(cmdline_ensure(&line, ensured), 0, line.most);
	assert_in_range(strlen(line.text), 0, line.most);
	check_ensured(line.text);
	check_words(line.text);
	check_removal(&line);
	for (size_t i = 0; i < LINES; i++)
		free(text[i]);
	return 0;
}
