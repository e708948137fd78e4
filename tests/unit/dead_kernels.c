// SPDX-License-Identifier: BSD-2-Clause
/*
 * The readers of VMCOREINFO and of the printk ring on the RAM of a real dead kernel, as it is and damaged at
 * random.
 *
 * LIFEBOAT_DEAD names the three files without their endings (make_ram.py): .ram, .log (what the console
 * showed), .facts (release, mode, ending, RAM's base, kernel's place, a part of the telling line; one a
 * line).
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dead_ram.h"

#define LINES_MAX 8192
#define LINE_SIZE 1100
#define DAMAGES	  3000
#define SEED	  5

static struct {
	char release[80], mode[8], ending[16], base[24], kernel_pa[24], said[80];
} facts;
static struct dead_ram ram;
static struct vmcoreinfo info;
static struct printk_ring ring;
static size_t looked_at;
static char log_line[LINES_MAX][LINE_SIZE]; /* what the console showed */
static size_t log_lines;
static char found[LINES_MAX][LINE_SIZE]; /* what the reader finds */
static size_t founds;

static FILE *open_file(const char *ending)
{
	const char *name = getenv("LIFEBOAT_DEAD");
	char path[4096];
	FILE *file;

	assert_non_null(name);
	snprintf(path, sizeof(path), "%s%s", name, ending);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is not there", path);
	return file;
}

static void read_line(FILE *file, char *line, size_t size)
{
	assert_non_null(fgets(line, (int)size, file));
	line[strcspn(line, "\n")] = 0;
}

/* As lifeboat shows it, without the line's end. */
static void sanitise(char *line)
{
	line[strcspn(line, "\n")] = 0;
	for (; *line; line++) {
		if (*line < ' ' || *line > '~')
			*line = '?';
	}
}

static void read_ram(void)
{
	FILE *file = open_file(".ram");

	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	dead_ram_init(&ram, strtoull(facts.base, NULL, 0), (uint64_t)ftell(file));
	rewind(file);
	assert_int_equal(fread(ram.bytes, 1, ram.size, file), ram.size);
	fclose(file);
}

static int setup(void **state)
{
	FILE *file = open_file(".facts");

	(void)state;
	read_line(file, facts.release, sizeof(facts.release));
	read_line(file, facts.mode, sizeof(facts.mode));
	read_line(file, facts.ending, sizeof(facts.ending));
	read_line(file, facts.base, sizeof(facts.base));
	read_line(file, facts.kernel_pa, sizeof(facts.kernel_pa));
	read_line(file, facts.said, sizeof(facts.said));
	fclose(file);
	file = open_file(".log");
	while (log_lines < LINES_MAX && fgets(log_line[log_lines], LINE_SIZE, file))
		sanitise(log_line[log_lines++]);
	fclose(file);
	read_ram();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dead_ram_free(&ram);
	return 0;
}

static char text[4 * MIB];

/* Into found[]. Return: bytes of text. */
static size_t read_log(void)
{
	const size_t size = printk_text(&ring, text, sizeof(text));

	founds = 0;
	for (const char *line = text, *end; line < text + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		assert_non_null(end);
		assert_true(founds < LINES_MAX);
		snprintf(found[founds++], LINE_SIZE, "%.*s", (int)(end - line), line);
	}
	return size;
}

static enum lb_err open_all(paddr_t note_pa)
{
	const paddr_t kernel_pa = strtoull(facts.kernel_pa, NULL, 0);
	/* As much as the stage gives it: what the Image header says. */
	const struct vmcoreinfo_home home = {{kernel_pa, dead_get(&ram, kernel_pa + 16, 8)}, ram.base};
	enum lb_err err = note_pa ? vmcoreinfo_read(&ram.look, note_pa, &home, &info, NULL)
				  : vmcoreinfo_find(&ram.look, &ram.readable, &home, &info, &looked_at, NULL);

	founds = 0;
	return err ? err : printk_open(&ram.look, &info, &ring, NULL);
}

static void its_note_is_found_and_says_what_it_was(void **state)
{
	(void)state;
	assert_int_equal(open_all(0), LB_OK);
	assert_true(info.anchored);
	assert_int_equal(looked_at, 1); /* the kernel's own pointer led there: RAM was not searched */
	assert_string_equal(info.release, facts.release);
	assert_int_equal((int64_t)info.page_offset >> (atoi(facts.mode) - 1), -1);
	assert_int_equal(info.kernel_pa, strtoull(facts.kernel_pa, NULL, 0));
}

static void its_end_is_told_right(void **state)
{
	struct printk_told told;

	(void)state;
	assert_int_equal(open_all(0), LB_OK);
	told = printk_ending(&ring);
	assert_string_equal(printk_ending_name(told.ending), facts.ending);
	if (told.ending != PRINTK_ENDING_CUT &&
	    !memmem(told.record.text, told.record.length, facts.said, strlen(facts.said)))
		fail_msg("\"%s\" is not in \"%.*s\"", facts.said, (int)told.record.length, told.record.text);
}

/* All that the console showed, since the oldest record that is left. */
static void its_log_is_what_the_console_showed(void **state)
{
	size_t at = 0;

	(void)state;
	assert_int_equal(open_all(0), LB_OK);
	read_log();
	assert_true(founds > 200);
	while (at < log_lines && strcmp(log_line[at], found[0]))
		at++;
	if (log_lines - at < founds)
		fail_msg("%zu records, but %zu lines on the console since \"%s\"", founds, log_lines - at,
			 found[0]);
	for (size_t i = 0; i < founds; i++)
		assert_string_equal(found[i], log_line[at + i]);
	assert_int_equal(log_lines - at, founds);
	printf("%zu records of %zu lines\n", founds, log_lines);
}

/* Somewhere that the readers look: the note, the ring's structs, descriptors, infos, texts. */
static paddr_t draw_place(uint64_t *seed, paddr_t prb)
{
	const uint64_t count = UINT64_C(1) << ring.count_bits;
	const struct region parts[] = {
		{info.note.base, info.note.size},
		{prb, 8},
		{prb, 128},
		{ring.descs, count * info.printk.desc_size},
		{ring.descs + (ring.head_id % count) * info.printk.desc_size, info.printk.desc_size},
		{ring.infos, count * info.printk.info_size},
		{ring.infos + (ring.head_id % count) * info.printk.info_size, info.printk.info_size},
		{ring.data, UINT64_C(1) << ring.size_bits},
	};
	const struct region part = parts[dead_below(seed, ARRAY_SIZE(parts))];

	return part.base + dead_below(seed, part.size);
}

static void spoil(uint64_t *seed, paddr_t pa)
{
	static const uint64_t words[] = {
		0, 1, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, 0xffffffff80000000, 64, 4096};
	const size_t offset = (size_t)(pa - ram.base);

	if (dead_below(seed, 2)) {
		ram.bytes[offset] ^= (uint8_t)(1u << dead_below(seed, 8));
		return;
	}
	dead_put(&ram, align_down(pa, 8), words[dead_below(seed, ARRAY_SIZE(words))] ^ dead_below(seed, 9),
		 8);
}

/* Nothing is read outside of RAM (which is the sanitizers' to see), and what is told is printable. */
static size_t read_all(paddr_t note_pa)
{
	size_t size;

	if (open_all(note_pa))
		return 0;
	(void)printk_ending(&ring);
	size = read_log();
	for (size_t i = 0; i < size; i++)
		assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	return founds;
}

static void damage_does_no_harm_to_the_reader(void **state)
{
	uint64_t seed = SEED;
	paddr_t note = 0, prb;
	size_t read = 0;

	(void)state;
	for (size_t i = 0; i < DAMAGES; i++) {
		paddr_t place[4];
		uint64_t was[4];
		const size_t places = 1 + dead_below(&seed, 4);

		assert_int_equal(open_all(note), LB_OK);
		note = info.note.base;
		assert_int_equal(vmcoreinfo_translate(&info, info.prb, &prb), LB_OK);
		assert_int_equal(vmcoreinfo_translate(&info, dead_get(&ram, prb, 8), &prb), LB_OK);
		for (size_t j = 0; j < places; j++) {
			place[j] = align_down(draw_place(&seed, prb), 8);
			was[j] = dead_get(&ram, place[j], 8);
			spoil(&seed, place[j] + dead_below(&seed, 8));
		}
		read += read_all(note) > 0;
		for (size_t j = places; j-- > 0;)
			dead_put(&ram, place[j], was[j], 8);
	}
	printf("%zu of %d damaged logs were read\n", read, DAMAGES);
	assert_in_range(read, DAMAGES / 4, DAMAGES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_note_is_found_and_says_what_it_was),
		cmocka_unit_test(its_end_is_told_right),
		cmocka_unit_test(its_log_is_what_the_console_showed),
		cmocka_unit_test(damage_does_no_harm_to_the_reader),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
