/* SPDX-License-Identifier: BSD-2-Clause */
/* From a bundle to a payload that is ready to be entered. All after stage_move(). */
#ifndef LIFEBOAT_BOOT_PAYLOAD_H
#define LIFEBOAT_BOOT_PAYLOAD_H

#include "boot/context.h"

/** Read the bundle's default configuration, or the bare payload in its place, into ctx->config. */
LB_MUST_CHECK enum lb_err payload_read(struct boot_context *ctx);

/** Say in ctx->wishes what the primary's FDT shall say: bootargs, reservations. */
void payload_wish(struct boot_context *ctx);

/** Is there an option in @bootargs that begins with @key, at the start of a word? */
bool payload_has_option(const char *bootargs, const char *key);

/**
 * Compute ctx->plan for ctx->config in @map, and print it: where everything will lie, before a byte moves.
 *
 * Fills ctx->wishes.initrd; the rest of the wishes must be there.
 */
LB_MUST_CHECK enum lb_err payload_plan(struct boot_context *ctx, const struct memmap *map);

/**
 * Carry the plan out: write the payload's FDT, copy the images.
 *
 * After it nothing of the bundle may be used: it may be overwritten.
 */
LB_MUST_CHECK enum lb_err payload_load(struct boot_context *ctx);

#endif
