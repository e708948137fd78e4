/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of address ranges: sorted, disjoint, never adjacent (neighbours are merged), never empty.
 *
 * The stage thinks about memory only in these. All arithmetic is exact: a range that would run past
 * 2^64 - 1 is refused, and nothing is rounded unless the caller asks.
 */
#ifndef LIFEBOAT_MM_REGION_H
#define LIFEBOAT_MM_REGION_H

#include "base/error.h"
#include "base/types.h"

/** [base, base + size) */
struct region {
	paddr_t base;
	uint64_t size;
};

/** Enough for a NUMA machine's banks cut by its reservations; more is LB_ENOSPC, not a crash. */
#define REGION_SET_MAX 128

struct region_set {
	size_t count;
	struct region region[REGION_SET_MAX];
};

/** The first address behind @r. */
static inline paddr_t region_end(struct region r)
{
	return r.base + r.size;
}

/** Does all of @inner lie in @outer? @outer must be valid; @inner may be anything. */
static inline bool region_contains(struct region outer, struct region inner)
{
	return inner.base >= outer.base && range_fits(inner.base - outer.base, inner.size, outer.size);
}

/**
 * The whole pages that @r touches; nothing for an empty @r.
 *
 * The last page below 2^64 is left out: no region can hold it whole.
 */
struct region region_pages_around(struct region r);

/** The whole pages that lie in @r, which must be valid; size 0 if there are none. */
struct region region_pages_inside(struct region r);

/** What is in @a and in @b, two valid regions; size 0 if nothing is. */
struct region region_intersection(struct region a, struct region b);

/** The smallest region that holds @a and @b, two valid regions that are not empty. */
struct region region_span(struct region a, struct region b);

/** Make @set empty. */
void region_set_clear(struct region_set *set);

/** Make @to equal to @from. Moves only what is in use, unlike an assignment. */
void region_set_copy(struct region_set *to, const struct region_set *from);

/**
 * Add [@base, @base + @size) to @set, merging what overlaps or touches. An empty range adds nothing.
 *
 * Return: LB_OK; LB_ERANGE the range runs past 2^64 - 1; LB_ENOSPC @set is full. On error @set is unchanged.
 */
LB_MUST_CHECK enum lb_err region_set_add(struct region_set *set, paddr_t base, uint64_t size);

/**
 * Take [@base, @base + @size) out of @set, splitting where needed. What is not in @set is no error.
 *
 * Return: as region_set_add() (a split needs one more entry). On error @set is unchanged.
 */
LB_MUST_CHECK enum lb_err region_set_subtract(struct region_set *set, paddr_t base, uint64_t size);

/**
 * Does @set hold every byte of [@base, @base + @size)?
 *
 * True for an empty range. False for one that runs past 2^64 - 1.
 */
bool region_set_contains(const struct region_set *set, paddr_t base, uint64_t size);

/**
 * Does @set hold any byte of [@base, @base + @size)?
 *
 * False for an empty range. One that runs past 2^64 - 1 counts as far as that.
 */
bool region_set_overlaps(const struct region_set *set, paddr_t base, uint64_t size);

/** Bytes in @set. */
uint64_t region_set_size(const struct region_set *set);

/** The most bytes that @set has in one piece from a multiple of @align (a power of two) on. */
uint64_t region_set_largest(const struct region_set *set, uint64_t align);

enum region_order { REGION_LOWEST, REGION_HIGHEST };

/**
 * Find a place for @size bytes in @set.
 *
 * @align  a power of two; the base found is a multiple of it
 * @low    the base found is at or above it
 * @high   the last byte found lies below it (exclusive end; UINT64_MAX means no bound)
 * @order  which of all possible bases to take: the lowest or the highest
 * @base   receives the base; unchanged on error
 * Return: LB_OK; LB_EINVAL @size is 0 or @align no power of two; LB_ENOSPC there is no such place.
 */
LB_MUST_CHECK enum lb_err region_set_find(const struct region_set *set, uint64_t size, uint64_t align,
					  paddr_t low, paddr_t high, enum region_order order, paddr_t *base);

#endif
