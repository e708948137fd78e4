// SPDX-License-Identifier: BSD-2-Clause
/* Questions to the machine description. */
#include "fdt/machine.h"

#include <string.h>

bool machine_is_compatible(const struct machine *m, const char *wanted)
{
	size_t length;

	for (size_t at = 0; at < m->compatible_size; at += length + 1) {
		length = strlen(m->compatible + at);
		if (strcmp(m->compatible + at, wanted) == 0)
			return true;
	}
	return false;
}

/* The very same pages: what is larger or smaller is somebody else's, who happens to lie there. */
static bool same_pages(struct region a, struct region b)
{
	a = region_pages_around(a);
	b = region_pages_around(b);
	return a.size && a.base == b.base && a.size == b.size;
}

bool machine_handed_over(const struct machine *m, struct region range)
{
	return same_pages(m->initrd, range) || same_pages(m->bundle, range);
}

const struct machine_hart *machine_find_hart(const struct machine *m, uint64_t id)
{
	for (size_t i = 0; i < m->hart_count; i++)
		if (m->hart[i].id == id)
			return &m->hart[i];
	return NULL;
}
