/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the crash side knows: the region and its record, and what a dead kernel left. Written by boot/crash
 * alone.
 */
#ifndef LIFEBOAT_BOOT_CRASH_STATE_H
#define LIFEBOAT_BOOT_CRASH_STATE_H

#include "boot/machine/caches.h"
#include "boot/source.h"
#include "fdt/fixup.h"
#include "kexec/bundle/policy.h"
#include "kexec/crash/elfcorehdr.h"
#include "kexec/crash/record.h"
#include "kexec/crash/region.h"
#include "kexec/dead/note.h"
#include "mm/memmap.h"

/** On which way this run of the stage leads to a crash kernel. */
enum way {
	WAY_BOOT,  /* none: a normal boot */
	WAY_RESET, /* a dead kernel's reset; while it is judged, too */
	WAY_CALL,  /* a system called, and its call went through a reset */
	WAY_KEXEC, /* Linux jumped here on panic: the machine is what it left us */
};

/** For the primary's FDT: the crash region, what of it is lent, and lost memory. */
#define CRASH_RESERVATIONS_MAX (2 + CRASH_LOST_MAX)

/** All zero on a machine without a crash configuration. */
struct crash {
	enum way way;
	bool has_config;	    /* config is the bundle's */
	struct bundle_crash config; /* else what holds without one; its name is stale after stage_move() */
	struct crash_region region; /* all.size 0: no crash support */
	bool lent;		    /* the primary may use the region's usable memory meanwhile */
	bool region_is_old;	    /* it is not where the bundle of this boot wants one */
	struct crash_record record; /* the newest; state empty if there is none */
	bool can_arm;		    /* a crash kernel is prepared, or there is room for userspace's */
	struct source kept;	    /* the FIT that userspace loaded, while it is captured with */
	struct memmap usable;	    /* usable memory, as a machine of its own for the plan; room for others */
	struct caches caches;	    /* how memory is made to outlive a reset */
	size_t reservation_count;
	struct fdt_reservation reservation[CRASH_RESERVATIONS_MAX];
};

/** What the dead kernel left. */
struct dead {
	struct region_set ram;	  /* what it owned, and is still as it left it */
	struct region_set beside; /* of that, what this run's memory map does not call free */
	struct region_set reach;  /* of it, what the stage can look at */
	bool has_info;		  /* info is good */
	struct vmcoreinfo info;
	struct elfcorehdr_request core; /* what the core header shall say of it */
};

#endif
