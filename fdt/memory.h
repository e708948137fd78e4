/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory nodes of a payload's FDT. Private to fdt/. */
#ifndef LIFEBOAT_FDT_MEMORY_H
#define LIFEBOAT_FDT_MEMORY_H

#include "fdt/fixup.h"

/**
 * Let a range of a memory node that begins where wishes->hidden does begin behind it. One that would have
 * nothing left stays. Return: 0, or a negative libfdt error.
 */
int memory_fix(void *fdt, const struct fdt_wishes *wishes);

#endif
