/* SPDX-License-Identifier: BSD-2-Clause */
/* How the stage ends when it starts nothing. */
#ifndef LIFEBOAT_BOOT_END_H
#define LIFEBOAT_BOOT_END_H

#include "boot/context.h"

/**
 * The boot can't go on: print @line as an error, and switch the machine off.
 *
 * Not a reset: whatever is wrong would be wrong again, in an endless loop. But while a crash is captured, and
 * where the bundle wants a reset when nothing can be started (lifeboat,all-bad).
 */
_Noreturn void boot_fail(struct boot_context *ctx, const char *line);

/** Stand still for ever, the hart asleep. */
_Noreturn void boot_halt(void);

#endif
