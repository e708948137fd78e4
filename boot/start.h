/* SPDX-License-Identifier: BSD-2-Clause */
/* The one boot flow, and its two ends. */
#ifndef LIFEBOAT_BOOT_START_H
#define LIFEBOAT_BOOT_START_H

#include "boot/context.h"

/** Called by head.S at the virtual address, on the early tables: everything else. */
_Noreturn void start(const struct boot_entry *entry);

/**
 * The boot can't go on: print @line as an error, and switch the machine off.
 *
 * Not a reset: whatever is wrong would be wrong again, in an endless loop. But while a crash is captured, and where the
 * bundle wants a reset when nothing can be started (lifeboat,all-bad).
 */
_Noreturn void boot_fail(struct boot_context *ctx, const char *line);

/** Print who has taken what of the memory, in a screen's worth of lines. */
void boot_print_memory(struct boot_context *ctx);

/** Stand still for ever, the hart asleep. */
_Noreturn void boot_halt(void);

#endif
