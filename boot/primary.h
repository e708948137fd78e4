/* SPDX-License-Identifier: BSD-2-Clause */
/* Which configuration becomes the primary: the one that was asked for, or the first that is good. */
#ifndef LIFEBOAT_BOOT_PRIMARY_H
#define LIFEBOAT_BOOT_PRIMARY_H

#include "boot/context.h"

/**
 * Get the primary ready: read, check, plan and load one configuration after the other until one is good.
 *
 * In this order: the one that bootargs or the menu asked for, the default one, the rest as they stand in the bundle. The
 * crash configuration is not among them. Each that is refused says why, and the next is tried.
 * Return: LB_OK: it only has to be entered; an error if none was good: everything has been said then.
 */
LB_MUST_CHECK enum lb_err primary_load(struct boot_context *ctx);

/** Is the bundle's policy to reset when no configuration is good? */
bool primary_wants_reset(const struct boot_context *ctx);

#endif
