/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the dead kernel's VMCOREINFO note in its RAM.
 *
 * First from the kernel to its note: Linux keeps a pointer to it in its image, where no process can write.
 * Only where that leads nowhere (another kernel ran than the stage has started, or its image is harmed),
 * all of RAM is searched. There may be several notes: of kernels that ran before, copies, forged ones. So
 * each is read, and those that are good are ranked.
 */
#ifndef LIFEBOAT_KEXEC_DEAD_FIND_H
#define LIFEBOAT_KEXEC_DEAD_FIND_H

#include "kexec/dead/note.h"

/** Notes that vmcoreinfo_find() looks at before it makes do with what it has: the bound of its run time. */
#define VMCOREINFO_CANDIDATES_MAX 1024

/**
 * Find the dead kernel's note: the one that the image at @home points to, else in @where, page by page.
 * What of @where @ram cannot read is left out.
 *
 * The image's own note wins, unless its log says that it left by kexec -e: another lived after it. Of several
 * others that pass vmcoreinfo_read() that one wins which, in this order: did not leave by kexec -e; is
 * anchored; tells of no orderly end, so that a forged one can't hide a crash; has a readable printk ring;
 * lies at @home; has the latest CRASHTIME; whose log's last record has the highest timestamp; lies lowest.
 * info->anchored is false, too, when there were more notes than are looked at: one of those might say
 * otherwise.
 * @candidates  receives how many notes were seen, good or not, at most VMCOREINFO_CANDIDATES_MAX; may be NULL
 * Return: LB_OK; LB_ENOENT none found, or none good (the line says which). @info is undefined then.
 */
LB_MUST_CHECK enum lb_err vmcoreinfo_find(const struct ram *ram, const struct region_set *where,
					  const struct vmcoreinfo_home *home, struct vmcoreinfo *info,
					  size_t *candidates, struct diag *diag);

#endif
