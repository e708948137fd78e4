/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The value of one FDT property, and the shapes in which values come.
 *
 * Private to fdt/. A value is only ever looked at through these: each checks the length first, and a
 * value of another shape counts as absent.
 */
#ifndef LIFEBOAT_FDT_PROP_H
#define LIFEBOAT_FDT_PROP_H

#include <libfdt.h>

#include "base/types.h"

/** A property's bytes, in the blob. data is NULL when the node has no such property. */
struct prop {
	const uint8_t *data;
	uint32_t size;
};

/** The property @name of @node; absent, too, if there is no such node. */
struct prop prop_of(const void *fdt, int node, const char *name);

/** The big-endian number of @cells 32-bit cells at @data. @cells is 0 (then it is 0), 1 or 2. */
uint64_t cells_number(const uint8_t *data, uint32_t cells);

/** The string that @p holds; NULL when @p is absent, or no string because nothing ends it. */
const char *prop_string(struct prop p);

/** Have both the same bytes? Their blobs are aligned: so values are, to 4, and are compared by words. */
bool prop_same(struct prop a, struct prop b);

/** Is @p the string @wanted? */
bool prop_is(struct prop p, const char *wanted);

/** Read @p as a number of one or two cells. Return: false, with *@number unchanged, if it is none. */
bool prop_number(struct prop p, uint64_t *number);

/** A 32-bit number; 0 when @p is none or too large for that. */
uint32_t prop_u32(struct prop p);

/** Does a node whose status is @p take part? Devicetree Specification, 2.3.4. */
bool prop_is_okay(struct prop p);

#endif
