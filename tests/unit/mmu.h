/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An MMU written from the book, to read back what the page-table builder wrote.
 *
 * translate() follows "Virtual Address Translation Process" of the RISC-V Privileged Architecture step by
 * step; collect() walks every entry of every table, and so knows all that is mapped. Neither shares code with
 * the builder. For cmocka tests: what can not be is a failed assertion.
 */
#ifndef LIFEBOAT_TESTS_UNIT_MMU_H
#define LIFEBOAT_TESTS_UNIT_MMU_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/pagetable.h"

#define POOL_MAX  160
#define RANGE_MAX 4096

enum access { LOAD, STORE, FETCH };

/* A stretch of addresses mapped in one way; last is its last byte. */
struct range {
	uint64_t va, last, pa, perms;
};

struct tables {
	struct pagetable pt;
	size_t range_count; /* neighbours are joined */
	struct range range[RANGE_MAX];
	size_t leaves[5]; /* by level */
};

static inline uint64_t read_physical(const struct pagetable *pt, uint64_t pa)
{
	assert_true(pa >= pt->pool_pa && pa - pt->pool_pa < pt->used_pages * 4096);
	assert_true(pa % 8 == 0);
	return pt->pool[(pa - pt->pool_pa) / 4096][(pa - pt->pool_pa) % 4096 / 8];
}

/* Reserved for hardware or software: bits 63:54, RSW, and what lifeboat promises never to set: G, U. */
#define PTE_NEVER UINT64_C(0xffc0000000000330)
/* Of which T-Head's MAEE takes these, in leaves: SO, C, B, SH, SEC. */
#define PTE_MAEE UINT64_C(0xf800000000000000)

static inline uint64_t pte_pa(uint64_t pte)
{
	return (pte >> 10 & ((UINT64_C(1) << 44) - 1)) * 4096;
}

/* One access by S-mode: true and *pa, or false for a page fault. Hardware that sets no A and D (Svade). */
static inline bool translate(const struct pagetable *pt, uint64_t satp, uint64_t va, enum access access,
			     uint64_t *pa)
{
	static const uint64_t right[] = {[LOAD] = 1 << 1, [STORE] = 1 << 2, [FETCH] = 1 << 3};
	int levels = (int)(satp >> 60) - 5; /* mode 8 has three levels */
	int i = levels - 1;
	int va_bits = 12 + 9 * levels;
	uint64_t a = (satp & ((UINT64_C(1) << 44) - 1)) * 4096;
	uint64_t pte, low_ppn;

	if ((uint64_t)((int64_t)(va << (64 - va_bits)) >> (64 - va_bits)) != va)
		return false;
	for (;; i--) {
		if (i < 0)
			return false;
		pte = read_physical(pt, a + (va >> (12 + 9 * i) & 511) * 8);
		if (!(pte & 1) || ((pte & 4) && !(pte & 2)) || (pte & PTE_NEVER & ~PTE_MAEE))
			return false;
		if (pte & 0xa)
			break;
		if (pte & (PTE_MAEE | 0xd0)) /* D, A and U are reserved in pointers */
			return false;
		a = pte_pa(pte);
	}
	/* A core without MAEE faults on its bits; one with it would take memory for uncached without them. */
	if ((pte & PTE_MAEE) != pt->attributes.ram && (pte & PTE_MAEE) != pt->attributes.device)
		return false;
	low_ppn = pte >> 10 & ((UINT64_C(1) << (9 * i)) - 1);
	if (low_ppn || !(pte & right[access]) || !(pte & 0x40) || (access == STORE && !(pte & 0x80)))
		return false;
	*pa = pte_pa(pte) + (va & ((UINT64_C(1) << (12 + 9 * i)) - 1));
	return true;
}

static inline void add_range(struct tables *t, struct range r)
{
	struct range *before = t->range_count ? &t->range[t->range_count - 1] : NULL;

	if (before && before->last + 1 == r.va && before->perms == r.perms &&
	    before->pa + (before->last - before->va) + 1 == r.pa) {
		before->last = r.last;
		return;
	}
	assert_true(t->range_count < RANGE_MAX);
	t->range[t->range_count++] = r;
}

static inline void add_leaf(struct tables *t, uint64_t va, unsigned level, uint64_t pte)
{
	uint64_t size = UINT64_C(1) << (12 + 9 * level);
	unsigned va_bits = 12 + 9 * t->pt.levels;
	uint64_t pa = pte_pa(pte);

	assert_int_equal(pte & PTE_NEVER, t->pt.attributes.ram);
	assert_true(pte & PTE_A);
	assert_true(pte & PTE_R);
	assert_true((pte & (PTE_W | PTE_X)) != (PTE_W | PTE_X));
	assert_true(!(pte & PTE_W) || (pte & PTE_D));
	assert_true(level <= 3);
	assert_int_equal(pa % size, 0);
	if (va >> (va_bits - 1) & 1)
		va |= ~((UINT64_C(1) << va_bits) - 1);
	t->leaves[level]++;
	add_range(t, (struct range){va, va + size - 1, pa, pte & (PTE_R | PTE_W | PTE_X)});
}

/* Find all leaves in order of address, and that each page of the pool in use is one table, used once. */
static inline void collect(struct tables *t)
{
	uint64_t table[5] = {t->pt.pool_pa};
	size_t index[5] = {0};
	uint64_t va[5] = {0};
	bool seen[POOL_MAX] = {true};
	size_t tables = 1;
	unsigned depth = 0;

	t->range_count = 0;
	memset(t->leaves, 0, sizeof(t->leaves));
	for (;;) {
		unsigned level = t->pt.levels - 1 - depth;
		uint64_t pte, at;

		if (index[depth] == 512) {
			if (depth-- == 0)
				break;
			continue;
		}
		at = va[depth] + ((uint64_t)index[depth] << (12 + 9 * level));
		pte = read_physical(&t->pt, table[depth] + 8 * index[depth]++);
		if (!(pte & 1)) {
			assert_int_equal(pte, 0);
		} else if (pte & 0xe) {
			add_leaf(t, at, level, pte);
		} else {
			assert_true(level > 0 && (pte & 0x3ff) == 1 && !(pte & PTE_NEVER));
			depth++;
			table[depth] = pte_pa(pte);
			index[depth] = 0;
			va[depth] = at;
			read_physical(&t->pt, table[depth]); /* lies in the pool */
			assert_false(seen[(table[depth] - t->pt.pool_pa) / 4096]);
			seen[(table[depth] - t->pt.pool_pa) / 4096] = true;
			tables++;
		}
	}
	assert_int_equal(tables, t->pt.used_pages);
}

/* ---- What was asked, and whether that is what there is ---- */

static inline int compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->va < right->va ? -1 : left->va > right->va;
}

/* Join @asked, which may overlap as long as they agree, as collect() joins leaves. */
static inline void join(struct range *asked, size_t count, struct tables *want)
{
	uint64_t next = 0;

	want->range_count = 0;
	qsort(asked, count, sizeof(*asked), compare_ranges);
	for (size_t i = 0; i < count; i++) {
		struct range r = asked[i];

		if (i && next == 0) /* the last one went up to the last address */
			break;
		if (i && r.last < next)
			continue;
		if (i && r.va < next) {
			r.pa += next - r.va;
			r.va = next;
		}
		add_range(want, r);
		next = r.last + 1;
	}
}

static inline void assert_maps_exactly(struct tables *t, struct range *asked, size_t count)
{
	static struct tables want;

	collect(t);
	join(asked, count, &want);
	assert_int_equal(t->range_count, want.range_count);
	for (size_t i = 0; i < want.range_count; i++)
		assert_memory_equal(&t->range[i], &want.range[i], sizeof(struct range));
}

/* Let the MMU try an address: all three accesses must do what @perms says; 0 for a fault. */
static inline void assert_access(const struct pagetable *pt, uint64_t va, uint64_t pa, uint64_t perms)
{
	static const uint64_t right[] = {[LOAD] = PTE_R, [STORE] = PTE_W, [FETCH] = PTE_X};

	for (enum access access = LOAD; access <= FETCH; access++) {
		uint64_t got = 0;
		bool ok = translate(pt, pagetable_satp(pt), va, access, &got);

		assert_int_equal(ok, (perms & right[access]) != 0);
		assert_true(!ok || got == pa);
	}
}

static inline void assert_edges(const struct pagetable *pt, struct range r)
{
	assert_access(pt, r.va, r.pa, r.perms);
	assert_access(pt, r.last, r.pa + (r.last - r.va), r.perms);
	assert_access(pt, r.va + (r.last - r.va) / 3, r.pa + (r.last - r.va) / 3, r.perms);
}

#endif
