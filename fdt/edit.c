// SPDX-License-Identifier: BSD-2-Clause
/* What every change to an FDT needs. */
#include "fdt/edit.h"

#include <string.h>

#include "fdt/walk.h"

int edit_find(const void *fdt, int parent, const char *name)
{
	uint32_t tag;
	struct walk w;

	walk_start_in(&w, fdt, (uint32_t)parent);
	while ((tag = walk_next(&w)) != FDT_END && tag != FDT_END_NODE) {
		if (tag != FDT_BEGIN_NODE)
			continue;
		if (walk_node_is(&w, name))
			return (int)w.offset;
		if (!walk_skip(&w))
			break;
	}
	return -FDT_ERR_NOTFOUND;
}

int edit_find_or_add(void *fdt, int parent, const char *name)
{
	const int node = edit_find(fdt, parent, name);

	return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(fdt, parent, name) : node;
}

struct edit_cells edit_cells_below(const void *fdt, int node)
{
	return (struct edit_cells){fdt_address_cells(fdt, node), fdt_size_cells(fdt, node)};
}

bool edit_fits_cells(struct region range, struct edit_cells at)
{
	if (at.address < 1 || at.address > 2 || at.size < 1 || at.size > 2)
		return false;
	return (at.address == 2 || range.base <= UINT32_MAX) && (at.size == 2 || range.size <= UINT32_MAX);
}

void edit_add_cells(struct edit_value *v, uint64_t number, int count)
{
	fdt32_t *cell = &v->cell[v->size / sizeof(fdt32_t)];

	if (count == 2)
		*cell++ = cpu_to_fdt32((uint32_t)(number >> 32));
	*cell = cpu_to_fdt32((uint32_t)number);
	v->data = v->cell;
	v->size += (uint64_t)count * sizeof(fdt32_t);
}

void edit_range_value(struct region range, struct edit_cells at, struct edit_value *v)
{
	if (!range.size)
		return;
	edit_add_cells(v, range.base, at.address);
	edit_add_cells(v, range.size, at.size);
}

uint64_t edit_property_growth(const char *name, uint64_t size)
{
	return EDIT_PROP_HEAD + size + EDIT_TAG_SIZE - 1 + strlen(name) + 1;
}

uint64_t edit_node_growth(void)
{
	return 2 * EDIT_TAG_SIZE + EDIT_NAME_MAX;
}
