/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A board, as data: what its FDT does not tell and the stage must know.
 *
 * A new board is one const struct in a folder of its own, one row in platform.c, and a test FDT.
 */
#ifndef LIFEBOAT_PLATFORM_PLATFORM_H
#define LIFEBOAT_PLATFORM_PLATFORM_H

#include "fdt/read.h"

struct platform {
	const char *name;
	const char *const *compatible; /* root compatibles that it serves; ends with NULL */
	/*
	 * Write back a cache of the board's that lies behind what Zicbom reaches, so that memory outlives a reset. NULL: there
	 * is none. @start is a pointer of the stage's.
	 */
	void (*write_back)(const void *start, size_t size);
	struct region flash; /* memory-mapped flash that may hold a bundle at its start; size 0: none */
};

/** The platform for this machine: the first that names one of its root compatibles, else generic. Never NULL. */
const struct platform *platform_find(const struct machine *machine);

#endif
