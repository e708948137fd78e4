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
 * Fill dead->ram, what a dead kernel owned and is still as it left it: all RAM, less no-map, firmware's and
 * lost memory, and what @map has taken for this run. Memory that is reserved in any other way (a reusable
 * pool, above all) is the kernel's.
 *
 * Fills dead->beside, too. What has no entry left in the sets is left out of both, with a line; nothing is
 * ever in them that should not be.
 */
void dead_find_ram(const struct facts *facts, const struct memmap *map, const struct crash *crash,
		   struct dead *dead);

/** Fill dead->reach, from dead->ram. Context: after stage_move(). */
void dead_find_reach(const struct stage *stage, struct dead *dead);

/**
 * Find the dead kernel's note in dead->reach, and open its log.
 *
 * Fills dead->info; dead->has_info tells whether it is good, which it may be on failure, too.
 * Context: after stage_move(), which maps that RAM.
 * @note_pa  where the note is, if that is known; 0: ask the image, or look through all of that
 * Return: LB_OK; what vmcoreinfo_find() and printk_open() return; the line was logged.
 */
LB_MUST_CHECK enum lb_err dead_open(const struct facts *facts, const struct crash *crash, struct dead *dead,
				    paddr_t note_pa, struct dead_log *left);

/**
 * Print the end of its log, and the lines around the one that tells of its end; keep the log in the crash
 * region, if there is one.
 */
void dead_last_words(const struct facts *facts, struct crash *crash, const struct dead_log *left,
		     const struct printk_told *told);

/** Warn unless its log says that what the crash region lent to it was in the hands of its CMA. */
void dead_check_lent(const struct facts *facts, const struct crash *crash, const struct dead_log *left);

/**
 * The primary died: tell the boot counter in crash->record, and log what that makes of it.
 *
 * @left  its log, whose last line tells how long it lived; NULL: it left none
 */
void dead_count(const struct facts *facts, struct crash *crash, const struct dead_log *left);

/**
 * How the crash kernel that ran in @where, which must be mapped, ended; PRINTK_ENDING_CUT if nothing can be
 * told that only it could write.
 */
enum printk_ending dead_ending_in(const struct facts *facts, struct crash *crash, struct region where);

#endif
