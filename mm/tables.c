// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many page tables it takes to map memory.
 *
 * A table is there for the part of a piece that no larger leaf covers: at its two ends at most. The pieces
 * are sorted, so whether an end shares its table with the one before is told by the last table that counted.
 */
#include "mm/tables.h"

#define LEAF_SHIFT_MAX (PAGE_SHIFT + 9 * 3) /* 512 GiB: pagetable_map()'s largest leaf */

/* Is the span of 1 << @shift bytes that @address lies in mapped without a table for it? */
static bool is_leaf(struct region piece, paddr_t address, unsigned shift)
{
	const uint64_t size = UINT64_C(1) << shift;

	return shift <= LEAF_SHIFT_MAX &&
	       region_contains(piece, (struct region){align_down(address, size), size});
}

/* Of the tables that span 1 << @shift bytes each. */
static size_t count_tables(const struct region_set *set, unsigned shift)
{
	uint64_t newest = UINT64_MAX; /* which one counted last; no table has such a number */
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct region piece = set->region[i];
		const paddr_t ends[] = {piece.base, region_end(piece) - 1};

		for (size_t e = 0; e < ARRAY_SIZE(ends); e++) {
			if (ends[e] >> shift == newest || is_leaf(piece, ends[e], shift))
				continue;
			newest = ends[e] >> shift;
			count++;
		}
	}
	return count;
}

size_t tables_for_set(unsigned levels, const struct region_set *set)
{
	size_t count = 0;

	for (unsigned level = 1; level < levels; level++)
		count += count_tables(set, PAGE_SHIFT + 9 * level);
	return count;
}
