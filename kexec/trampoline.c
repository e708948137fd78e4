// SPDX-License-Identifier: BSD-2-Clause
/* The trampoline tables, and the two words that tie a copy of the trampoline page to them. */
#include "kexec/trampoline.h"

#include <inttypes.h>
#include <string.h>

/* From norelocate.S. */
extern const char trampoline_start[], norelocate[], norelocate_satp[], norelocate_pa[];

enum lb_err trampoline_build(struct pagetable *pt, vaddr_t va, paddr_t pa, struct diag *diag)
{
	enum lb_err err;

	if (pa >= pagetable_identity_limit(pt->levels))
		return diag_fail(diag, LB_ERANGE,
				 "trampoline: page at %#" PRIx64 " is above %s's identity limit %#" PRIx64,
				 pa, pagetable_mode_name(pt->levels), pagetable_identity_limit(pt->levels));
	err = pagetable_map(pt, va, pa, PAGE_SIZE, PTE_R | PTE_X);
	if (!err)
		err = pagetable_map(pt, pa, pa, PAGE_SIZE, PTE_R | PTE_X);
	if (err)
		return diag_fail(diag, err,
				 "trampoline: cannot map %#" PRIx64 " at %#" PRIx64 " and itself: %s", pa, va,
				 lb_err_name(err));
	return LB_OK;
}

void trampoline_arm(void *page, paddr_t pa, uint64_t satp)
{
	uint64_t pass_two_pa = pa + (uint64_t)(norelocate - trampoline_start);

	memcpy((char *)page + (norelocate_satp - trampoline_start), &satp, sizeof(satp));
	memcpy((char *)page + (norelocate_pa - trampoline_start), &pass_two_pa, sizeof(pass_two_pa));
}
