/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A board, as data: what its FDT does not tell and the stage must know.
 *
 * A new board is a folder with one const struct (and one of notes, which costs the stage nothing), a README,
 * a line in meson.build and a test FDT: docs/porting.md.
 */
#ifndef LIFEBOAT_PLATFORM_PLATFORM_H
#define LIFEBOAT_PLATFORM_PLATFORM_H

#include "fdt/read.h"

/**
 * Memory that an earlier stage writes on the way up, whoever owned it before: lost memory.
 *
 * The stage finds by itself what firmware reserves in the FDT, its own image, the FDT and the bundle. Here is
 * the rest: heaps, stacks and buffers of the stages before. In whole MiB, so that a row has 16 bytes:
 * {LOST(0x85000000, 9 * MIB), "SPL heap"}
 */
struct platform_lost {
	uint16_t base_mib, size_mib;
	char by[12]; /* whose it is, for the log */
};
#define LOST(base, size) (base) / MIB, (size) / MIB

struct platform {
	const char *name;	/* of its folder */
	const char *compatible; /* root compatibles that it serves, one behind the other: "a,b\0" "c,d\0" */
	const struct platform_lost *lost;
	uint32_t lost_count;
	/*
	 * Physical address of a register that writes the 64-byte line of the last-level cache back whose
	 * physical address is stored there (SiFive's Flush64). 0: no such cache, or Zicbom reaches behind it.
	 */
	uint32_t llc_flush;
	const struct region *flash; /* memory-mapped flash that may hold a bundle at its start; NULL: none */
};

/* Text is in arrays, so that the linker drops a struct of notes whole. */

struct platform_quirk {
	char name[24];
	char what[160];
	char source[120]; /* where that is known from; says UNCONFIRMED of what nobody has seen */
};

/** What people and tests want to know of a board, and the stage does not. */
struct platform_notes {
	const struct platform *platform;
	paddr_t load;			/* where the stage before puts us */
	uint32_t entry;			/* bytes from there to where it enters us: not 0 means a shim */
	char previous[120];		/* who that is, and how it wants us */
	char watchdog[120];		/* what can reset the board without its power going away */
	struct platform_quirk quirk[4]; /* up to the first without a name */
};

/** This machine's platform: the first that names one of its root compatibles, else generic. Never NULL. */
const struct platform *platform_find(const struct machine *machine);

#endif
