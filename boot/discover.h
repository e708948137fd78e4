/* SPDX-License-Identifier: BSD-2-Clause */
/* What the stage finds on its way down: the machine, its memory, and a bundle. All before stage_move(). */
#ifndef LIFEBOAT_BOOT_DISCOVER_H
#define LIFEBOAT_BOOT_DISCOVER_H

#include "boot/context.h"

/**
 * Read the firmware's FDT into ctx->machine, and what its bootargs ask of the stage itself.
 *
 * lifeboat.log=error|warn|info|debug sets the console's level; lifeboat.mode=sv39|sv48|sv57 caps the
 * paging mode. Unknown values are warned of.
 * Return: as fdt_peek_size() and fdt_read_machine(); LB_ERANGE, LB_EFORMAT the address in a1 is no place for an FDT.
 */
LB_MUST_CHECK enum lb_err discover_machine(struct boot_context *ctx);

/**
 * The value of @key=... in the FDT's bootargs, up to the next space, @length characters; NULL if it is not there.
 */
const char *discover_option(const struct boot_context *ctx, const char *key, size_t *length);

/** Fill ctx->memmap: RAM, and who has taken what of it. */
LB_MUST_CHECK enum lb_err discover_memory(struct boot_context *ctx);

/**
 * Take what the platform says is lost on a reset, as far as it is RAM that nobody has taken.
 *
 * Only who wants to keep memory over a reset needs that: a plain boot may use it all. Context: after
 * discover_bundle(), since a bundle may well lie there.
 * Return: LB_OK; LB_ENOSPC the memory map is full.
 */
LB_MUST_CHECK enum lb_err discover_lost(struct boot_context *ctx);

/** Undo discover_lost(): there will be no crash region, after all. */
void discover_lost_release(struct boot_context *ctx);

/**
 * Find where the payloads are; the first hit wins: /chosen linux,initrd-start (a FIT or a bare payload),
 * /chosen lifeboat,bundle, behind the stage's own image, the platform's flash.
 *
 * Return: LB_OK with ctx->bundle set, and taken in the memory map if it is RAM; LB_ENOENT nothing found.
 */
LB_MUST_CHECK enum lb_err discover_bundle(struct boot_context *ctx);

#endif
