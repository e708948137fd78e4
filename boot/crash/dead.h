/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dead kernel left in its RAM: its description of itself, and its last words. */
#ifndef LIFEBOAT_BOOT_CRASH_DEAD_H
#define LIFEBOAT_BOOT_CRASH_DEAD_H

#include "boot/context.h"
#include "kexec/dead/printk.h"

/** A dead kernel's log, open for reading. Points into itself: don't copy. */
struct crash_dead {
	struct ram ram;
	struct printk_ring ring;
};

/**
 * Find the dead kernel's note in ctx->crash.dead_ram, and open its log.
 *
 * Fills ctx->crash.dead_info; ctx->crash.has_info tells whether it is good, which it may be on failure, too.
 * Context: after stage_move(), which maps that RAM.
 * @note_pa  where the note is, if that is known; 0: look through all of the dead RAM
 * Return: LB_OK; what vmcoreinfo_find() and printk_open() return; the line was logged.
 */
LB_MUST_CHECK enum lb_err crash_dead_open(struct boot_context *ctx, paddr_t note_pa, struct crash_dead *dead);

/** Print the end of its log; keep the whole of it in the crash region, if there is one. */
void crash_dead_last_words(struct boot_context *ctx, const struct crash_dead *dead);

/**
 * The primary died: tell the boot counter in ctx->crash.record, and log what that makes of it.
 *
 * @dead  its log, whose last line tells how long it lived; NULL: it left none
 */
void crash_dead_count(struct boot_context *ctx, const struct crash_dead *dead);

/** How the kernel that ran in @where, which must be mapped, ended; PRINTK_ENDING_CUT if nothing can be told. */
enum printk_ending crash_dead_ending_in(struct boot_context *ctx, struct region where);

#endif
