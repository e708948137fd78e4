/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FDTs as lines of text, and back. They are made by libfdt, and read by a walk of this file's own.
 *
 *     /cpus/cpu@1 reg 1                   a property, of cells (or none)
 *     /cpus/cpu@1 status =disabled        of strings: each begins with =
 *     /cpus/cpu@1                         a node
 *     ! 0x80000000 0x1000                 a /memreserve/
 */
#ifndef LIFEBOAT_TESTS_FDT_LINES_H
#define LIFEBOAT_TESTS_FDT_LINES_H

#include "tests/unit/fdt_blobs.h"

#define TREE_ROOM  (64 << 10)
#define LINES_MAX  400
#define LINE_SIZE  400
#define LEVELS_MAX 64

/* ---- Making ---- */

static inline int tree_node(void *fdt, const char *path)
{
	int node = 0;

	for (const char *name = path + 1; *name;) {
		const int length = (int)strcspn(name, "/");
		const int found = fdt_subnode_offset_namelen(fdt, node, name, length);

		node = found >= 0 ? found : fdt_add_subnode_namelen(fdt, node, name, length);
		assert_true(node >= 0);
		name += length + (name[length] == '/');
	}
	return node;
}

static inline void tree_property(void *fdt, int node, const char *name, char *words)
{
	uint8_t value[512];
	size_t size = 0;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		if (*word == '=') {
			strcpy((char *)value + size, word + 1);
			size += strlen(word);
		} else {
			fdt32_st(value + size, (uint32_t)strtoull(word, NULL, 0));
			size += 4;
		}
	}
	assert_int_equal(fdt_setprop(fdt, node, name, value, (int)size), 0);
}

static inline void tree_line(void *fdt, char *line)
{
	char path[LINE_SIZE], name[LINE_SIZE] = "";
	unsigned long long base, size;
	int used = 0;

	if (sscanf(line, "! %lli %lli", (long long *)&base, (long long *)&size) == 2) {
		assert_int_equal(fdt_add_mem_rsv(fdt, base, size), 0);
		return;
	}
	assert_true(sscanf(line, "%399s %n%399s %n", path, &used, name, &used) >= 1);
	if (*name)
		tree_property(fdt, tree_node(fdt, path), name, line + used);
	else
		(void)tree_node(fdt, path);
}

/* Add lines to a tree, each of which ends in a newline. */
static inline void tree_add(void *fdt, const char *lines)
{
	while (*lines) {
		const size_t length = strcspn(lines, "\n");
		char line[LINE_SIZE];

		assert_true(length < sizeof(line) && lines[length] == '\n');
		memcpy(line, lines, length);
		line[length] = '\0';
		tree_line(fdt, line);
		lines += length + 1;
	}
}

/* A root without anything, in a heap block of TREE_ROOM bytes. */
static inline void *tree_begin(void)
{
	void *fdt = malloc(TREE_ROOM);

	assert_int_equal(fdt_create(fdt, TREE_ROOM), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	assert_int_equal(fdt_open_into(fdt, fdt, TREE_ROOM), 0);
	return fdt;
}

/* All of a tree in a heap block of exactly its size. */
static inline void *tree_end(void *fdt)
{
	void *copy;

	assert_int_equal(fdt_pack(fdt), 0);
	copy = exact_copy(fdt, fdt_totalsize(fdt));
	free(fdt);
	return copy;
}

/* A tree of these lines, in a heap block of exactly its size. */
static inline void *tree_make(const char *lines)
{
	void *fdt = tree_begin();

	tree_add(fdt, lines);
	return tree_end(fdt);
}

/* ---- Reading ---- */

static inline uint32_t raw_word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* What a visitor is told of: a node when @name is NULL, else one of its properties. */
typedef void tree_visitor(void *context, const char *path, const char *name, const uint8_t *value,
			  uint32_t size);

/* Visit all nodes and properties in the order in which they lie (Devicetree Specification, 5.4). */
static inline void tree_visit(const void *fdt, tree_visitor *visit, void *context)
{
	const uint8_t *blob = fdt, *at = blob + raw_word(blob + 8);
	const char *strings = (const char *)blob + raw_word(blob + 12);
	char path[LINE_SIZE] = "";
	size_t length[LEVELS_MAX], depth = 0;

	for (uint32_t tag; (tag = raw_word(at)) != 9;) {
		at += 4;
		if (tag == 1) {
			length[depth++] = strlen(path);
			assert_true(depth < LEVELS_MAX);
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%s",
				 depth > 1 ? "/" : "", (const char *)at);
			at += (strlen((const char *)at) + 4) / 4 * 4;
			visit(context, *path ? path : "/", NULL, NULL, 0);
		} else if (tag == 2) {
			path[length[--depth]] = '\0';
		} else if (tag == 3) {
			visit(context, *path ? path : "/", strings + raw_word(at + 4), at + 8, raw_word(at));
			at += 8 + (raw_word(at) + 3) / 4 * 4;
		}
	}
}

struct lines {
	size_t count;
	char line[LINES_MAX][LINE_SIZE];
};

static inline void write_line(void *context, const char *path, const char *name, const uint8_t *value,
			      uint32_t size)
{
	struct lines *lines = context;
	char *line = lines->line[lines->count++];
	int used = snprintf(line, LINE_SIZE, "%s%s%s", path, name ? " " : "", name ? name : "");

	assert_true(lines->count < LINES_MAX);
	for (uint32_t i = 0; i < size && used < LINE_SIZE - 4; i++)
		used += snprintf(line + used, (size_t)(LINE_SIZE - used), "%s%02x", i % 4 ? "" : " ",
				 value[i]);
}

static inline int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* All of a tree, sorted. */
static inline struct lines *tree_lines(const void *fdt)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	const uint8_t *at = (const uint8_t *)fdt + raw_word((const uint8_t *)fdt + 16);

	for (; raw_word(at) || raw_word(at + 4) || raw_word(at + 8) || raw_word(at + 12); at += 16)
		snprintf(lines->line[lines->count++], LINE_SIZE, "! %08x%08x %08x%08x", raw_word(at),
			 raw_word(at + 4), raw_word(at + 8), raw_word(at + 12));
	tree_visit(fdt, write_line, lines);
	qsort(lines->line, lines->count, LINE_SIZE, compare_lines);
	return lines;
}

/* Is @fdt the tree that @want says, in whatever order? */
static inline void assert_tree(const void *fdt, const char *want)
{
	void *wanted = tree_make(want);
	struct lines *a = tree_lines(fdt), *b = tree_lines(wanted);

	for (size_t i = 0; i < a->count || i < b->count; i++) {
		if (strcmp(a->line[i], b->line[i]) != 0)
			fail_msg("there is '%s', wanted is '%s'", a->line[i], b->line[i]);
	}
	free(a);
	free(b);
	free(wanted);
}

#endif
