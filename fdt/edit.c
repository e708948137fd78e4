// SPDX-License-Identifier: BSD-2-Clause
/* What every change to an FDT needs. */
#include "fdt/edit.h"

#include <libfdt.h>

int edit_find_or_add(void *fdt, int parent, const char *name)
{
	const int node = fdt_subnode_offset(fdt, parent, name);

	return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(fdt, parent, name) : node;
}
