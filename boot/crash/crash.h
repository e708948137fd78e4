/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The face of the crash side, as start() sees it: put a crash kernel in its place before the primary starts;
 * after a reset that was not orderly, or when Linux jumps here, start it. The record's states: docs/crash.md.
 *
 * Nothing here stops a boot: whatever goes wrong is told in one line, and the primary starts without a crash
 * kernel, or the machine boots normally instead of capturing. Off by -Dcrash=false.
 */
#ifndef LIFEBOAT_BOOT_CRASH_CRASH_H
#define LIFEBOAT_BOOT_CRASH_CRASH_H

#include "boot/context.h"
#include "boot/crash/arm.h"

/**
 * Did Linux jump here on panic? Then ctx->crash.way is WAY_KEXEC. Context: after discover_machine(). Return:
 * as kexec_enter().
 */
LB_MUST_CHECK enum lb_err crash_enter(struct boot_context *ctx);

/**
 * Find the crash region and its record, and take it in the memory map. Context: after source_find(), before
 * stage_move().
 */
void crash_discover(struct boot_context *ctx);

/**
 * Do without crash support, since something failed with it: one line says why, which is in ctx->log's diag.
 *
 * Return: is there anything that was given up, so that trying again makes sense?
 */
bool crash_give_up(struct boot_context *ctx);

/** What stage_move() shall do for the crash side: where to stand, what to map. */
void crash_request_stage(const struct boot_context *ctx, struct stage_request *request);

/** Must a crash kernel be started? Context: after stage_move(). */
bool crash_judge(struct boot_context *ctx);

/**
 * Make the crash kernel ready to be entered, and fill @exit.
 *
 * Return: LB_OK; on error ctx->log's diag says why there is none.
 */
LB_MUST_CHECK enum lb_err crash_prepare_exit(struct boot_context *ctx, struct exit *exit);

/**
 * Put the crash kernel in its place, for a normal boot. Context: free RAM is writable; the primary may be
 * loaded afterwards.
 */
void crash_prepare(struct boot_context *ctx);

/** Arm the record: last of all before the primary, @chosen, starts. */
void crash_arm(struct boot_context *ctx, const struct chosen *chosen);

/** Keep the log of this run where the next run and userspace find it. */
void crash_save_log(struct boot_context *ctx);

/** Note that the payload runs: a reset before that is nobody's death. Context: right before handoff(). */
void crash_mark_started(struct boot_context *ctx);

#endif
