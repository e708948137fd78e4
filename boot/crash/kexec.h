/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash way by kexec: Linux was given lifeboat as its crash image (kexec -p), and jumped to it on panic.
 *
 * The machine is then what Linux left: linux,usable-memory-range, and not a byte more. kexec's core header tells
 * where the CPUs' notes are. Nothing is judged, since Linux said that it died; what can't be done ends in a reset,
 * which leads into the way by reset if a crash kernel is staged.
 */
#ifndef LIFEBOAT_BOOT_CRASH_KEXEC_H
#define LIFEBOAT_BOOT_CRASH_KEXEC_H

#include "boot/context.h"

/**
 * Did Linux jump here on panic? Then cut the machine down to usable memory, and the rest is dead RAM.
 *
 * Sets ctx->crash.by_kexec. Context: after discover_machine(), before discover_memory().
 * Return: LB_OK, whatever the answer is; LB_ERANGE what the FDT says of usable memory can't be.
 */
LB_MUST_CHECK enum lb_err crash_kexec_enter(struct boot_context *ctx);

/** Read kexec's core header, and find the staged crash kernel, if there is one. Context: before stage_move(). */
void crash_kexec_discover(struct boot_context *ctx);

/**
 * Make a crash kernel ready to be entered: the bundle's, or else the staged one. ctx->plan is what to hand over to.
 *
 * Context: after stage_move(). Return: LB_OK; on error ctx->diag says why there is none.
 */
LB_MUST_CHECK enum lb_err crash_kexec_prepare(struct boot_context *ctx);

#endif
