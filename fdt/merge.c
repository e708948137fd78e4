// SPDX-License-Identifier: BSD-2-Clause
/* A base and overlays out of a bundle, by libfdt. */
#include "fdt/merge.h"

#include <libfdt.h>
#include <string.h>

#include "fdt/edit.h"
#include "fdt/read.h"
#include "fdt/sound.h"

#define DEPTH_MAX 32

static enum lb_err failed(int code, const char *name, const char *what, struct diag *diag)
{
	return diag_fail(diag, code == -FDT_ERR_NOSPACE ? LB_ENOSPC : LB_EFORMAT,
			 "fdt: '%.40s' %s (libfdt's code %d)", name, what, code);
}

/* libfdt goes through overlays by recursion, on a stack that is not endless. */
static bool is_too_deep(const void *blob)
{
	int depth = 0;

	for (int node = 0; node >= 0; node = fdt_next_node(blob, node, &depth)) {
		if (depth > DEPTH_MAX)
			return true;
	}
	return false;
}

enum lb_err fdt_check_image(const void *blob, uint64_t size, const char *name, bool *overlay,
			    struct diag *diag)
{
	const int code = size > FDT_SIZE_MAX ? -FDT_ERR_TRUNCATED : sound_tree(blob, size);
	int node;

	if (code)
		return failed(code, name, "is no whole FDT: make the bundle again", diag);
	if (is_too_deep(blob))
		return diag_fail(diag, LB_EFORMAT, "fdt: '%.40s' has nodes nested more than %d deep", name,
				 DEPTH_MAX);
	*overlay = false;
	fdt_for_each_subnode(node, blob, 0) *overlay |= fdt_subnode_offset(blob, node, "__overlay__") >= 0;
	return LB_OK;
}

enum lb_err fdt_merge_begin(const void *base, void *out, uint64_t out_size, struct diag *diag)
{
	int code = fdt_open_into(base, out, out_size < FDT_SIZE_MAX ? (int)out_size : (int)FDT_SIZE_MAX);

	return code ? failed(code, "base", "can't be copied", diag) : LB_OK;
}

/* ---- What firmware knows ---- */

static int copy_property(void *out, int to, const void *firmware, int property, bool replace)
{
	const char *name;
	int size;
	const void *value = fdt_getprop_by_offset(firmware, property, &name, &size);

	if (!value)
		return size;
	if (!replace && fdt_getprop(out, to, name, NULL))
		return 0;
	return fdt_setprop(out, to, name, value, size);
}

static int copy_properties(void *out, int to, const void *firmware, int from, bool replace)
{
	int property, code = 0;

	fdt_for_each_property_offset(property, firmware, from)
	{
		code = copy_property(out, to, firmware, property, replace);
		if (code)
			break;
	}
	return code;
}

/* Copy a node without children, unless @parent has one of its name; its users may be others. */
static int copy_leaf(void *out, int parent, const void *firmware, int from)
{
	const char *name = fdt_get_name(firmware, from, NULL);
	int to = name ? fdt_add_subnode(out, parent, name) : -FDT_ERR_BADSTRUCTURE;

	if (to == -FDT_ERR_EXISTS)
		return 0;
	return to < 0 ? to : copy_properties(out, to, firmware, from, true);
}

static bool is_memory(const void *fdt, int node)
{
	int size;
	const char *type = fdt_getprop(fdt, node, "device_type", &size);

	return type && size == sizeof("memory") && !memcmp(type, "memory", sizeof("memory"));
}

static int replace_memory(void *out, const void *firmware)
{
	int node, code = 0;

	for (node = fdt_first_subnode(out, 0); !code && node >= 0;) {
		if (is_memory(out, node)) {
			code = fdt_del_node(out, node);
			node = fdt_first_subnode(out, 0);
		} else {
			node = fdt_next_subnode(out, node);
		}
	}
	for (node = fdt_first_subnode(firmware, 0); !code && node >= 0;
	     node = fdt_next_subnode(firmware, node)) {
		if (is_memory(firmware, node))
			code = copy_leaf(out, 0, firmware, node);
	}
	return code;
}

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

static bool same_cells(const void *a, int a_node, const void *b, int b_node)
{
	return fdt_address_cells(a, a_node) == fdt_address_cells(b, b_node) &&
	       fdt_size_cells(a, a_node) == fdt_size_cells(b, b_node);
}

static int add_reserved_memory(void *out, const void *firmware)
{
	int from = fdt_subnode_offset(firmware, 0, "reserved-memory");
	int to = from < 0 ? from : edit_find_or_add(out, 0, "reserved-memory");
	int child, code;

	if (from < 0)
		return from == -FDT_ERR_NOTFOUND ? 0 : from;
	code = to < 0 ? to : copy_properties(out, to, firmware, from, false);
	if (!code && !same_cells(out, to, firmware, from))
		return -FDT_ERR_BADNCELLS;
	for (child = fdt_first_subnode(firmware, from); !code && child >= 0;
	     child = fdt_next_subnode(firmware, child))
		code = copy_leaf(out, to, firmware, child);
	return code;
}

static int add_chosen(void *out, const void *firmware)
{
	int from = fdt_subnode_offset(firmware, 0, "chosen");
	int to = from < 0 ? from : edit_find_or_add(out, 0, "chosen");

	if (from < 0)
		return from == -FDT_ERR_NOTFOUND ? 0 : from;
	return to < 0 ? to : copy_properties(out, to, firmware, from, false);
}

enum lb_err fdt_merge_firmware(void *out, const void *firmware, const char *name, struct diag *diag)
{
	static int (*const steps[])(void *out, const void *firmware) = {replace_memory, add_memreserve,
									add_reserved_memory, add_chosen};
	int code = same_cells(out, 0, firmware, 0) ? 0 : -FDT_ERR_BADNCELLS;

	for (size_t i = 0; !code && i < ARRAY_SIZE(steps); i++)
		code = steps[i](out, firmware);
	return code ? failed(code, name, "can't take over the firmware's memory and reservations", diag)
		    : LB_OK;
}

enum lb_err fdt_merge_overlay(void *out, void *overlay, const char *name, struct diag *diag)
{
	int code = fdt_overlay_apply(out, overlay);

	return code ? failed(code, name, "is no overlay for this FDT: was the base made with dtc -@?", diag)
		    : LB_OK;
}
