/* SPDX-License-Identifier: BSD-2-Clause */
/* The images of a configuration: checked against their hashes, and brought to where the plan wants them. */
#ifndef LIFEBOAT_BOOT_LOAD_LOAD_H
#define LIFEBOAT_BOOT_LOAD_LOAD_H

#include "boot/context.h"

/** Check one image of the bundle in a pass of its own. Return: LB_OK; LB_EFORMAT a hash does not match. */
LB_MUST_CHECK enum lb_err load_verify(struct boot_context *ctx, const struct bundle_blob *blob);

/** Say in the log which images of ctx->config have no hash. */
void load_print_unhashed(struct boot_context *ctx);

/** Bytes of ctx->config's ramdisks, put behind each other. */
uint64_t load_ramdisk_size(const struct boot_context *ctx);

/**
 * Carry out ctx->plan, all but its FDT, and copy the loadables. Hashes are checked in the same pass as a copy; where a
 * copy would go over the bundle, before it. So after an error the bundle is as it was, and another configuration can be
 * tried.
 *
 * Return: LB_OK; LB_EFORMAT a hash does not match: the payload must not be started.
 */
LB_MUST_CHECK enum lb_err load_all(struct boot_context *ctx);

#endif
