/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines in which the log tells the story of a boot. */
#ifndef LIFEBOAT_BOOT_REPORT_H
#define LIFEBOAT_BOOT_REPORT_H

#include "boot/discover.h"
#include "boot/machine/cost.h"

/** Who we are, where, and on whose firmware. */
void report_begin(const struct boot_entry *entry, struct log *log);

/** Whose machine this is: harts and RAM. */
void report_machine(const struct hw *hw, struct log *log);

/** Who has taken what of the memory, in a screen's worth of lines. */
void report_memory(const struct memmap *map, struct log *log);

/** Where the stage runs now. */
void report_stage(const struct stage *stage, struct log *log);

/** What the boot cost so far, in instructions; nothing where they can't be counted. */
void report_cost(const struct cost *cost, struct log *log);

#endif
