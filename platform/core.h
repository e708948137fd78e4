/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a core's maker did otherwise than the standard, and no FDT tells.
 *
 * T-Head's C906, C910 and C920 of the first generation (D1, CV18xx, TH1520, SG2042) have page attributes of
 * their own, MAEE, and cache operations of their own, where firmware turned them on. Their successors (C908,
 * C920v2) keep to the standard and have other ids. boot/machine/core.c asks the hart.
 */
#ifndef LIFEBOAT_PLATFORM_CORE_H
#define LIFEBOAT_PLATFORM_CORE_H

#include "mm/pagetable.h"

/** The three ids of a hart, as SBI tells them; 0 where it does not. */
struct core_id {
	uint64_t vendor, arch, implementation;
};

struct core {
	struct pte_attributes attributes; /* for every leaf of a page table */
	bool thead_cache_ops;		  /* th.dcache.* and th.sync.s may be used */
};

/** Is this one of those cores, which alone have th.sxstatus (CSR 0x5c0)? Elsewhere that CSR traps. */
bool core_has_sxstatus(const struct core_id *id);

/** What the value of th.sxstatus says. */
struct core core_from_sxstatus(uint64_t sxstatus);

#endif
