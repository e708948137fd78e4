// SPDX-License-Identifier: BSD-2-Clause
/*
 * One page-table builder for Sv39, Sv48 and Sv57.
 *
 * A mapping is cut into the largest leaves that the alignment of both addresses allows. For each, one
 * walk goes down from the root: an empty entry above the leaf's level gets a table from the pool, a
 * table is followed, a leaf that is there must already say what is asked. If a table stands where a
 * large leaf would go, the walk continues below it with smaller leaves. Nothing valid is ever overwritten.
 *
 * Runs before paging is on, too: it must not use absolute addresses (tables of pointers). And in programs
 * that have no C library (client/): it wants none.
 */
#include "mm/pagetable.h"

#define INDEX_BITS	9
#define PTE_LEAF_BITS	(PTE_R | PTE_W | PTE_X)
#define PTE_PPN_SHIFT	10
#define PTE_PPN_MASK	((UINT64_C(1) << 44) - 1)
#define PA_BITS		56
#define LEAF_LEVEL_MAX	3 /* 512 GiB */
#define SATP_MODE_SHIFT 60
#define SATP_MODE_SV39	8 /* Sv48 is 9, Sv57 is 10: one more for each level */

static unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + INDEX_BITS * level;
}

static uint64_t leaf_size(unsigned level)
{
	return UINT64_C(1) << level_shift(level);
}

static size_t table_index(vaddr_t va, unsigned level)
{
	return (va >> level_shift(level)) % PAGETABLE_ENTRIES;
}

static paddr_t pte_address(uint64_t pte)
{
	return ((pte >> PTE_PPN_SHIFT) & PTE_PPN_MASK) << PAGE_SHIFT;
}

static uint64_t make_leaf(const struct pagetable *pt, paddr_t pa, uint64_t perms)
{
	uint64_t dirty = perms & PTE_W ? PTE_D : 0;
	uint64_t attributes = perms & PTE_DEVICE ? pt->attributes.device : pt->attributes.ram;

	return attributes | pa >> PAGE_SHIFT << PTE_PPN_SHIFT | (perms & PTE_LEAF_BITS) | PTE_A | dirty |
	       PTE_V;
}

/* The table that a non-leaf entry of ours points to. */
static uint64_t *table_of(const struct pagetable *pt, uint64_t pte)
{
	return pt->pool[(pte_address(pte) - pt->pool_pa) >> PAGE_SHIFT];
}

static enum lb_err new_table(struct pagetable *pt, uint64_t *pte)
{
	paddr_t pa = pt->pool_pa + pt->used_pages * PAGE_SIZE;
	uint64_t *table;

	if (pt->used_pages == pt->pool_pages)
		return LB_ENOSPC;
	table = pt->pool[pt->used_pages++];
	for (uint64_t *entry = table; entry != table + PAGETABLE_ENTRIES; entry += 4)
		entry[0] = entry[1] = entry[2] = entry[3] = 0;
	*pte = pa >> PAGE_SHIFT << PTE_PPN_SHIFT | PTE_V;
	return LB_OK;
}

enum lb_err pagetable_init(struct pagetable *pt, unsigned levels, void *pool, paddr_t pool_pa,
			   size_t pool_pages, struct pte_attributes attributes)
{
	uint64_t root;

	if (levels < SV39_LEVELS || levels > SV57_LEVELS || !is_aligned(pool_pa, PAGE_SIZE) ||
	    !is_aligned((uintptr_t)pool, PAGE_SIZE))
		return LB_EINVAL;
	*pt = (struct pagetable){.levels = levels,
				 .pool = pool,
				 .pool_pa = pool_pa,
				 .pool_pages = pool_pages,
				 .attributes = attributes};
	return new_table(pt, &root);
}

bool pagetable_is_canonical(unsigned levels, vaddr_t va, uint64_t size)
{
	unsigned sign_bit = level_shift(levels) - 1;
	int64_t first = (int64_t)va >> sign_bit;
	int64_t last = (int64_t)(va + size - 1) >> sign_bit;

	return size && va + size - 1 >= va && first == last && (first == 0 || first == -1);
}

/* The level of the largest leaf for the front of this range. */
static unsigned largest_leaf(const struct pagetable *pt, vaddr_t va, paddr_t pa, uint64_t size)
{
	unsigned level = pt->levels - 1;

	if (level > LEAF_LEVEL_MAX)
		level = LEAF_LEVEL_MAX;
	while (level > 0 && (!is_aligned(va | pa, leaf_size(level)) || size < leaf_size(level)))
		level--;
	return level;
}

/*
 * Write leaves of one level from @pte on: as many as the range has, up to the end of the table or the first
 * entry that is taken. Returns the bytes covered, at least one leaf's.
 */
static uint64_t fill_leaves(uint64_t *pte, unsigned level, vaddr_t va, uint64_t leaf, uint64_t size)
{
	const uint64_t step = leaf_size(level) >> PAGE_SHIFT << PTE_PPN_SHIFT;
	uint64_t room = PAGETABLE_ENTRIES - table_index(va, level);
	uint64_t count = size >> level_shift(level);
	uint64_t done = 0;

	if (count > room)
		count = room;
	do {
		*pte++ = leaf;
		leaf += step;
		done++;
	} while (done < count && !(*pte & PTE_V));
	return done << level_shift(level);
}

/*
 * Map the front of the range with leaves of one table, or find it mapped; *done is how much that covered.
 *
 * The loop ends: at each turn it returns or goes one level down, and level 0 holds leaves only.
 */
static enum lb_err map_front(struct pagetable *pt, vaddr_t va, paddr_t pa, uint64_t size, uint64_t perms,
			     uint64_t *done)
{
	unsigned leaf_level = largest_leaf(pt, va, pa, size);
	uint64_t *table = pt->pool[0];
	enum lb_err err;

	for (unsigned level = pt->levels - 1;; level--) {
		uint64_t *pte = &table[table_index(va, level)];
		uint64_t offset = va % leaf_size(level);

		if (!(*pte & PTE_V) && level <= leaf_level) {
			*done = fill_leaves(pte, level, va, make_leaf(pt, pa, perms), size);
			return LB_OK;
		}
		if (!(*pte & PTE_V)) {
			err = new_table(pt, pte);
			if (err)
				return err;
		} else if (*pte & PTE_LEAF_BITS) {
			uint64_t rest = leaf_size(level) - offset;

			if (pa < offset || *pte != make_leaf(pt, pa - offset, perms))
				return LB_ECONFLICT;
			*done = rest < size ? rest : size;
			return LB_OK;
		}
		table = table_of(pt, *pte);
	}
}

enum lb_err pagetable_map(struct pagetable *pt, vaddr_t va, paddr_t pa, uint64_t size, uint64_t perms)
{
	if (perms != PTE_R && perms != (PTE_R | PTE_X) && (perms & ~PTE_DEVICE) != (PTE_R | PTE_W))
		return LB_EINVAL;
	if (!size || !is_aligned(va | pa | size, PAGE_SIZE))
		return LB_EINVAL;
	if (!pagetable_is_canonical(pt->levels, va, size))
		return LB_ERANGE;
	if (!range_fits(pa, size, UINT64_C(1) << PA_BITS))
		return LB_ERANGE;

	while (size) {
		uint64_t done = 0;
		enum lb_err err = map_front(pt, va, pa, size, perms, &done);

		if (err)
			return err;
		va += done;
		pa += done;
		size -= done;
	}
	return LB_OK;
}

uint64_t pagetable_satp(const struct pagetable *pt)
{
	uint64_t mode = SATP_MODE_SV39 + (pt->levels - SV39_LEVELS);

	return mode << SATP_MODE_SHIFT | pt->pool_pa >> PAGE_SHIFT;
}

const char *pagetable_mode_name(unsigned levels)
{
	static const char *const names[] = {"Sv39", "Sv48", "Sv57"};

	if (levels < SV39_LEVELS || levels > SV57_LEVELS)
		return "bare";
	return names[levels - SV39_LEVELS];
}
