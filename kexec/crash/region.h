/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash region: where it lies in RAM and what lies where in it. Pure arithmetic.
 *
 *   base      usable memory: the crash kernel at the very base (kernels before 6.4 lose what is below them),
 *             its FDT, core header and initramfs at the top
 *   kept      room for the FIT of a crash kernel that userspace loads; as the bundle asks, most often none
 *   private   the last 4 MiB, never given to any kernel: the resident stage and its tables, the call area
 *             (the one part that the primary writes to, by client/lifeboat_call.h), the dead kernel's log,
 *             the stage's own log of this run and the one before, and in the last two pages the crash record
 *
 * The record lies at the region's end, so it is found at the end of the highest free piece of RAM without
 * knowing how large the region is.
 */
#ifndef LIFEBOAT_KEXEC_CRASH_REGION_H
#define LIFEBOAT_KEXEC_CRASH_REGION_H

#include "base/error.h"
#include "kexec/crash/area.h"
#include "kexec/crash/record.h"
#include "mm/region.h"

#define CRASH_REGION_DEFAULT (256 * MIB)
#define CRASH_DEAD_LOG_SIZE  (512 * KIB)
#define CRASH_RUN_LOG_SIZE \
	(16 * KIB) /* one of two: this run's and the previous one's; each a struct crash_text */

struct crash_region {
	struct region all;	/* size 0: there is no crash region */
	struct region usable;	/* usable memory */
	struct region kept;	/* room for a FIT that userspace loads; size 0: none */
	struct region stage;	/* room for the resident stage */
	struct region call;	/* CRASH_CALL_SIZE: struct crash_call and what it names */
	struct region dead_log; /* the dead kernel's log as text */
	struct region run_log[2];
	struct region record; /* CRASH_RECORD_SIZE */
};

/**
 * Can @all be a crash region: aligned to CRASH_REGION_ALIGN, CRASH_REGION_MIN at least, below 2^64?
 *
 * Whoever has its range from elsewhere (an FDT, a record) asks this before crash_region_layout().
 */
bool crash_region_is_sound(struct region all);

/**
 * Lay out a crash region, @all, which must be sound.
 *
 * @kept  how much of it is kept for userspace: a multiple of CRASH_REGION_ALIGN that leaves CRASH_REGION_MIN
 */
struct crash_region crash_region_layout(struct region all, uint64_t kept);

/** What a bundle asks for, in bytes. */
struct crash_region_wish {
	uint64_t size; /* all of it; 0: CRASH_REGION_DEFAULT, or a quarter of RAM if that is less */
	uint64_t kept; /* of that, kept for userspace */
};

/**
 * Firmware moves to the top of its RAM, or of what of it lies below 4 GiB, with heap, frame buffer and FDT
 * below itself, and asks no reservation. Measured with U-Boot 2025.01: 34 MiB.
 */
#define CRASH_CLEAR_OF_TOP (64 * MIB)

/**
 * Take out of @free what a firmware primary may write: CRASH_CLEAR_OF_TOP at the end of each bank of @ram,
 * and below 4 GiB.
 *
 * Return: LB_OK; LB_ENOSPC too many pieces: some of it is still in.
 */
LB_MUST_CHECK enum lb_err crash_region_keep_clear(struct region_set *free, const struct region_set *ram);

/**
 * Choose a place: the highest below 4 GiB that is free, or the highest below @limit if there is no RAM below.
 *
 * With the same @free and @wish the answer is the same on every boot.
 * @wish  rounded up to CRASH_REGION_ALIGN
 * Return: LB_OK; LB_ENOSPC no room (the line says how much was wanted); LB_ERANGE @wish is too small or too
 *         large.
 */
LB_MUST_CHECK enum lb_err crash_region_place(const struct region_set *free, uint64_t ram_size,
					     struct crash_region_wish wish, paddr_t limit,
					     struct crash_region *region, struct diag *diag);

#endif
