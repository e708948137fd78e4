/* SPDX-License-Identifier: BSD-2-Clause */
/* Which crash region this run uses: the one that is waiting, or else the one that the bundle asks for. */
#ifndef LIFEBOAT_BOOT_CRASH_REGION_H
#define LIFEBOAT_BOOT_CRASH_REGION_H

#include "boot/crash/state.h"
#include "boot/facts.h"

/**
 * Look for a crash configuration, choose the crash region, read the record in it, and take it in @map.
 *
 * What goes wrong is told in one line: then there is no crash region. Context: before stage_move(), after
 * source_find().
 */
void region_discover(const struct facts *facts, struct stage *stage, struct memmap *map, struct crash *crash);

/**
 * Make crash->usable the memory map as @map would be without crash support: the region is free but for the
 * stage, if that is in it, and so are its old place and what the platform says is lost.
 *
 * Context: before stage_move() or after it, which maps all that.
 */
void region_map_without(const struct facts *facts, const struct memmap *map, struct crash *crash);

/** Go on without crash support, with @map as by region_map_without(); one line says @why. */
void region_give_up(const struct facts *facts, struct memmap *map, struct crash *crash,
		    const struct diag *why);

/**
 * Take the region that an earlier stage reserved, as the FDT says, with its record and what is prepared in
 * it.
 *
 * Context: before stage_move(). Return: LB_OK; else the log's diag says why there is nothing to adopt.
 */
LB_MUST_CHECK enum lb_err region_adopt(const struct facts *facts, struct stage *stage, struct crash *crash);

/**
 * Can the crash region be kept from a primary that sees the machine @primary? All RAM there, and nobody
 * else's. If not, a warning says why: don't arm.
 */
bool region_suits(const struct crash *crash, const struct machine *primary, struct log *log);

#endif
