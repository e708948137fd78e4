/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage as an object in memory: its sections and how they are mapped, and its move out of the
 * payload's way. Wherever it lies, it runs at STAGE_VA.
 */
#ifndef LIFEBOAT_BOOT_STAGE_H
#define LIFEBOAT_BOOT_STAGE_H

#include "boot/machine/log.h"
#include "mm/memmap.h"
#include "mm/pagetable.h"
#include "mm/physmap.h"

/** Where the stage lies, and the tables that it runs on. Written here alone. */
struct stage {
	paddr_t pa;		 /* where its image lies now */
	struct pagetable tables; /* that it runs on */
	struct physmap physmap;	 /* by which it reaches RAM */
	uint64_t writable_satp;	 /* of tables that map free RAM writable, too; 0 when these do */
};

/** What the stage shall reach after the move, besides free RAM and the FDT. */
struct stage_view {
	struct region where; /* size 0: nothing; what is out of the mode's reach is left out */
	uint64_t perms;	     /* PTE_R, PTE_W, PTE_DEVICE; 0: as free RAM */
};
#define STAGE_VIEWS_MAX 5

/** How stage_move() shall move. */
struct stage_request {
	unsigned most_levels; /* of the largest mode to try */
	struct region fdt;    /* the firmware's: shown at FDT_VA */
	struct memmap *map;   /* free RAM is mapped; takes the new place, gives back the old one */
	/*
	 * Memory that is ours over resets: the stage goes to its base, and may take @room bytes of it; the
	 * rest is writable. Size 0: there is none, and the stage goes to the top of free RAM.
	 */
	struct region own;
	uint64_t room;
	/*
	 * Free RAM may hold what a dead kernel left: read-only until stage_allow_writes(), and the old place
	 * stays taken. That and lost memory are writable all the same.
	 */
	bool keep_free;
	const struct region_set *dead; /* more RAM, none of it in @map's free set; NULL: none */
	uint64_t dead_perms;	       /* PTE_R, or 0: as free RAM is mapped */
	size_t view_count;
	struct stage_view view[STAGE_VIEWS_MAX];
};

/** Bytes of the flat image, stacks and work area included. */
uint64_t stage_image_size(void);

/**
 * Map the stage's sections from where they lie at @stage_pa: text and trampoline page read and execute,
 * rodata read, data, bss and stacks read and write, nothing where the guard pages are.
 *
 * Context: before paging, too.
 */
LB_MUST_CHECK enum lb_err stage_map(struct pagetable *pt, paddr_t stage_pa);

/**
 * Move the stage, on its final tables, in the largest mode that all agree to.
 *
 * Chooses a block, copies the stage there, builds the tables behind it (trampoline tables first, then the
 * stage's own), and switches. On return the same code runs at the same virtual address out of the new place;
 * @stage describes that; pointers into the old physmap are stale.
 * Return: LB_OK; LB_ENOSPC no room in RAM; LB_ERANGE none in our own room; LB_EUNSUPPORTED no mode is
 *         accepted. On error the stage is where it was, and @log's diag says why; where @request has memory
 *         of our own, the memory map is as before, too: so it can be tried again without.
 */
LB_MUST_CHECK enum lb_err stage_move(struct stage *stage, const struct stage_request *request,
				     struct log *log);

/**
 * Let the stage write to free RAM, after all: no dead kernel's memory is in it any more, or it is given up.
 */
void stage_allow_writes(struct stage *stage);

/**
 * Let the early tables show the first @size bytes of the firmware's FDT at FDT_VA (and its offset in a page).
 *
 * Return: a pointer to the FDT, good before and after stage_move(); NULL, with @diag saying why.
 */
const void *stage_fdt_view(struct stage *stage, paddr_t fdt_pa, uint64_t size, struct diag *diag);

/**
 * Is there room in the early tables for another view, and then for those that stage_move() needs? Who looks
 * for what a boot can do without asks this first.
 */
bool stage_can_spare_view(const struct stage *stage);

/**
 * Give the early tables a view of [@pa, @pa + @size), rounded out to pages.
 *
 * Context: before stage_move() only. @perms PTE_R or PTE_R | PTE_W.
 * Return: a pointer to @pa; NULL, with @diag saying why, if it is out of reach or the pool is used up.
 */
void *stage_early_view(struct stage *stage, paddr_t pa, uint64_t size, uint64_t perms, struct diag *diag);

#endif
