/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every change to an FDT needs: nodes that may be there, ranges in cells, and how much it grows. Private
 * to fdt/.
 */
#ifndef LIFEBOAT_FDT_EDIT_H
#define LIFEBOAT_FDT_EDIT_H

#include <libfdt.h>

#include "mm/region.h"

#define EDIT_TAG_SIZE  4
#define EDIT_PROP_HEAD 12 /* tag, length, name offset */
#define EDIT_NAME_MAX  48 /* of a node that we make */

/** How many 32-bit cells an address and a size have at some node. */
struct edit_cells {
	int address;
	int size;
};

/** A property's value; as many cells as any of ours needs. */
struct edit_value {
	const void *data;
	uint64_t size; /* 0: no such property */
	fdt32_t cell[4];
};

/**
 * The child of @parent, a node's offset in a checked FDT, called @name, with or without a unit address.
 *
 * fdt_subnode_offset() finds the same, for five times the instructions.
 * Return: its offset, or -FDT_ERR_NOTFOUND.
 */
int edit_find(const void *fdt, int parent, const char *name);

/** The child of @parent called @name, made if it is not there: its offset, or a negative libfdt error. */
int edit_find_or_add(void *fdt, int parent, const char *name);

/** What the cells of @node's children are: its #address-cells and #size-cells, or libfdt's defaults. */
struct edit_cells edit_cells_below(const void *fdt, int node);

/** Can @range be written in these cells? 0 cells, or more than 2, hold no address of ours. */
bool edit_fits_cells(struct region range, struct edit_cells at);

/** Add a number of @count cells (1 or 2) to @v. */
void edit_add_cells(struct edit_value *v, uint64_t number, int count);

/** Add base and size of @range to @v; nothing for an empty one. */
void edit_range_value(struct region range, struct edit_cells at, struct edit_value *v);

/** Bytes that a property, or a node without any, can add to an FDT. */
uint64_t edit_property_growth(const char *name, uint64_t size);
uint64_t edit_node_growth(void);

#endif
