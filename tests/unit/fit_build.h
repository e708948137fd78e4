/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees that mkimage would not make, by libfdt's sequential writer. */
#ifndef LIFEBOAT_TESTS_FIT_BUILD_H
#define LIFEBOAT_TESTS_FIT_BUILD_H

#include "tests/unit/bundle_check.h"

#define TREE_ROOM 8192

/* One property, as it will stand in the tree. */
struct hostile_property {
	const char *name;
	const void *value; /* NULL ends a list */
	int size;
};

#define STRING(name, text)               \
	{                                \
		name, text, sizeof(text) \
	}
#define BYTES(name, text)                    \
	{                                    \
		name, text, sizeof(text) - 1 \
	}
#define CELL(name, text) BYTES(name, text)

struct builder {
	void *fdt;
};

static inline void ok(int result)
{
	assert_int_equal(result, 0);
}

static inline struct builder begin_tree(void)
{
	struct builder b = {.fdt = calloc(1, TREE_ROOM)};

	ok(fdt_create(b.fdt, TREE_ROOM));
	ok(fdt_finish_reservemap(b.fdt));
	ok(fdt_begin_node(b.fdt, ""));
	return b;
}

static inline void add_properties(struct builder b, const struct hostile_property *properties)
{
	for (; properties->value; properties++)
		ok(fdt_property(b.fdt, properties->name, properties->value, properties->size));
}

static inline void add_node(struct builder b, const char *name, const struct hostile_property *properties)
{
	ok(fdt_begin_node(b.fdt, name));
	add_properties(b, properties);
	ok(fdt_end_node(b.fdt));
}

/* End the tree, with @behind bytes of zeros behind it (and its padding), in a block of exactly that size. */
static inline struct file end_tree(struct builder b, size_t behind)
{
	struct file file;

	ok(fdt_end_node(b.fdt));
	ok(fdt_finish(b.fdt));
	file.size = fdt_totalsize(b.fdt);
	if (behind)
		file.size = (file.size + 3) / 4 * 4 + behind;
	file.bytes = calloc(1, file.size);
	memcpy(file.bytes, b.fdt, fdt_totalsize(b.fdt));
	free(b.fdt);
	return file;
}

/* A list of properties, for the functions that take one. */
#define PROPERTIES(...) ((const struct hostile_property[]){__VA_ARGS__, {NULL, NULL, 0}})

#endif
