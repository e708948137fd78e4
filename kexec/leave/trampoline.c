// SPDX-License-Identifier: BSD-2-Clause
/* The trampoline tables, and the two words that tie a copy of the trampoline page to them. */
#include "kexec/leave/trampoline.h"

enum lb_err trampoline_build(struct pagetable *pt, vaddr_t va, paddr_t pa)
{
	enum lb_err err;

	if (pa >= pagetable_identity_limit(pt->levels))
		return LB_ERANGE;
	err = pagetable_map(pt, va, pa, PAGE_SIZE, PTE_R | PTE_X);
	return err ? err : pagetable_map(pt, pa, pa, PAGE_SIZE, PTE_R | PTE_X);
}

void trampoline_arm(void *page, size_t words, paddr_t pa, uint64_t satp)
{
	uint64_t *word = (uint64_t *)page + words / sizeof(uint64_t);

	word[0] = satp;
	word[1] = pa;
}
