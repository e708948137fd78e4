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
#include <string.h>

#include "base/types.h"

/** A property's bytes, in the blob. data is NULL when the node has no such property. */
struct prop {
	const uint8_t *data;
	uint32_t size;
};

/** The big-endian number of @cells 32-bit cells at @data. @cells is 0 (then it is 0), 1 or 2. */
static inline uint64_t cells_number(const uint8_t *data, uint32_t cells)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < cells; i++)
		number = number << 32 | fdt32_ld((const fdt32_t *)(const void *)(data + 4 * (size_t)i));
	return number;
}

/** The string that @p holds; NULL when @p is absent, or no string because nothing ends it. */
static inline const char *prop_string(struct prop p)
{
	return p.data && p.size && p.data[p.size - 1] == '\0' ? (const char *)p.data : NULL;
}

/** Is @p the string @wanted? */
static inline bool prop_is(struct prop p, const char *wanted)
{
	const char *string = prop_string(p);

	return string && strcmp(string, wanted) == 0;
}

/** Read @p as a number of one or two cells. Return: false, with *@number unchanged, if it is none. */
static inline bool prop_number(struct prop p, uint64_t *number)
{
	if (!p.data || (p.size != 4 && p.size != 8))
		return false;
	*number = cells_number(p.data, p.size / 4);
	return true;
}

/** A 32-bit number; 0 when @p is none or too large for that. */
static inline uint32_t prop_u32(struct prop p)
{
	uint64_t number = 0;

	return prop_number(p, &number) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

/** Does a node whose status is @p take part? Devicetree Specification, 2.3.4. */
static inline bool prop_is_okay(struct prop p)
{
	return !prop_string(p) || prop_is(p, "okay") || prop_is(p, "ok");
}

#endif
