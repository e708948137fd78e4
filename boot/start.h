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
 * Not a reset: whatever is wrong would be wrong again, in an endless loop.
 */
_Noreturn void boot_fail(struct boot_context *ctx, const char *line);

/** Stand still for ever, the hart asleep. */
_Noreturn void boot_halt(void);

/** Print the memory map, and who has taken what of it. */
void boot_print_memory(struct boot_context *ctx);

#endif
