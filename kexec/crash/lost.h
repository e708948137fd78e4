/* SPDX-License-Identifier: BSD-2-Clause */
/* Lost memory: what of the memory map is not as its owner left it after a reset. */
#ifndef LIFEBOAT_KEXEC_CRASH_LOST_H
#define LIFEBOAT_KEXEC_CRASH_LOST_H

#include "mm/memmap.h"

/** What its nodes in the primary's FDT are called. */
#define LOST_NODE "lifeboat-lost"

/**
 * Is it firmware's to write again on the way up, so that the primary must not own it?
 *
 * The stage as loaded, the FDT, the bundle, an initrd beside it, and what the platform declares. What lies
 * inside of the crash region is not: that is looked after by the record. What the FDT reserves nobody owned.
 */
bool crash_is_lost(const struct memmap_taken *taken, struct region crash_region);

/**
 * Drop all entries of lost memory, so that it is free: the RAM of a primary that is not kept off it.
 *
 * So it is behind kexec -e, where a kernel put stage, bundle and FDT into memory of its own, and no firmware
 * will write them again.
 * Return: LB_OK; LB_ENOSPC too many pieces: some are dropped, the others not.
 */
LB_MUST_CHECK enum lb_err crash_release_lost(struct memmap *map, struct region crash_region);

#endif
