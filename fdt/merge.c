// SPDX-License-Identifier: BSD-2-Clause
/* A base and overlays out of a bundle, by libfdt. */
#include "fdt/merge.h"

#include <libfdt.h>

#include "fdt/firmware.h"
#include "fdt/overlay.h"
#include "fdt/read.h"
#include "fdt/sound.h"
#include "fdt/words.h"

#define FACTS_LOST "can't keep the firmware's memory and reservations"

static enum lb_err failed(int code, const char *name, const char *what, struct diag *diag)
{
	return diag_fail(diag, code == -FDT_ERR_NOSPACE ? LB_ENOSPC : LB_EFORMAT, "fdt: '%.40s' %s: %s", name,
			 what, fdt_words(code));
}

/* libfdt goes through overlays by recursion, on a stack that is not endless. */
static bool is_too_deep(const void *blob)
{
	int depth = 0;

	for (int node = 0; node >= 0; node = fdt_next_node(blob, node, &depth)) {
		if (depth > OVERLAY_DEPTH_MAX)
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
		return failed(code, name, "is no whole FDT", diag);
	if (is_too_deep(blob))
		return diag_fail(diag, LB_EFORMAT, "fdt: '%.40s' has nodes nested more than %d deep", name,
				 OVERLAY_DEPTH_MAX);
	*overlay = false;
	fdt_for_each_subnode(node, blob, 0) *overlay |= fdt_subnode_offset(blob, node, "__overlay__") >= 0;
	return LB_OK;
}

enum lb_err fdt_merge_begin(const void *base, void *out, uint64_t out_size, struct diag *diag)
{
	int code = fdt_open_into(base, out, out_size < FDT_SIZE_MAX ? (int)out_size : (int)FDT_SIZE_MAX);

	return code ? failed(code, "base", "can't be copied", diag) : LB_OK;
}

enum lb_err fdt_merge_firmware(void *out, const void *firmware, const char *name, struct diag *diag)
{
	int code = firmware_take_over(out, firmware);

	return code ? failed(code, name, FACTS_LOST, diag) : LB_OK;
}

enum lb_err fdt_merge_overlay(void *out, void *overlay, const void *firmware, const char *name,
			      struct diag *diag)
{
	enum lb_err err = overlay_check(out, overlay, name, diag);
	int code;

	if (err)
		return err;
	code = fdt_overlay_apply(out, overlay);
	if (code)
		return failed(code, name, "is no overlay for this FDT", diag);
	code = firmware_reserve(out, firmware);
	return code ? failed(code, name, FACTS_LOST, diag) : LB_OK;
}
