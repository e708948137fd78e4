/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking into memory that somebody else owned: by physical address, never outside of what is RAM.
 *
 * The crash code follows addresses out of a dead kernel's memory; each goes through here first. In the
 * stage the offset is the physmap's; in a host test it is where a RAM image is mapped.
 */
#ifndef LIFEBOAT_MM_RAM_H
#define LIFEBOAT_MM_RAM_H

#include "mm/region.h"

struct ram {
	const struct region_set *readable; /* what may be looked at */
	uintptr_t offset;		   /* pointer = pa + offset */
};

/** Where the @size bytes at @pa can be read; NULL unless all of them are readable. @size may not be 0. */
static inline const void *ram_bytes(const struct ram *ram, paddr_t pa, uint64_t size)
{
	if (!size || !region_set_contains(ram->readable, pa, size))
		return NULL;
	return (const void *)(uintptr_t)(pa + ram->offset);
}

#endif
