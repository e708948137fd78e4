/* SPDX-License-Identifier: BSD-2-Clause */
/* How many page tables it takes to map memory at one offset, as the physmap does. */
#ifndef LIFEBOAT_MM_TABLES_H
#define LIFEBOAT_MM_TABLES_H

#include "mm/region.h"

/**
 * Count the tables below the root that mapping all of @set takes: those that its pieces share count once.
 *
 * Exact for pieces of whole pages, below 256 TiB each, mapped by pagetable_map() at an offset that is a
 * multiple of its largest leaf. More levels never take less.
 * @levels  of the mode
 */
size_t tables_for_set(unsigned levels, const struct region_set *set);

#endif
