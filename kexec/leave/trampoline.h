/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trampoline page and its tables, which map that one page twice and nothing else.
 *
 * The code in the page is norelocate.S; docs/trampoline.md has the picture.
 */
#ifndef LIFEBOAT_KEXEC_LEAVE_TRAMPOLINE_H
#define LIFEBOAT_KEXEC_LEAVE_TRAMPOLINE_H

#include "mm/pagetable.h"

/** Pool pages that suffice for the trampoline tables in any mode and at any two addresses. */
#define TRAMPOLINE_POOL_PAGES PAGETABLE_POOL_PAGES(SV57_LEVELS, 2)

/**
 * Build the trampoline tables: the page at @pa, mapped at @va and at @pa, both read and execute.
 *
 * Where the two paths share levels they share tables; @va == @pa needs one mapping only.
 * @pt   after pagetable_init() with TRAMPOLINE_POOL_PAGES pages
 * Return: LB_OK; LB_ERANGE @pa is no address in this mode's lower half (2^38, 2^47, 2^56), so there is
 *         no identity mapping: place the page lower or take a larger mode; or @va is not canonical in it;
 *         LB_ECONFLICT the two mappings disagree (can't be with distinct page-aligned addresses);
 *         LB_EINVAL unaligned.
 */
LB_MUST_CHECK enum lb_err trampoline_build(struct pagetable *pt, vaddr_t va, paddr_t pa);

/**
 * Write into a copy of the trampoline page which tables it must install, and where it will lie.
 *
 * @page   the copy, writable here    @pa  where it will be fetched by physical address
 * @words  offset in the page of norelocate_satp, which norelocate_pa follows; a multiple of 8
 * @satp   of the tables that trampoline_build() made for it; 0 for a caller that runs without paging
 */
void trampoline_arm(void *page, size_t words, paddr_t pa, uint64_t satp);

#endif
