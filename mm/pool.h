/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools: memory that a kernel sets aside by itself as it starts, where it likes within limits (nodes of
 * /reserved-memory with a size and no reg). Whoever places things before it leaves it a window for each.
 */
#ifndef LIFEBOAT_MM_POOL_H
#define LIFEBOAT_MM_POOL_H

#include "mm/memmap.h"

#define POOL_RANGES_MAX 2

struct pool {
	const char *name;   /* of its node; not owned */
	uint64_t size;	    /* bytes */
	uint64_t align;	    /* a power of two */
	size_t range_count; /* 0: anywhere */
	struct region range[POOL_RANGES_MAX];
};

/** Is what @kind takes still taken when the payload runs? */
bool pool_outlasts_stage(enum memmap_kind kind);

/**
 * Take (MEMMAP_KEPT) the window of @map that Linux would choose: the highest in the first range that has one.
 *
 * As Linux starts, whatever only the stage needs is gone: so the window may lie on the bundle, on the
 * firmware's FDT or on the stage. With several pools: call in the FDT's order.
 * @all_stays  it is not: Linux will find that reserved, too, since a reset brings it back (lost memory)
 * Return: LB_OK; LB_ENOSPC there is no such window, or @map is full. On error @map is unchanged.
 */
LB_MUST_CHECK enum lb_err pool_take(struct memmap *map, const struct pool *pool, bool all_stays);

#endif
