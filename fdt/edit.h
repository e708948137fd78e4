/* SPDX-License-Identifier: BSD-2-Clause */
/* What every change to an FDT needs. Private to fdt/. */
#ifndef LIFEBOAT_FDT_EDIT_H
#define LIFEBOAT_FDT_EDIT_H

/** The child of @parent called @name, made if it is not there: its offset, or a negative libfdt error. */
int edit_find_or_add(void *fdt, int parent, const char *name);

#endif
