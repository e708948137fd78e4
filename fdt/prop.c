// SPDX-License-Identifier: BSD-2-Clause
/* The value of one FDT property, and the shapes in which values come. */
#include "fdt/prop.h"

#include <string.h>

struct prop prop_of(const void *fdt, int node, const char *name)
{
	int size;
	const void *data = fdt_getprop(fdt, node, name, &size);

	return (struct prop){data, data ? (uint32_t)size : 0};
}

uint64_t cells_number(const uint8_t *data, uint32_t cells)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < cells; i++)
		number = number << 32 | fdt32_ld((const fdt32_t *)(const void *)(data + 4 * (size_t)i));
	return number;
}

const char *prop_string(struct prop p)
{
	return p.data && p.size && p.data[p.size - 1] == '\0' ? (const char *)p.data : NULL;
}

bool prop_same(struct prop a, struct prop b)
{
	const uint32_t *one = (const void *)a.data, *other = (const void *)b.data;
	const uint32_t *end = one + a.size / sizeof(*one);

	if (a.size != b.size)
		return false;
	while (one != end) {
		if (*one++ != *other++)
			return false;
	}
	return !memcmp(one, other, a.size % sizeof(*one));
}

bool prop_is(struct prop p, const char *wanted)
{
	const char *string = prop_string(p);

	return string && strcmp(string, wanted) == 0;
}

bool prop_number(struct prop p, uint64_t *number)
{
	if (!p.data || (p.size != 4 && p.size != 8))
		return false;
	*number = cells_number(p.data, p.size / 4);
	return true;
}

uint32_t prop_u32(struct prop p)
{
	uint64_t number = 0;

	return prop_number(p, &number) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

bool prop_is_okay(struct prop p)
{
	return !prop_string(p) || prop_is(p, "okay") || prop_is(p, "ok");
}
