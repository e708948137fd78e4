// SPDX-License-Identifier: BSD-2-Clause
/*
 * What only firmware knows, in an FDT that is not the firmware's.
 *
 * libfdt puts a node that it adds before its siblings. So Linux meets the firmware's reservations first: it
 * can't take out of its map (no-map) what another has reserved before.
 */
#include "fdt/firmware.h"

#include <stdio.h>
#include <string.h>

#include "fdt/edit.h"
#include "fdt/node.h"

#define RESERVED_PARENT "reserved-memory"
#define NAME_MAX	64
#define NAMES_MAX	9 /* tries for one that is not taken */

/* What means something in the firmware's own tree only. (libfdt may look at the byte behind the last NUL.) */
static const char references[] = "phandle\0linux,phandle\0interrupt-parent\0memory-region\0iommu-addresses\0";

/* Of /chosen, what is of this boot: the firmware's replaces what a base has. */
static const char fresh[] = "rng-seed\0kaslr-seed\0boot-hartid\0";

static bool is_okay(const void *fdt, int node)
{
	return prop_is_okay(prop_of(fdt, node, "status"));
}

static bool has(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL) != NULL;
}

/* Bring over @child of the firmware's into @parent. */
typedef int taker(void *out, int parent, const void *firmware, int child);

static int take_children(void *out, const void *firmware, const char *path, taker *take)
{
	const int from = fdt_path_offset(firmware, path), to = fdt_path_offset(out, path);
	int child, code = 0;

	if (from < 0 || to < 0)
		return 0;
	for (child = fdt_first_subnode(firmware, from); !code && child >= 0;
	     child = fdt_next_subnode(firmware, child))
		code = take(out, to, firmware, child);
	return code;
}

/* ---- Copying ---- */

static int copy_property(void *out, int to, const void *firmware, int property)
{
	const char *name;
	int size;
	const void *value = fdt_getprop_by_offset(firmware, property, &name, &size);

	if (!value)
		return size;
	if (fdt_stringlist_contains(references, sizeof(references) - 1, name) ||
	    (!fdt_stringlist_contains(fresh, sizeof(fresh) - 1, name) && has(out, to, name)))
		return 0;
	return fdt_setprop(out, to, name, value, size);
}

/* Copy what @to does not have. */
static int copy_properties(void *out, int to, const void *firmware, int from)
{
	int property, code = 0;

	fdt_for_each_property_offset(property, firmware, from)
	{
		code = copy_property(out, to, firmware, property);
		if (code)
			break;
	}
	return code;
}

/* Copy a node without children; under another name, if @parent has a node of its own: NAME-2@UNIT. */
static int copy_leaf(void *out, int parent, const void *firmware, int from)
{
	const char *name = fdt_get_name(firmware, from, NULL);
	const int length = name ? (int)strcspn(name, "@") : 0;
	int to = name ? fdt_add_subnode(out, parent, name) : -FDT_ERR_BADSTRUCTURE;

	for (int i = 2; to == -FDT_ERR_EXISTS && i <= NAMES_MAX; i++) {
		char other[NAME_MAX];

		snprintf(other, sizeof(other), "%.*s-%d%.24s", length < 32 ? length : 32, name, i,
			 name + length);
		to = fdt_add_subnode(out, parent, other);
	}
	return to < 0 ? to : copy_properties(out, to, firmware, from);
}

/* Copy the properties of a child of the root that @out does not have. */
static int copy_top(void *out, const void *firmware, const char *name)
{
	const int from = fdt_subnode_offset(firmware, 0, name);
	const int to = from < 0 ? from : edit_find_or_add(out, 0, name);

	if (from < 0)
		return from == -FDT_ERR_NOTFOUND ? 0 : from;
	return to < 0 ? to : copy_properties(out, to, firmware, from);
}

/* ---- RAM ---- */

static bool is_memory(const void *fdt, int node)
{
	return prop_is(prop_of(fdt, node, "device_type"), "memory");
}

/* What was meant to be memory: with a name for it, too, though Linux goes by the device_type. */
static bool is_meant_as_memory(const void *fdt, int node)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	return is_memory(fdt, node) || (name && !strncmp(name, "memory", 6) && (!name[6] || name[6] == '@'));
}

static int drop_memory(void *out)
{
	int node = fdt_first_subnode(out, 0), code = 0;

	while (!code && node >= 0) {
		if (is_meant_as_memory(out, node)) {
			code = fdt_del_node(out, node);
			node = fdt_first_subnode(out, 0);
		} else {
			node = fdt_next_subnode(out, node);
		}
	}
	return code;
}

static int take_memory(void *out, int parent, const void *firmware, int node)
{
	return is_memory(firmware, node) ? copy_leaf(out, parent, firmware, node) : 0;
}

/* ---- Reservations ---- */

static int add_memreserve(void *out, const void *firmware)
{
	int code = 0;

	for (int i = 0; !code && i < fdt_num_mem_rsv(firmware); i++) {
		uint64_t address, size;

		code = fdt_get_mem_rsv(firmware, i, &address, &size);
		if (!code)
			code = fdt_add_mem_rsv(out, address, size);
	}
	return code;
}

static uint32_t read_cells(const void *fdt, int node, const char *name)
{
	const struct prop own = prop_of(fdt, node, name);

	return prop_u32(own.data ? own : prop_of(fdt, 0, name));
}

/* How the children of @node write their reg: what it does not say the root says. */
static struct node_cells cells_below(const void *fdt, int node)
{
	return (struct node_cells){read_cells(fdt, node, "#address-cells"),
				   read_cells(fdt, node, "#size-cells")};
}

/* Read a range of @reg, one behind the other. Return: false behind the last one. */
static bool next_range(struct prop *reg, struct node_cells cells, struct region *range)
{
	const uint32_t address_size = 4 * cells.address, size = address_size + 4 * cells.size;

	if (reg->size < size)
		return false;
	range->base = cells_number(reg->data, cells.address);
	range->size = cells_number(reg->data + address_size, cells.size);
	reg->data += size;
	reg->size -= size;
	return true;
}

/* Is it memory that firmware keeps? A pool (dynamic, or reusable) is for the kernel, who may have its own. */
static bool is_kept(const void *fdt, int node)
{
	return is_okay(fdt, node) && has(fdt, node, "reg") && !has(fdt, node, "reusable");
}

/* Does a child of @parent keep @range as well? */
static bool is_reserved(const void *out, int parent, struct node_cells cells, struct region range,
			bool no_map)
{
	int node;

	fdt_for_each_subnode(node, out, parent)
	{
		struct prop reg = prop_of(out, node, "reg");
		struct region own;

		if (!is_kept(out, node) || (no_map && !has(out, node, "no-map")))
			continue;
		while (next_range(&reg, cells, &own))
			if (region_contains(own, range))
				return true;
	}
	return false;
}

/* Is all that the firmware's @node keeps kept in @out, too? */
static bool is_covered(const void *out, int parent, const void *firmware, int node)
{
	const struct node_cells cells = cells_below(out, parent);
	const bool no_map = has(firmware, node, "no-map");
	struct prop reg = prop_of(firmware, node, "reg");
	struct region range;

	while (next_range(&reg, cells, &range))
		if (!is_reserved(out, parent, cells, range, no_map))
			return false;
	return true;
}

static int take_reservation(void *out, int parent, const void *firmware, int node)
{
	const char *name = fdt_get_name(firmware, node, NULL);

	if (is_kept(firmware, node) ? is_covered(out, parent, firmware, node)
				    : name && fdt_subnode_offset(out, parent, name) >= 0)
		return 0;
	return copy_leaf(out, parent, firmware, node);
}

/* Are addresses below @path, if it is there, written in the same cells, of a number that addresses have? */
static bool same_cells(const void *out, const void *firmware, const char *path)
{
	const struct node_cells a = cells_below(out, fdt_path_offset(out, path));
	const struct node_cells b = cells_below(firmware, fdt_path_offset(firmware, path));

	return a.address == b.address && a.size == b.size && a.address - 1 < 2 && a.size - 1 < 2;
}

int firmware_reserve(void *out, const void *firmware)
{
	int code;

	if (fdt_subnode_offset(firmware, 0, RESERVED_PARENT) < 0)
		return 0;
	code = copy_top(out, firmware, RESERVED_PARENT);
	if (!code && !same_cells(out, firmware, "/" RESERVED_PARENT))
		return -FDT_ERR_BADNCELLS;
	return code ? code : take_children(out, firmware, "/" RESERVED_PARENT, take_reservation);
}

/* ---- Harts ---- */

/* The hart of the firmware's that is not to be had: disable the one of its number. */
static int take_hart(void *out, int cpus, const void *firmware, int hart)
{
	uint64_t id, own;
	int node;

	if (is_okay(firmware, hart) || !prop_number(prop_of(firmware, hart, "reg"), &id))
		return 0;
	fdt_for_each_subnode(node, out, cpus)
	{
		if (is_okay(out, node) && prop_number(prop_of(out, node, "reg"), &own) && own == id)
			return fdt_setprop_string(out, node, "status", "disabled");
	}
	return 0;
}

int firmware_take_over(void *out, const void *firmware)
{
	int code = same_cells(out, firmware, "/") ? drop_memory(out) : -FDT_ERR_BADNCELLS;

	if (!code)
		code = take_children(out, firmware, "/", take_memory);
	if (!code)
		code = add_memreserve(out, firmware);
	if (!code)
		code = firmware_reserve(out, firmware);
	if (!code)
		code = take_children(out, firmware, "/cpus", take_hart);
	return code ? code : copy_top(out, firmware, "chosen");
}
