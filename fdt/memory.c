// SPDX-License-Identifier: BSD-2-Clause
/* The memory nodes of a payload's FDT: the start of a bank can be hidden. They keep their size. */
#include "fdt/memory.h"

#include "fdt/edit.h"

#define DEVICE_TYPE "memory"

static uint64_t read_cells(const fdt32_t *cell, int count)
{
	uint64_t number = 0;

	while (count--)
		number = number << 32 | fdt32_ld(cell++);
	return number;
}

static void write_range(fdt32_t *cell, struct region range, struct edit_cells at)
{
	struct edit_value v = {.size = 0};

	edit_range_value(range, at, &v);
	memcpy(cell, v.cell, v.size);
}

/* In place: as many cells as before. */
static void hide(fdt32_t *reg, int bytes, struct edit_cells at, struct region hidden)
{
	const int step = at.address + at.size;

	for (int left = bytes / (int)sizeof(*reg); left >= step; left -= step, reg += step) {
		const struct region range = {read_cells(reg, at.address),
					     read_cells(reg + at.address, at.size)};

		if (range.base == hidden.base && range.size > hidden.size)
			write_range(reg, (struct region){region_end(hidden), range.size - hidden.size}, at);
	}
}

int memory_fix(void *fdt, const struct fdt_wishes *wishes)
{
	const struct edit_cells at = edit_cells_below(fdt, 0);
	int node = -1, size;

	if (!wishes->hidden.size || !edit_fits_cells(wishes->hidden, at))
		return 0;
	while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", DEVICE_TYPE,
						     sizeof(DEVICE_TYPE))) >= 0) {
		fdt32_t *reg = fdt_getprop_w(fdt, node, "reg", &size);

		if (reg)
			hide(reg, size, at, wishes->hidden);
	}
	return node == -FDT_ERR_NOTFOUND ? 0 : node;
}
