/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the dead kernel's VMCOREINFO note in its RAM.
 *
 * There may be several: of kernels that ran before it, or copies of its own. So each is read, and those that
 * are good are ranked.
 */
#ifndef LIFEBOAT_KEXEC_DEAD_FIND_H
#define LIFEBOAT_KEXEC_DEAD_FIND_H

#include "kexec/dead/note.h"

/** Notes that vmcoreinfo_find() looks at before it makes do with what it has: the bound of its run time. */
#define VMCOREINFO_CANDIDATES_MAX 1024

/**
 * Find the dead kernel's note in @where, page by page. What of @where @ram cannot read is left out.
 *
 * Of several that pass vmcoreinfo_read() that one wins which, in this order: has a readable printk ring; did
 * not leave by kexec -e (another lived after it); lies at @kernel_pa; has the latest CRASHTIME; whose log's
 * last record has the highest timestamp; lies lowest.
 * @kernel_pa   as for vmcoreinfo_read()
 * @candidates  receives how many notes were seen, good or not, at most VMCOREINFO_CANDIDATES_MAX; may be NULL
 * Return: LB_OK; LB_ENOENT none found, or none good (the line says which). @info is undefined then.
 */
LB_MUST_CHECK enum lb_err vmcoreinfo_find(const struct ram *ram, const struct region_set *where,
					  paddr_t kernel_pa, struct vmcoreinfo *info, size_t *candidates,
					  struct diag *diag);

#endif
