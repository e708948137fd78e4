/* SPDX-License-Identifier: BSD-2-Clause */
/* From a bundle to a payload that is ready to be entered. All after stage_move(). */
#ifndef LIFEBOAT_BOOT_PAYLOAD_H
#define LIFEBOAT_BOOT_PAYLOAD_H

#include "boot/context.h"

/** Read the bundle's default configuration, or the bare payload in its place, into ctx->config. */
LB_MUST_CHECK enum lb_err payload_read(struct boot_context *ctx);

/** Compute ctx->plan, and print it: where everything will lie, before a byte moves. */
LB_MUST_CHECK enum lb_err payload_plan(struct boot_context *ctx);

/**
 * Carry the plan out: write the payload's FDT, copy the images.
 *
 * After it nothing of the bundle may be used: it may be overwritten.
 */
LB_MUST_CHECK enum lb_err payload_load(struct boot_context *ctx);

#endif
