/* SPDX-License-Identifier: BSD-2-Clause */
/* The crash way by call, the preparing half: the call area, and the state of the crash entry. */
#ifndef LIFEBOAT_BOOT_CRASH_CALL_H
#define LIFEBOAT_BOOT_CRASH_CALL_H

#include "boot/context.h"

/** Wipe the call area: registers of a former life are not the next one's. Context: the region is writable. */
void crash_call_wipe(struct boot_context *ctx);

/**
 * Make the call area and the crash entry ready, and write the core header that a call needs.
 *
 * What goes wrong is logged: the reset way is there all the same.
 * Context: the record is armed; ctx->memmap.free is what the primary owns, and what it started from.
 */
void crash_call_arm(struct boot_context *ctx);

/** Did the dead system ask for the crash kernel, by a call that went into a reset? */
bool crash_call_was_made(const struct boot_context *ctx);

/** Add the notes that were saved in the call area and are whole to ctx->crash.core. */
void crash_call_add_notes(struct boot_context *ctx);

#endif
