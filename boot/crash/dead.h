/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dead kernel left in its RAM: its description of itself, and its last words. */
#ifndef LIFEBOAT_BOOT_CRASH_DEAD_H
#define LIFEBOAT_BOOT_CRASH_DEAD_H

#include "boot/crash/state.h"
#include "boot/facts.h"
#include "kexec/dead/printk.h"

/** A dead kernel's log, open for reading. Points into itself: don't copy. */
struct dead_log {
	struct ram ram;
	struct printk_ring ring;
};

/**
 * Fill dead->ram for the way by reset: free RAM less what was lost at the dead kernel's boot. (What is lost
 * at this one is taken, so it is not free.)
 *
 * Return: LB_OK; LB_ENOSPC too many pieces.
 */
LB_MUST_CHECK enum lb_err dead_find_ram(const struct memmap *map, const struct crash_record *record,
					struct dead *dead);

/** Fill dead->reach, from dead->ram. Context: after stage_move(). */
void dead_find_reach(const struct stage *stage, struct dead *dead);

/**
 * Find the dead kernel's note in dead->reach, and open its log.
 *
 * Fills dead->info; dead->has_info tells whether it is good, which it may be on failure, too.
 * Context: after stage_move(), which maps that RAM.
 * @note_pa  where the note is, if that is known; 0: look through all of that
 * Return: LB_OK; what vmcoreinfo_find() and printk_open() return; the line was logged.
 */
LB_MUST_CHECK enum lb_err dead_open(const struct facts *facts, const struct crash *crash, struct dead *dead,
				    paddr_t note_pa, struct dead_log *left);

/** Print the end of its log; keep the whole of it in the crash region, if there is one. */
void dead_last_words(const struct facts *facts, struct crash *crash, const struct dead_log *left);

/**
 * The primary died: tell the boot counter in crash->record, and log what that makes of it.
 *
 * @left  its log, whose last line tells how long it lived; NULL: it left none
 */
void dead_count(const struct facts *facts, struct crash *crash, const struct dead_log *left);

/**
 * How the kernel that ran in @where, free RAM or usable memory, ended; PRINTK_ENDING_CUT if nothing can be
 * told.
 */
enum printk_ending dead_ending_in(const struct facts *facts, struct crash *crash, struct region where);

#endif
