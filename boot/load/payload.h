/* SPDX-License-Identifier: BSD-2-Clause */
/* From a bundle to a payload that is ready to be entered. All after stage_move(). */
#ifndef LIFEBOAT_BOOT_LOAD_PAYLOAD_H
#define LIFEBOAT_BOOT_LOAD_PAYLOAD_H

#include "boot/context.h"

/** Is the bundle within reach of the stage's tables? Nothing below may be called unless it is. Return: LB_OK; LB_ERANGE. */
LB_MUST_CHECK enum lb_err payload_reach(struct boot_context *ctx);

/**
 * Read a configuration of the bundle, or the bare payload in its place, into ctx->config.
 *
 * @name  of the configuration; NULL: the default one
 */
LB_MUST_CHECK enum lb_err payload_read(struct boot_context *ctx, const char *name);

/** Read a configuration as payload_read() does, and print nothing. */
LB_MUST_CHECK enum lb_err payload_look(struct boot_context *ctx, const char *name);

/** What ctx->config is, in a few words: "Linux Image, 30435 KiB and a ramdisk". */
void payload_describe(const struct boot_context *ctx, char *out, size_t size);

/** Say in ctx->wishes what the primary's FDT shall say: bootargs, reservations. */
void payload_wish(struct boot_context *ctx);

/** Make ctx->bootargs @own (NULL: none), then @more. What does not fit is cut, with a warning. */
void payload_set_bootargs(struct boot_context *ctx, const char *own, const char *more);

/** Take every word that begins with @key out of ctx->bootargs. */
void payload_drop_option(struct boot_context *ctx, const char *key);

/** An option that a payload needs unless its bootargs have a word that begins with @key. */
struct payload_option {
	const char *key;
	const char *option; /* begins with a space */
};

/** Add to ctx->bootargs what is not said there, and log it with the @reason; warn of what does not fit. */
void payload_add_options(struct boot_context *ctx, const struct payload_option *options, size_t count,
			 const char *reason);

/**
 * Compute ctx->plan for ctx->config in @map, and print it: where everything will lie, before a byte moves. But a
 * compressed kernel is checked and unpacked here, since the plan needs to know what it is.
 *
 * Fills ctx->wishes.initrd; the rest of the wishes must be there.
 */
LB_MUST_CHECK enum lb_err payload_plan(struct boot_context *ctx, struct memmap *map);

/**
 * Carry the plan out: write the payload's FDT, check the images and copy them.
 *
 * After LB_OK nothing of the bundle may be used: it may be overwritten. After an error it is as it was.
 */
LB_MUST_CHECK enum lb_err payload_load(struct boot_context *ctx);

#endif
