/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage as an object in memory: its sections and how they are mapped, and its move out of the
 * payload's way. Wherever it lies, it runs at STAGE_VA.
 */
#ifndef LIFEBOAT_BOOT_STAGE_H
#define LIFEBOAT_BOOT_STAGE_H

#include "boot/context.h"

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
 * Move the stage to the top of free RAM, on its final tables, in the largest mode that all agree to.
 *
 * Chooses a block, copies the stage there, builds the tables behind it (trampoline tables first, then
 * the stage's own, which reach the memory map's free RAM, the FDT and the bundle), switches, and gives
 * the old place back to the memory map (it stays taken if there is a crash region: firmware rewrites it). On return the same code runs at the same virtual address out
 * of the new place; ctx->stage_pa, tables and physmap are the new ones; pointers into the
 * old physmap are stale.
 * Return: LB_OK; LB_ENOSPC no room in RAM; LB_EUNSUPPORTED no mode is accepted. On error the stage is where it was.
 */
LB_MUST_CHECK enum lb_err stage_move(struct boot_context *ctx);

/**
 * Let the stage write to free RAM, after all: no dead kernel's memory is in it any more, or it is given up.
 *
 * With a crash region stage_move() leaves the stage on tables that map free RAM read-only. Calling twice is fine.
 */
void stage_allow_writes(struct boot_context *ctx);

/**
 * Let the early tables show the first @size bytes of the firmware's FDT at FDT_VA (and its offset in a page).
 *
 * Return: a pointer to the FDT, good before and after stage_move(); NULL, with ctx->diag saying why.
 */
const void *stage_fdt_view(struct boot_context *ctx, uint64_t size);

/**
 * Give the early tables a view of [@pa, @pa + @size), rounded out to pages.
 *
 * Context: before stage_move() only. @perms PTE_R or PTE_R | PTE_W.
 * Return: a pointer to @pa; NULL, with ctx->diag saying why, if it is out of reach or the pool is used up.
 */
void *stage_early_view(struct boot_context *ctx, paddr_t pa, uint64_t size, uint64_t perms);

#endif
