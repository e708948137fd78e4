/* SPDX-License-Identifier: BSD-2-Clause */
/* What is settled once the stage has moved: read by all the rooms, written by none of them. */
#ifndef LIFEBOAT_BOOT_FACTS_H
#define LIFEBOAT_BOOT_FACTS_H

#include "boot/machine/cost.h"
#include "boot/source.h"

struct smp;
struct trust;

/** Each fact behind a const pointer has its one writer elsewhere; log and cost are everybody's. */
struct facts {
	const struct hw *hw;	     /* discover */
	const struct stage *stage;   /* stage */
	const struct source *source; /* source */
	struct trust *trust;	     /* load/trust */
	struct smp *smp;	     /* smp */
	struct log *log;
	struct cost *cost;
};

/** What is left to: returned by who made it ready, and stored nowhere. */
struct exit {
	paddr_t entry, fdt;
};

/** Where the stage sees RAM at @pa, which must be mapped. */
static inline void *facts_at(const struct facts *facts, paddr_t pa)
{
	return physmap_pointer(&facts->stage->physmap, pa);
}

#endif
