/* SPDX-License-Identifier: BSD-2-Clause */
/* How did the last kernel end, and is that a crash to capture? */
#ifndef LIFEBOAT_BOOT_CRASH_JUDGE_H
#define LIFEBOAT_BOOT_CRASH_JUDGE_H

#include "boot/crash/state.h"
#include "boot/facts.h"

/**
 * Must a crash kernel be started? Reads the record and, where it is armed, the dead kernel's log.
 *
 * Prints the reason and the dead kernel's last words; counts itself in the record first, so that it can't go
 * on for ever. While it judges, and if it says yes, crash->way is not WAY_BOOT. Context: after stage_move();
 * RAM is mapped read-only.
 */
bool judge(const struct facts *facts, const struct memmap *map, struct crash *crash, struct dead *dead);

#endif
