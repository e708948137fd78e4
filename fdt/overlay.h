/* SPDX-License-Identifier: BSD-2-Clause */
/* What libfdt takes on trust when it applies an overlay. Private to fdt/. */
#ifndef LIFEBOAT_FDT_OVERLAY_H
#define LIFEBOAT_FDT_OVERLAY_H

#include "base/error.h"

/** How deep an overlay's nodes may be nested: libfdt goes through them by recursion. */
#define OVERLAY_DEPTH_MAX 32

/**
 * Check that an overlay can be applied without a read or write outside of it, and that @base has the labels
 * that it wants.
 *
 * @base     a sound tree
 * @overlay  a sound tree, nested no deeper than OVERLAY_DEPTH_MAX
 * @name     of its image, for the message
 * Return: LB_OK; LB_EFORMAT.
 */
LB_MUST_CHECK enum lb_err overlay_check(const void *base, const void *overlay, const char *name,
					struct diag *diag);

#endif
