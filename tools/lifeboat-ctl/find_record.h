/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the crash region is, on a kernel that was told by no FDT: EDK2 boots it with ACPI. */
#ifndef LIFEBOAT_TOOLS_FIND_RECORD_H
#define LIFEBOAT_TOOLS_FIND_RECORD_H

#include "tools/lifeboat-ctl/control.h"

/**
 * Look for a crash record at the end of each Reserved range of /proc/iomem; root alone is shown addresses
 * there.
 *
 * Return: is there one? Then control->region is that range. If not, control->region and control->diag are of
 *         no use.
 */
bool find_record(struct control *control);

#endif
