/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash way by kexec: Linux was given lifeboat as its crash image (kexec -p), and jumped to it on panic.
 *
 * The machine is then what Linux left: linux,usable-memory-range, and not a byte more. kexec's core header
 * tells where the CPUs' notes are. Nothing is judged, since Linux said that it died; what can't be done ends
 * in a reset, which leads into the way by reset if a crash kernel is prepared.
 */
#ifndef LIFEBOAT_BOOT_CRASH_KEXEC_H
#define LIFEBOAT_BOOT_CRASH_KEXEC_H

#include "boot/crash/state.h"
#include "boot/load/payload.h"

/**
 * Did Linux jump here on panic? Then crash->way is WAY_KEXEC.
 *
 * Context: after discover_machine(), before discover_memory(), which must be told of usable memory then.
 * Return: LB_OK, whatever the answer is; LB_ERANGE what the FDT says of usable memory can't be.
 */
LB_MUST_CHECK enum lb_err kexec_enter(const struct hw *hw, struct crash *crash, struct log *log);

/**
 * Read kexec's core header, and find the prepared crash kernel, if there is one. Context: before
 * stage_move().
 */
void kexec_discover(const struct facts *facts, struct stage *stage, struct crash *crash, struct dead *dead);

/**
 * Make a crash kernel ready to be entered, and fill @exit: the bundle's, or else the one that is prepared in
 * a crash region.
 *
 * Context: after stage_move(); free RAM is writable. Return: LB_OK; on error the log's diag says why there is
 * none.
 */
LB_MUST_CHECK enum lb_err kexec_exit(const struct facts *facts, struct memmap *map, struct crash *crash,
				     struct payload *kernel, struct dead *dead, struct exit *exit);

#endif
