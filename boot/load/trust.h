/* SPDX-License-Identifier: BSD-2-Clause */
/* What is trusted: the keys that are built in and those of the firmware's FDT, and configurations that they have signed. */
#ifndef LIFEBOAT_BOOT_LOAD_TRUST_H
#define LIFEBOAT_BOOT_LOAD_TRUST_H

#include "boot/context.h"

/** Find the keys, into ctx->trust. Return: LB_OK; LB_EFORMAT a key or its policy makes no sense. */
LB_MUST_CHECK enum lb_err trust_find_keys(struct boot_context *ctx);

/**
 * Check the signatures of ctx->config, which was just read, and say in the log whose it is, or that it is unsigned.
 *
 * Every configuration goes through here before any of it is used. With a required key an initrd that firmware has
 * brought beside the bundle is no longer used: nobody has signed it.
 * Return: LB_OK; LB_EUNTRUSTED a required signature does not hold; otherwise as signature_check().
 */
LB_MUST_CHECK enum lb_err trust_check_config(struct boot_context *ctx);

/** What trust_check_config() would return, for a verdict in advance: says nothing and changes nothing but ctx->diag. */
LB_MUST_CHECK enum lb_err trust_look(struct boot_context *ctx);

#endif
