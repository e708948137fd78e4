/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the stage reaches physical memory: RAM is mapped at one offset in the upper half.
 *
 * The offset depends on the mode, so a pointer made before a change of mode is stale after it: keep
 * physical addresses, make pointers where they are used.
 */
#ifndef LIFEBOAT_MM_PHYSMAP_H
#define LIFEBOAT_MM_PHYSMAP_H

#include "base/types.h"
#include "mm/layout.h"

struct physmap {
	vaddr_t base;  /* where physical address 0 would be: the bottom of the upper half */
	paddr_t limit; /* the first physical address that is out of reach */
};

/** The physmap of a mode with @levels levels. */
static inline struct physmap physmap_for_levels(unsigned levels)
{
	vaddr_t base = -(UINT64_C(1) << (PAGE_SHIFT + 9 * levels - 1));

	return (struct physmap){.base = base, .limit = STAGE_VA - base};
}

/** Where the stage sees physical address @pa, which must be below the limit and mapped. */
static inline void *physmap_pointer(const struct physmap *map, paddr_t pa)
{
	return (void *)(uintptr_t)(map->base + pa);
}

#endif
