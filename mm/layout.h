/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage's virtual address space: constants, also for the assembler and the linker script.
 *
 *   low half             nothing, but for the identity mapping of one page during an entry or a handoff;
 *                        so a null or a physical address used as a pointer faults
 *   PHYSMAP_BASE ...     RAM at PHYSMAP_BASE + pa, not executable (physmap.h)
 *   STAGE_VA ...         the stage itself, wherever it lies in RAM, then its page tables, read-only
 *   FDT_VA ...           the firmware's FDT, read-only; here, so that strings in it keep their addresses
 *                        when the mode changes
 *
 * Both lie in the top GiB, which is canonical in Sv39, Sv48 and Sv57.
 */
#ifndef LIFEBOAT_MM_LAYOUT_H
#define LIFEBOAT_MM_LAYOUT_H

#define STAGE_VA	 0xffffffffc0000000
#define FDT_VA		 0xffffffffe0000000
#define STAGE_STACK_SIZE 0x4000
#define TRAP_STACK_SIZE	 0x1000

/*
 * Pages for the first tables. The stage's own sections share one path (levels - 1 tables under the
 * root) and so does the FDT; the identity page adds one; five views can come: four places that may hold a
 * bundle, and the block that the stage moves to, each at most two paths. In Sv57: 1 + 4 + 5 + 4 + 5 * 8.
 */
#define EARLY_POOL_PAGES 54

#endif
