/* SPDX-License-Identifier: BSD-2-Clause */
/* What head.S hands to start(). */
#ifndef LIFEBOAT_BOOT_ENTRY_ENTRY_H
#define LIFEBOAT_BOOT_ENTRY_ENTRY_H

#include "base/types.h"

/** What head.S found, in this order, on the stack that it passes to start(). */
struct boot_entry {
	uint64_t hart_id;
	paddr_t fdt_pa;
	paddr_t stage_pa;	 /* where firmware put the stage */
	uint64_t instret;	 /* at the first instruction */
	uint64_t instret_usable; /* 0 or 1 */
	uint64_t early_levels;	 /* of the tables that head.S turned on */
	uint64_t early_pages;	 /* of the pool that they use */
};

_Static_assert(sizeof(struct boot_entry) <= 64 && offsetof(struct boot_entry, early_levels) == 40,
	       "head.S fills struct boot_entry");

#endif
