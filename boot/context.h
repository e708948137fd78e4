/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot knows, filled on the way down: machine, memory, stage, payload, plan, tables, FDT.
 *
 * There is one, made in start.c and handed from step to step. Nothing else in the stage is mutable and
 * static, but the stacks and the table pools.
 */
#ifndef LIFEBOAT_BOOT_CONTEXT_H
#define LIFEBOAT_BOOT_CONTEXT_H

#include "boot/machine/log.h"
#include "fdt/fixup.h"
#include "fdt/read.h"
#include "kexec/bundle/bundle.h"
#include "kexec/bundle/choices.h"
#include "kexec/bundle/policy.h"
#include "kexec/check/signature.h"
#include "kexec/check/verify.h"
#include "kexec/crash/deaths.h"
#include "kexec/crash/elfcorehdr.h"
#include "kexec/crash/region.h"
#include "kexec/dead/note.h"
#include "kexec/place/place.h"
#include "mm/memmap.h"
#include "mm/pagetable.h"
#include "mm/physmap.h"
#include "platform/core.h"
#include "platform/platform.h"

/** What head.S found, in this order, on the stack that it passes to start(). */
struct boot_entry {
	uint64_t hart_id;
	paddr_t fdt_pa;
	paddr_t stage_pa;	 /* where firmware put the stage */
	uint64_t instret;	 /* at the first instruction */
	uint64_t instret_usable; /* 0 or 1 */
	uint64_t early_levels;	 /* of the tables that head.S turned on */
	uint64_t early_pages;	 /* of the pool that they use */
};

_Static_assert(sizeof(struct boot_entry) <= 64 && offsetof(struct boot_entry, early_levels) == 40,
	       "head.S fills struct boot_entry");

/* What concerns crashes; all zero on a machine without a crash configuration. */
struct boot_crash {
	bool has_config;
	struct bundle_crash config;	/* name is stale after stage_move() */
	struct crash_region region;	/* all.size 0: no crash support */
	bool region_is_old;		/* it is not where the bundle of this boot wants one */
	struct crash_record record;	/* the newest; state empty if there is none */
	bool has_info;			/* dead_info is good */
	bool staged;			/* a crash kernel is in its place */
	struct vmcoreinfo dead_info;	/* of the dead kernel */
	struct region_set dead_ram;	/* what the dead kernel owned and is still as it left it */
	struct memmap usable;		/* usable memory as the crash kernel's plan sees it */
	bool capturing;			/* on the way to the crash kernel */
	bool by_kexec;			/* Linux jumped here on panic: the machine is what it left us */
	uint64_t map_hash;		/* by_kexec: of all RAM, before it was cut down */
	struct boot_policy boot_policy; /* of the primaries */
	struct core_request core;	/* what the core header shall say */
};

/* Whom to believe. */
struct boot_trust {
	size_t ring_count;
	struct keyring ring[2]; /* built in, and the firmware's FDT */
	struct signature_work work;
};

#define RESERVATIONS_MAX (1 + CRASH_LOST_MAX)

struct boot_context {
	struct boot_entry entry;
	struct core core;	/* what the hart's core has that the standard has not */
	bool llc_refused;	/* firmware does not let us write platform->llc_flush */
	struct choices choices; /* the bundle's primaries; names are good until a payload is loaded */
	size_t chosen;		/* which of them is read, or loaded */

	struct log log;
	struct diag diag; /* the line of the last failure */

	paddr_t stage_pa;	 /* where the stage lies now */
	struct pagetable tables; /* that it runs on */
	uint64_t writable_satp;	 /* of tables that map free RAM writable, too; 0 when tables does */
	struct physmap physmap;	 /* by which it reaches RAM */
	unsigned levels_limit;	 /* bootargs' lifeboat.mode; 0: none */

	const void *fdt; /* the firmware's, mapped read-only */
	uint64_t fdt_size;
	struct machine machine;
	const struct platform *platform;
	struct memmap memmap;

	struct region bundle;	 /* where the payloads are; size 0: none found */
	struct bundle opened;	 /* it; valid after payload_reach() */
	struct diag bundle_diag; /* then: why */
	const char *bundle_from; /* who said so, for the log */
	bool bundle_is_ram;	 /* taken in the memory map; flash is not */
	struct bundle_config config;
	const void
		*board_fdt; /* what the payload's FDT is made of: the firmware's, or one out of the bundle */
	struct region board_fdt_room; /* where that lies */
	struct region unpacked;	      /* its kernel, if that is compressed */
	struct verify verify;	      /* of the image in hand */
	char bootargs[2048];	      /* for the payload: Linux takes at most COMMAND_LINE_SIZE of them */
	struct fdt_wishes wishes;
	struct plan plan;

	struct boot_crash crash;
	struct boot_trust trust;
	size_t reservation_count; /* for the primary's FDT: the crash region and lost memory */
	struct fdt_reservation reservation[RESERVATIONS_MAX];

	/* What the cost line tells apart: instructions spent, and bytes moved or checked by them. */
	uint64_t check_bytes;
	uint64_t check_instret;
	uint64_t signature_instret;
	uint64_t unpack_bytes; /* that came out */
	uint64_t unpack_instret;
	uint64_t copy_bytes;
	uint64_t copy_instret; /* instructions spent in moving the payload */
};

#endif
