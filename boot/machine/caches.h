/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making memory outlive a reset: RAM keeps its contents, caches do not, so what a later life needs is written
 * back. Where harts have Zicbom that reaches memory; cores and boards without it have ways of their own.
 */
#ifndef LIFEBOAT_BOOT_MACHINE_CACHES_H
#define LIFEBOAT_BOOT_MACHINE_CACHES_H

#include "base/types.h"

/**
 * Write [@start, @start + @size) back, and return when it is in RAM.
 *
 * @start  by the physmap    Context: after stage_move()
 * Finds the machine by the boot context in tp (trap.h), since the crash record's writer calls it back.
 */
void retain_write_back(const void *start, size_t size);

#endif
