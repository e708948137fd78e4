/* SPDX-License-Identifier: BSD-2-Clause */
/* Which configuration becomes the primary: the one that is wanted, or the next one that is any good. */
#ifndef LIFEBOAT_BOOT_CHOOSE_CHOOSE_H
#define LIFEBOAT_BOOT_CHOOSE_CHOOSE_H

#include "boot/context.h"

/**
 * Choose a configuration and load it: on return ctx->plan is what to hand over to.
 *
 * In this order: what the menu says or lifeboat.config= asks for, the default one, the others as they stand in the
 * bundle; those that the boot counter has demoted come last. Each that is bad is told in one line. When all are, the
 * boot ends, by the bundle's policy (lifeboat,all-bad).
 * Context: after stage_allow_writes() and crash_arm().
 */
void choose_primary(struct boot_context *ctx);

#endif
