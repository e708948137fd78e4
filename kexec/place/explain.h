/* SPDX-License-Identifier: BSD-2-Clause */
/* Why there is no plan, in a line for a person. Private to kexec/place/. */
#ifndef LIFEBOAT_KEXEC_PLACE_EXPLAIN_H
#define LIFEBOAT_KEXEC_PLACE_EXPLAIN_H

#include "base/error.h"
#include "mm/region.h"

/** A thing for which a place was searched. */
struct explain_want {
	const char *name;
	uint64_t size; /* bytes, whole pages; 0: it is not wanted */
	uint64_t align;
	enum region_order order;
};

/**
 * Place one thing after the other, greedily, and name the first that finds no room.
 *
 * @room  in which the search has failed; it is used up
 * Return: LB_ENOSPC, with the line in @diag.
 */
LB_MUST_CHECK enum lb_err explain_no_room(struct region_set *room, const struct explain_want *wants,
					  size_t count, struct diag *diag);

/** Say that a region set holds no more. Return: LB_ENOSPC. */
LB_MUST_CHECK enum lb_err explain_too_many_pieces(struct diag *diag);

#endif
