/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map: what is RAM, what of it is taken and by whom, and so what is free.
 *
 * Filled once by boot/ from what the FDT says; the placement plan reads it. Takers may overlap each
 * other (an FDT inside a reserved region is common), so the free set is always made from RAM minus all.
 * LB_ENOSPC means that a set got too many pieces, be it only on the way to a smaller one.
 */
#ifndef LIFEBOAT_MM_MEMMAP_H
#define LIFEBOAT_MM_MEMMAP_H

#include "mm/region.h"

enum memmap_kind {
	MEMMAP_FIRMWARE, /* SBI firmware: S-mode may fault on it */
	MEMMAP_RESERVED, /* reserved by the FDT: /reserved-memory, /memreserve/ */
	MEMMAP_FDT,	 /* the firmware's FDT */
	MEMMAP_STAGE,	 /* lifeboat itself */
	MEMMAP_BUNDLE,	 /* the bundle, or the bare payload in its place */
	MEMMAP_INITRD,	 /* an initrd that firmware brought beside the bundle */
	MEMMAP_CRASH,	 /* the crash region */
	MEMMAP_LOST,	 /* what earlier stages write on the way up, as the platform tells */
	MEMMAP_LOADABLE, /* a loadable of the configuration that is being planned */
	MEMMAP_KEPT,	 /* what its kernel shall find free, or was told not to use */
};

struct memmap_taken {
	struct region range;
	enum memmap_kind kind;
	const char *name; /* for the log; not owned, lives as long as the map */
};

#define MEMMAP_TAKEN_MAX 80

struct memmap {
	struct region_set ram;
	struct region_set free;	 /* ram minus every taken range, whole pages only */
	struct region_set draft; /* private: the next free set, until it is known to fit */
	size_t taken_count;
	struct memmap_taken taken[MEMMAP_TAKEN_MAX];
};

/** Make @map empty. */
void memmap_init(struct memmap *map);

/**
 * Declare [@base, @base + @size) to be RAM. Partial pages at its ends are left out of the free set.
 * Ranges that are taken already stay taken.
 *
 * Return: LB_OK; LB_ERANGE, LB_ENOSPC as region_set_add(). On error @map is unchanged.
 */
LB_MUST_CHECK enum lb_err memmap_add_ram(struct memmap *map, paddr_t base, uint64_t size);

/**
 * Say that [@base, @base + @size) is taken; every page that it touches leaves the free set. It need
 * not be RAM (nothing happens to the free set then). Taking twice is fine. An empty range is recorded
 * nowhere.
 *
 * Return: LB_OK; LB_ERANGE; LB_ENOSPC too many entries or pieces. On error @map is unchanged.
 */
LB_MUST_CHECK enum lb_err memmap_take(struct memmap *map, paddr_t base, uint64_t size, enum memmap_kind kind,
				      const char *name);

/**
 * Drop every entry of @kind whose base is @base; the free set gets back what no other entry holds.
 *
 * Return: LB_OK; LB_ENOENT no such entry; LB_ENOSPC. On error @map is unchanged.
 */
LB_MUST_CHECK enum lb_err memmap_release(struct memmap *map, paddr_t base, enum memmap_kind kind);

/** What @kind is called in the log, such as "firmware". Never NULL. */
const char *memmap_kind_name(enum memmap_kind kind);

#endif
