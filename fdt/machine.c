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

const struct machine_hart *machine_find_hart(const struct machine *m, uint64_t id)
{
	for (size_t i = 0; i < m->hart_count; i++)
		if (m->hart[i].id == id)
			return &m->hart[i];
	return NULL;
}
