/* SPDX-License-Identifier: BSD-2-Clause */
/* Arming: what is done on a normal boot, so that the primary's death leads to the crash kernel. */
#ifndef LIFEBOAT_BOOT_CRASH_ARM_H
#define LIFEBOAT_BOOT_CRASH_ARM_H

#include "boot/crash/state.h"
#include "boot/load/payload.h"
#include "kexec/bundle/choices.h"
#include "kexec/crash/deaths.h"

/** The primary that is about to start. */
struct chosen {
	struct boot_start start;
	char name[CRASH_NAME_SIZE]; /* start's, cut; a copy, since the bundle may be overwritten by now */
	struct region kernel;	    /* what it owns, from its entry on; size 0: it is firmware */
	bool may_arm;		    /* its FDT leaves the crash region alone */
};

/**
 * Put the crash kernel in its place: the primary may be loaded afterwards.
 *
 * Wipes the notes of former kernels from RAM. Fills crash->reservation for the primary's FDT. On failure the
 * record is left empty and one line says why. Context: free RAM is writable.
 */
void arm_prepare(const struct facts *facts, const struct memmap *map, struct crash *crash,
		 const struct dead *dead, struct payload *kernel);

/**
 * Which of @choices the boot counter has demoted: a bit each. Says so. @start says whose they are.
 * Context: a crash kernel is prepared; else nothing is recorded.
 */
uint32_t arm_find_demoted(const struct facts *facts, struct crash *crash, const struct choices *choices,
			  const struct boot_start *start);

/**
 * Arm the record: last of all before the primary starts. Context: a crash kernel is prepared; after
 * load_carry_out() of the primary.
 *
 * @map   as the primary leaves it
 * @dead  receives what the primary will own; its core is room for the work
 */
void arm_record(const struct facts *facts, const struct memmap *map, struct crash *crash,
		const struct chosen *chosen, struct dead *dead);

#endif
