/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the crash region is, as the stage has told the kernel in its FDT. Binding in docs/abi.md. */
#ifndef LIFEBOAT_TOOLS_FIND_REGION_H
#define LIFEBOAT_TOOLS_FIND_REGION_H

#include "kexec/crash/region.h"

/**
 * Find the reserved-memory node that is compatible with "lifeboat,crash-region"; or that has only its name,
 * since a bootloader in between (U-Boot) hands ranges over to the FDT that it loads, and no other properties.
 *
 * @devicetree  a directory as /proc/device-tree: a file for each property, its bytes as they are in the FDT
 * @region      filled whole on LB_OK
 * Return: LB_OK; LB_ENOENT there is no such node, or no device tree; LB_EFORMAT its range makes no sense.
 */
LB_MUST_CHECK enum lb_err find_region(const char *devicetree, struct crash_region *region, struct diag *diag);

/** The root's compatible strings, NULs included, into @list. Return: their size; 0: none, or no room. */
size_t find_board(const char *devicetree, char *list, size_t room);

#endif
