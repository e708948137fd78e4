/* SPDX-License-Identifier: BSD-2-Clause */
/* What RAM a dead kernel owned, in sets that can be full: what there is no entry for is given up. */
#ifndef LIFEBOAT_KEXEC_DEAD_OWNED_H
#define LIFEBOAT_KEXEC_DEAD_OWNED_H

#include "mm/region.h"

/**
 * Take the whole pages that @taken touches off @ram.
 *
 * Where that splits a piece and no entry is left, what is behind @taken in this piece is given up, too.
 * Return: that; size 0: nothing was given up.
 */
struct region owned_take_off(struct region_set *ram, struct region taken);

/**
 * What of @ram is not @free, into @beside.
 *
 * Return: LB_OK; LB_ENOSPC it has too many pieces; then @beside is empty.
 */
LB_MUST_CHECK enum lb_err owned_beside(const struct region_set *ram, const struct region_set *free,
				       struct region_set *beside);

#endif
