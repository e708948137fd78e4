// SPDX-License-Identifier: BSD-2-Clause
/* The walk through an FDT. */
#include "fdt.h"

enum { TOKEN_BEGIN = 1, TOKEN_END_NODE = 2, TOKEN_PROPERTY = 3, TOKEN_NOP = 4, TOKEN_END = 9 };

uint32_t be32(const void *at)
{
	const uint8_t *byte = at;

	return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

uint64_t be_cells(const uint8_t *at, uint32_t cells)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < cells; i++)
		number = number << 32 | be32(at + 4 * i);
	return number;
}

void fdt_begin(struct fdt_walk *walk, const void *fdt)
{
	const struct fdt_header *header = fdt;

	walk->fdt = fdt;
	walk->at = be32(&header->off_dt_struct);
	walk->end = walk->at + be32(&header->size_dt_struct);
	walk->depth = 0;
}

static enum fdt_event enter_node(struct fdt_walk *walk)
{
	const char *name = (const char *)walk->fdt + walk->at;

	if (++walk->depth >= FDT_DEPTH_MAX)
		return FDT_BROKEN;
	walk->node[walk->depth] = name;
	walk->at += (length_of(name) + 1 + 3) & ~UINT64_C(3);
	return FDT_NODE;
}

static enum fdt_event read_property(struct fdt_walk *walk)
{
	const struct fdt_header *header = (const void *)walk->fdt;
	uint32_t name = be32(walk->fdt + walk->at + 4);

	if (!walk->depth || name >= be32(&header->size_dt_strings))
		return FDT_BROKEN;
	walk->size = be32(walk->fdt + walk->at);
	walk->property = (const char *)walk->fdt + be32(&header->off_dt_strings) + name;
	walk->value = walk->fdt + walk->at + 8;
	walk->at += 8 + ((walk->size + UINT64_C(3)) & ~UINT64_C(3));
	return FDT_PROPERTY;
}

enum fdt_event fdt_next(struct fdt_walk *walk)
{
	while (walk->at + 4 <= walk->end) {
		uint32_t token = be32(walk->fdt + walk->at);

		walk->at += 4;
		if (token == TOKEN_BEGIN)
			return enter_node(walk);
		if (token == TOKEN_PROPERTY)
			return read_property(walk);
		if (token == TOKEN_END_NODE)
			return walk->depth-- ? FDT_NODE_END : FDT_BROKEN;
		if (token == TOKEN_END)
			return walk->depth == 0 && walk->at == walk->end ? FDT_END : FDT_BROKEN;
		if (token != TOKEN_NOP)
			break;
	}
	return FDT_BROKEN;
}
