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
 * Pages for the first tables, whose mode is the least that reaches the stage; in Sv57 they hold the most.
 *
 *    1  the root
 *    4  the stage's sections: one path, levels - 1 tables
 *    2  the FDT, at most 2 MiB: in the same GiB, so the path forks at its end only
 *    4  the identity page: a path of its own
 *    2  the upper tables of all views of RAM that lie in one 512 GiB: levels - 3. Each end of a view adds
 *       two:
 *   17  four places that may hold a bundle; and one table where a FIT's tree ends, before its data
 *   12  the block that the stage moves to, another one if that comes to nothing, and a dying kernel's core
 *       header
 *   16  crash records, of one end each: our own, and seven places where an old one may be
 *
 * RAM in more than one 512 GiB (above Sv39) takes more. A view that finds no page is refused with LB_ENOSPC;
 * that of a record as long as the move needs the pages.
 */
#define EARLY_POOL_PAGES 58

#endif
