/* SPDX-License-Identifier: BSD-2-Clause */
/* The crash way by call, the preparing half: the call area, and the state of the crash entry. */
#ifndef LIFEBOAT_BOOT_CRASH_CALL_H
#define LIFEBOAT_BOOT_CRASH_CALL_H

#include "boot/crash/state.h"
#include "boot/facts.h"

/** Wipe the call area: registers of a former life are not the next one's. Context: the region is writable. */
void call_wipe(const struct facts *facts, struct crash *crash);

/**
 * Make the call area and the crash entry ready, and write the core header that a call needs.
 *
 * What goes wrong is logged: the reset way is there all the same. Context: the record is armed.
 * @owned  the RAM that the primary owns
 * @core   room for the work, about 2 KiB
 */
void call_arm(const struct facts *facts, struct crash *crash, const struct region_set *owned,
	      struct elfcorehdr_request *core);

/** Note that the primary runs; a word in the call area that nothing but call_wipe() takes back. */
void call_mark_started(const struct facts *facts, struct crash *crash);

/** Did a primary run since the area was wiped? */
bool call_has_started(const struct facts *facts, const struct crash *crash);

/** Did the dead system ask for the crash kernel, by a call that went into a reset? */
bool call_was_made(const struct facts *facts, const struct crash *crash);

/** Add the notes that were saved in the call area and are whole to @core. */
void call_add_notes(const struct facts *facts, const struct crash *crash, struct elfcorehdr_request *core);

#endif
