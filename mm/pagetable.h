/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page-table builder for Sv39, Sv48 and Sv57 (RISC-V Privileged Architecture, "Supervisor-Level ISA").
 *
 * The modes differ in the number of levels and in nothing else. Tables come from a pool that the
 * caller gives; the builder allocates from it in order, walks tables that are there, and never
 * overwrites a leaf. It writes plain memory: it can build tables for the running hart, for another
 * place in memory, or in a host test.
 *
 * Leaves have V and A set beforehand, and D where they have W: many harts (Svade) fault on A = 0 or on a
 * store with D = 0 instead of setting them. G is never set: no fence that the stage owes depends on who ran
 * before.
 *
 * PBMT stays 0: what memory is, the hart's PMAs tell. Cores that want it told in bits of their own (T-Head's
 * MAEE) are served by struct pte_attributes; pointers to tables have no such bits.
 */
#ifndef LIFEBOAT_MM_PAGETABLE_H
#define LIFEBOAT_MM_PAGETABLE_H

#include "base/error.h"
#include "base/types.h"

#define PAGETABLE_ENTRIES 512
#define SV39_LEVELS	  3
#define SV48_LEVELS	  4
#define SV57_LEVELS	  5

/** Bits of a PTE that a caller may ask for. W needs R, and never comes with X. */
#define PTE_R UINT64_C(0x02)
#define PTE_W UINT64_C(0x04)
#define PTE_X UINT64_C(0x08)
/** The other bits that the builder sets. */
#define PTE_V UINT64_C(0x01)
#define PTE_A UINT64_C(0x40)
#define PTE_D UINT64_C(0x80)
/** May be asked for beside PTE_R | PTE_W, and is never written: what is mapped is no memory but registers. */
#define PTE_DEVICE UINT64_C(0x100)

/** Bits that every leaf needs on this core, besides the standard's. All 0 on a core that keeps to it. */
struct pte_attributes {
	uint64_t ram; /* memory, flash included */
	uint64_t device;
};

struct pagetable {
	unsigned levels; /* SV39_LEVELS .. SV57_LEVELS */
	/* Where this code reads and writes the tables; [0] is the root. */
	uint64_t (*pool)[PAGETABLE_ENTRIES];
	paddr_t pool_pa; /* where the hart will find them */
	size_t pool_pages;
	size_t used_pages;
	struct pte_attributes attributes;
};

/**
 * Pages that suffice for @mappings calls of pagetable_map(), root included: a path of tables at either end of
 * each.
 *
 * Holds for ranges up to 2 MiB, and for longer ones whose VA and PA agree in the bits that the large leaves
 * need.
 */
#define PAGETABLE_POOL_PAGES(levels, mappings) (1 + (mappings)*2 * ((levels)-1))

/**
 * Begin empty tables: takes one page of the pool for the root.
 *
 * @levels   SV39_LEVELS, SV48_LEVELS or SV57_LEVELS
 * @pool     @pool_pages pages, page-aligned, owned by the tables from now on; need not be zeroed
 * @pool_pa  physical address of @pool, page-aligned
 * @attributes  of the core that will use them
 * Return: LB_OK; LB_EINVAL; LB_ENOSPC @pool_pages is 0.
 */
LB_MUST_CHECK enum lb_err pagetable_init(struct pagetable *pt, unsigned levels, void *pool, paddr_t pool_pa,
					 size_t pool_pages, struct pte_attributes attributes);

/**
 * Map [@va, @va + @size) to [@pa, @pa + @size) with the largest leaves that alignment allows, up to 512 GiB.
 *
 * A part that is mapped already is left alone if it says the same (same address, same permissions),
 * in leaves of any size.
 * @perms  PTE_R | PTE_W, PTE_R, PTE_R | PTE_X, or PTE_R | PTE_W | PTE_DEVICE
 * Return: LB_OK; LB_EINVAL unaligned, empty, or W with X; LB_ERANGE @va not canonical in this mode, or
 *         @pa at or above 2^56; LB_ENOSPC the pool is used up; LB_ECONFLICT some page is mapped otherwise.
 *         After an error the tables hold a part of the mapping: give them up.
 */
LB_MUST_CHECK enum lb_err pagetable_map(struct pagetable *pt, vaddr_t va, paddr_t pa, uint64_t size,
					uint64_t perms);

/** The value for satp: mode, ASID 0, root. */
uint64_t pagetable_satp(const struct pagetable *pt);

/** Is [@va, @va + @size) canonical with this many levels: all upper bits equal to the top VA bit? */
bool pagetable_is_canonical(unsigned levels, vaddr_t va, uint64_t size);

/** The first physical address that can not be its own virtual address: 2^38, 2^47, 2^56. */
static inline paddr_t pagetable_identity_limit(unsigned levels)
{
	return UINT64_C(1) << (PAGE_SHIFT + 9 * levels - 1);
}

/** "Sv39", "Sv48", "Sv57", or "bare" for any other count of levels. */
const char *pagetable_mode_name(unsigned levels);

#endif
