/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash kernel: put in place in usable memory while all is well, and made ready to be entered when it is
 * not.
 */
#ifndef LIFEBOAT_BOOT_CRASH_PREPARE_H
#define LIFEBOAT_BOOT_CRASH_PREPARE_H

#include "boot/crash/state.h"
#include "boot/load/payload.h"

/** Wish for a crash kernel's FDT, in @usable, with its core header in @core, and for its bootargs. */
void prepare_wish(struct payload *kernel, struct region core, struct region usable);

/**
 * Put the crash kernel in its place, from the first good crash configuration of the bundle, and describe it
 * in crash->record, which is not written yet. Fills crash->config with what that one asks for.
 *
 * Return: LB_OK; on error the log's diag says why there is none.
 */
LB_MUST_CHECK enum lb_err prepare(const struct facts *facts, struct crash *crash, struct payload *kernel);

/** Is the prepared crash kernel all there, unharmed? If not, a warning says what is damaged, and by whom. */
bool prepare_is_sound(const struct facts *facts, const struct crash *crash);

/**
 * Make the prepared crash kernel ready to be entered: its core header is written, @exit filled.
 *
 * With a required key what was prepared before the reset does not count: it is put in its place again, out of
 * this boot's bundle, all of it verified.
 * Writes nowhere outside the crash region. Counts the attempt in the record first, so that whatever happens
 * from here on can't happen for ever.
 * @kernel  room to put it in its place again
 * Return: LB_OK; on error the log's diag says why, and the machine should boot normally.
 */
LB_MUST_CHECK enum lb_err prepare_exit(const struct facts *facts, struct crash *crash, struct payload *kernel,
				       struct dead *dead, struct exit *exit);

#endif
