// SPDX-License-Identifier: BSD-2-Clause
/* Questions to the machine description. */
#include "fdt/machine.h"

#include <string.h>

static bool is_listed(const char *name, const char *list, size_t size)
{
	for (size_t at = 0; at < size; at += strlen(list + at) + 1) {
		if (!strcmp(list + at, name))
			return true;
	}
	return false;
}

size_t machine_rank(const struct machine *m, const char *list, size_t size)
{
	size_t rank = 0;

	for (size_t at = 0; at < m->compatible_size; at += strlen(m->compatible + at) + 1, rank++) {
		if (is_listed(m->compatible + at, list, size))
			return rank;
	}
	return SIZE_MAX;
}

bool machine_is_compatible(const struct machine *m, const char *wanted)
{
	return is_listed(wanted, m->compatible, m->compatible_size);
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
