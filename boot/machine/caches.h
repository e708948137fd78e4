/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making memory outlive a reset: RAM keeps its contents, caches do not, so what a later life needs is written
 * back. Where harts have Zicbom that reaches memory; cores and boards without it have ways of their own.
 */
#ifndef LIFEBOAT_BOOT_MACHINE_CACHES_H
#define LIFEBOAT_BOOT_MACHINE_CACHES_H

#include "boot/machine/log.h"
#include "mm/physmap.h"

/** The ways that this machine has; all zero: it has none, and needs none. */
struct caches {
	struct physmap physmap; /* by which memory is reached */
	uint64_t cbom_block;	/* bytes that cbo.clean writes back; 0: no Zicbom */
	bool thead;		/* T-Head's th.dcache.cva */
	paddr_t llc_flush;	/* register of the last-level cache; 0: none, or firmware keeps it from us */
	struct log *log;	/* for a warning, once */
};

/**
 * Take the ways that a machine is told to have, but for instructions that trap when they are tried: that is
 * warned of.
 *
 * @told   by FDT, core and platform
 * @probe  memory of ours that is mapped, and may be written back
 */
void caches_init(struct caches *caches, const struct caches *told, const void *probe);

/**
 * Write [@start, @start + @size) back, and return when it is in RAM. A crash_write_back.
 *
 * @caches  struct caches   @start  by its physmap
 */
void caches_write_back(void *caches, const void *start, size_t size);

/**
 * Write one block back that holds @address, by cbo.clean (Zicbom). Context: with paging and without.
 *
 * (By its encoding: old assemblers do not know the name.)
 */
static inline void caches_clean_block(uintptr_t address)
{
	__asm__ volatile(".insn i 0x0f, 2, x0, %0, 1" : : "r"(address) : "memory");
}

#endif
