// SPDX-License-Identifier: BSD-2-Clause
/*
 * /reserved-memory of a payload's FDT: as Linux will see it, with ours in it, or cut down for a crash kernel.
 */
#include "fdt/reserve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fdt/edit.h"
#include "fdt/read.h"

#define RESERVED_PARENT "reserved-memory"
#define CALL_PROPERTY	"lifeboat,crash-call"

/* Has it a #address-cells or #size-cells of its own that is not @wanted? Absent ones: by @absent. */
static bool cells_differ(const void *fdt, int node, const char *name, int wanted, bool absent)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, name, &size);

	if (!cells)
		return absent;
	return size != sizeof(*cells) || fdt32_to_cpu(*cells) != (uint32_t)wanted;
}

/* Linux' rule: the root's cells, and ranges; else all of it is ignored. */
static bool linux_honours(const void *fdt, int parent)
{
	const struct edit_cells root = edit_cells_below(fdt, 0);

	return !cells_differ(fdt, parent, "#address-cells", root.address, true) &&
	       !cells_differ(fdt, parent, "#size-cells", root.size, true) &&
	       fdt_getprop(fdt, parent, "ranges", NULL);
}

/*
 * Can one that Linux ignores be given what it lacks? Not if what children say would then mean something else:
 * a reg in other cells, or a pool that Linux would take from somewhere. A range that firmware wants to be
 * left alone is left alone by the stage, anyway.
 */
static bool is_mendable(const void *fdt, int parent)
{
	const struct edit_cells root = edit_cells_below(fdt, 0);
	int child;

	if (cells_differ(fdt, parent, "#address-cells", root.address, false) ||
	    cells_differ(fdt, parent, "#size-cells", root.size, false))
		return fdt_first_subnode(fdt, parent) == -FDT_ERR_NOTFOUND;
	fdt_for_each_subnode(child, fdt, parent)
	{
		if (!fdt_getprop(fdt, child, "reg", NULL))
			return false;
	}
	return true;
}

static bool can_reserve(const void *fdt)
{
	const int parent = fdt_subnode_offset(fdt, 0, RESERVED_PARENT);

	return parent < 0 || linux_honours(fdt, parent) || is_mendable(fdt, parent);
}

uint64_t reserve_growth(const struct fdt_wishes *wishes)
{
	uint64_t growth;

	if (!WITH_CRASH) /* then nobody wishes it */
		return 0;
	growth = edit_node_growth() + edit_property_growth("#address-cells", 4) +
		 edit_property_growth("#size-cells", 4) + edit_property_growth("ranges", 0);

	for (size_t i = 0; i < wishes->reservation_count; i++) {
		const char *compatible = wishes->reservation[i].compatible;

		growth += edit_node_growth() + edit_property_growth("reg", 16) +
			  edit_property_growth("reusable", 0); /* or no-map, which is shorter */
		if (wishes->reservation[i].call.size)
			growth += edit_property_growth(CALL_PROPERTY, 16);
		if (compatible)
			growth += edit_property_growth("compatible", strlen(compatible) + 1);
	}
	return growth;
}

enum lb_err reserve_check(const void *blob, const struct fdt_wishes *wishes, struct diag *diag)
{
	const struct edit_cells root = edit_cells_below(blob, 0);

	if (!WITH_CRASH || !wishes->reservation_count)
		return LB_OK;
	if (!can_reserve(blob))
		return diag_fail(
			diag, LB_EUNSUPPORTED,
			"fdt: Linux ignores this /" RESERVED_PARENT
			", and what is in it forbids to mend it: give it ranges and the root's cells");
	for (size_t i = 0; i < wishes->reservation_count; i++) {
		if (!edit_fits_cells(wishes->reservation[i].range, root))
			return diag_fail(diag, LB_EUNSUPPORTED,
					 "fdt: the root's %d address and %d size cells can't hold %#" PRIx64,
					 root.address, root.size, wishes->reservation[i].range.base);
	}
	return LB_OK;
}

/* One that we make, or that Linux would ignore, gets what Linux asks for. */
static int find_or_add_parent(void *fdt)
{
	const struct edit_cells root = edit_cells_below(fdt, 0);
	const int parent = edit_find_or_add(fdt, 0, RESERVED_PARENT);
	int code;

	if (parent < 0 || linux_honours(fdt, parent))
		return parent;
	code = fdt_setprop_u32(fdt, parent, "#address-cells", (uint32_t)root.address);
	if (!code)
		code = fdt_setprop_u32(fdt, parent, "#size-cells", (uint32_t)root.size);
	if (!code)
		code = fdt_setprop(fdt, parent, "ranges", NULL, 0);
	return code ? code : parent;
}

static int add_reservation(void *fdt, int parent, const struct fdt_reservation *r, bool no_map)
{
	const struct edit_cells at = edit_cells_below(fdt, parent);
	struct edit_value v = {.data = NULL, .size = 0};
	char name[EDIT_NAME_MAX];
	int node, code;

	if (!edit_fits_cells(r->range, at))
		return -FDT_ERR_BADNCELLS;
	if (snprintf(name, sizeof(name), "%s@%" PRIx64, r->name, r->range.base) >= (int)sizeof(name))
		return -FDT_ERR_BADVALUE;
	node = edit_find_or_add(fdt, parent, name);
	if (node < 0)
		return node;
	edit_range_value(r->range, at, &v);
	code = fdt_setprop(fdt, node, "reg", v.data, (int)v.size);
	if (!code && (r->no_map || no_map))
		code = fdt_setprop(fdt, node, "no-map", NULL, 0);
	if (!code && r->reusable)
		code = fdt_setprop(fdt, node, "reusable", NULL, 0);
	if (!code && r->compatible)
		code = fdt_setprop_string(fdt, node, "compatible", r->compatible);
	if (!code && r->call.size) {
		v.size = 0;
		edit_range_value(r->call, at, &v);
		code = fdt_setprop(fdt, node, CALL_PROPERTY, v.data, (int)v.size);
	}
	return code;
}

/* Memory that Linux sets aside for drivers, and gives to its allocator or maps meanwhile. */
static bool is_pool(const void *fdt, int node)
{
	return !fdt_node_check_compatible(fdt, node, "shared-dma-pool") ||
	       !fdt_node_check_compatible(fdt, node, "restricted-dma-pool");
}

/*
 * Is a reservation one that a crash kernel must know? The crash region is its own memory. What has no place
 * yet would be taken out of that. A pool elsewhere is the dead kernel's RAM: Linux faults there, or uses it.
 * All else at a fixed place stays: firmware and devices know it, drivers refer to it, and outside of usable
 * memory it costs nothing.
 */
static bool is_for_crash_kernel(const void *fdt, int node)
{
	if (!fdt_node_check_compatible(fdt, node, FDT_CRASH_REGION) || !fdt_getprop(fdt, node, "reg", NULL) ||
	    fdt_getprop(fdt, node, "reusable", NULL))
		return false;
	return fdt_getprop(fdt, node, "no-map", NULL) || !is_pool(fdt, node);
}

/* A memory-region that refers to a node that is gone is -ENODEV in Linux: the driver does without. */
static int drop_reservations(void *fdt)
{
	const int parent = fdt_subnode_offset(fdt, 0, RESERVED_PARENT);
	int node = parent < 0 ? parent : fdt_first_subnode(fdt, parent), code = 0;

	while (!code && node >= 0) {
		if (is_for_crash_kernel(fdt, node)) {
			node = fdt_next_subnode(fdt, node);
		} else {
			code = fdt_del_node(fdt, node);
			node = fdt_first_subnode(fdt, parent);
		}
	}
	return code;
}

int reserve_fix(void *fdt, const struct fdt_wishes *wishes)
{
	int parent, code;

	if (!WITH_CRASH)
		return 0;
	parent = wishes->reservation_count ? find_or_add_parent(fdt) : 0;
	code = parent < 0 ? parent : 0;
	if (wishes->usable_memory.size)
		return drop_reservations(fdt);
	for (size_t i = 0; !code && i < wishes->reservation_count; i++)
		code = add_reservation(fdt, parent, &wishes->reservation[i], wishes->no_map_at_all);
	return code;
}

/* Firmware's reservations of the initrd and the bundle that it handed over: entries, then nodes. */
int reserve_fix_handed_over(void *fdt, const struct fdt_wishes *wishes)
{
	const struct machine *m = wishes->firmware;
	const int parent = fdt_subnode_offset(fdt, 0, RESERVED_PARENT);
	struct region range;
	int code = 0;

	for (int i = m ? fdt_num_mem_rsv(fdt) : 0; !code && i-- > 0;) {
		code = fdt_get_mem_rsv(fdt, i, &range.base, &range.size);
		if (!code && machine_handed_over(m, range))
			code = fdt_del_mem_rsv(fdt, i);
	}
	for (size_t i = 0; m && !code && i < m->reserved_count; i++) {
		const int node = machine_handed_over(m, m->reserved[i].range)
					 ? fdt_subnode_offset(fdt, parent, m->reserved[i].name)
					 : -FDT_ERR_NOTFOUND;

		code = node < 0 ? 0 : fdt_del_node(fdt, node);
	}
	return code;
}
