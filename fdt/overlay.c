// SPDX-License-Identifier: BSD-2-Clause
/*
 * What libfdt takes on trust when it applies an overlay.
 *
 * It adds a number to whatever __local_fixups__ points to, stores one where __fixups__ points to, and takes
 * target-path and the values of the base's __symbols__ for strings. While it does so it changes the overlay:
 * what is checked here must not be what it changes, so no fixup may lead into the overlay's own __nodes__, to
 * a path, or to a phandle.
 */
#include "fdt/overlay.h"

#include <string.h>

#include "base/text.h"
#include "fdt/prop.h"
#include "fdt/words.h"

#define CELL_SIZE 4

/* What no fixup may change. (libfdt may look at the byte behind the last NUL.) */
static const char fixed[] = "phandle\0linux,phandle\0target-path\0";

/* Can a phandle be stored at @at of a property of @node? */
static bool is_slot(const void *overlay, int node, const char *name, size_t length, uint32_t at)
{
	const struct fdt_property *property =
		fdt_get_property_namelen(overlay, node, name, (int)length, NULL);

	return property && range_fits(at, CELL_SIZE, fdt32_ld(&property->len)) &&
	       !fdt_stringlist_contains(fixed, sizeof(fixed) - 1,
					fdt_string(overlay, (int)fdt32_ld(&property->nameoff)));
}

/* Each property below __local_fixups__ lists offsets into the one of its name and place in the tree. */
static bool local_properties_hold(const void *overlay, int fixup, int node)
{
	int property;

	fdt_for_each_property_offset(property, overlay, fixup)
	{
		const char *name = "";
		int size;
		const fdt32_t *list = fdt_getprop_by_offset(overlay, property, &name, &size);

		for (int i = 0; i < size / CELL_SIZE; i++)
			if (!is_slot(overlay, node, name, strlen(name), fdt32_ld(&list[i])))
				return false;
	}
	return true;
}

static bool local_fixups_hold(const void *overlay)
{
	int same[OVERLAY_DEPTH_MAX + 1] = {0}; /* by depth: the node of the tree that the fixups are for */
	int depth = 0;
	int fixup = fdt_subnode_offset(overlay, 0, "__local_fixups__");

	for (; fixup >= 0 && depth >= 0; fixup = fdt_next_node(overlay, fixup, &depth)) {
		const char *name = fdt_get_name(overlay, fixup, NULL);

		if (depth)
			same[depth] = fdt_subnode_offset(overlay, same[depth - 1], name);
		if (same[depth] < 0 || (depth == 1 && *name == '_') ||
		    !local_properties_hold(overlay, fixup, same[depth]))
			return false;
	}
	return true;
}

/* "PATH:PROPERTY:OFFSET": the path is no alias, which may lead anywhere, and leads into no __node__. */
static bool fixup_holds(const void *overlay, const char *path)
{
	const char *name = strchr(path, ':'), *offset = name ? strchr(name + 1, ':') : NULL;
	uint32_t at;

	return offset && text_read_number(offset + 1, strlen(offset + 1), INT32_MAX, &at) && path[0] == '/' &&
	       path[1] != '/' && path[1] != '_' &&
	       is_slot(overlay, fdt_path_offset_namelen(overlay, path, (int)(name - path)), name + 1,
		       (size_t)(offset - name - 1), at);
}

static bool fixups_hold(const void *overlay, struct prop list)
{
	const char *fixup = prop_string(list);

	if (!fixup)
		return false;
	for (uint32_t at = 0; at < list.size; at += (uint32_t)strlen(fixup + at) + 1)
		if (!fixup_holds(overlay, fixup + at))
			return false;
	return true;
}

static bool target_paths_hold(const void *overlay)
{
	int fragment;

	fdt_for_each_subnode(fragment, overlay, 0)
	{
		const struct prop path = prop_of(overlay, fragment, "target-path");

		if (path.data && !prop_string(path))
			return false;
	}
	return true;
}

static bool has_label(const void *base, const char *label)
{
	return prop_string(prop_of(base, fdt_subnode_offset(base, 0, "__symbols__"), label)) != NULL;
}

enum lb_err overlay_check(const void *base, const void *overlay, const char *name, struct diag *diag)
{
	bool good = target_paths_hold(overlay) && local_fixups_hold(overlay);
	const char *label;
	int property;

	fdt_for_each_property_offset(property, overlay, fdt_subnode_offset(overlay, 0, "__fixups__"))
	{
		int size;
		const void *list = fdt_getprop_by_offset(overlay, property, &label, &size);

		good = good && list && fixups_hold(overlay, (struct prop){list, (uint32_t)size});
		if (!good || !has_label(base, label))
			break;
	}
	if (!good)
		return diag_fail(diag, LB_EFORMAT, "fdt: '%.40s' is damaged: %s", name,
				 fdt_words(-FDT_ERR_BADOVERLAY));
	if (property >= 0)
		return diag_fail(
			diag, LB_EFORMAT,
			"fdt: '%.40s' is no overlay for this FDT: no label '%.40s': make that with dtc -@",
			name, label);
	return LB_OK;
}
