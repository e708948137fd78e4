/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: the SBI firmware's, so that the stage needs no UART driver. */
#ifndef LIFEBOAT_BOOT_MACHINE_CONSOLE_H
#define LIFEBOAT_BOOT_MACHINE_CONSOLE_H

#include "base/types.h"

struct console {
	bool dbcn;	     /* DBCN is there; else the legacy putchar call, byte by byte */
	uint64_t stage_pa;   /* where the stage lies now: DBCN takes physical addresses */
	uint64_t instret;    /* instructions spent in console output, firmware's included */
	bool instret_usable; /* may S-mode read instret? */
};

/** Find out how to print. @stage_pa is where the stage lies; @instret_usable as head.S found. */
void console_init(struct console *console, paddr_t stage_pa, bool instret_usable);

/**
 * Print @size bytes. Output that the firmware refuses is dropped: there is nobody to tell.
 *
 * @text  inside the stage's own image (its data, bss or stack), since only that has a known physical address
 */
void console_write(struct console *console, const char *text, size_t size);

/** What was typed: one byte, or -1 if nothing was. Does not wait. */
int console_read(const struct console *console);

#endif
