/* SPDX-License-Identifier: BSD-2-Clause */
/* mem= on a command line: RAM that a kernel will not use, so that nothing for it may lie there. */
#ifndef LIFEBOAT_KEXEC_PLACE_LIMIT_H
#define LIFEBOAT_KEXEC_PLACE_LIMIT_H

#include "mm/region.h"

/**
 * The end of what a kernel with these @bootargs uses of @ram: Linux counts mem= from the lowest RAM on, takes
 * the smallest of several, and reads up to "--". (riscv has no memmap=.)
 *
 * Return: an address; UINT64_MAX if there is no mem=, or it is no limit.
 */
paddr_t place_limit(const char *bootargs, const struct region_set *ram);

#endif
