/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory that a payload may be placed in: what the stage and the FDT that the payload gets agree on. */
#ifndef LIFEBOAT_BOOT_LOAD_MAP_H
#define LIFEBOAT_BOOT_LOAD_MAP_H

#include "boot/load/payload.h"

/**
 * Make payload->map: @map, less what payload->machine does not list as RAM or has reserved.
 *
 * Context: after board_fdt_make().
 * Return: LB_OK; LB_ENOSPC too many pieces or reservations.
 */
LB_MUST_CHECK enum lb_err map_make(const struct facts *facts, struct payload *payload,
				   const struct memmap *map);

/**
 * Take the configuration's loadables in payload->map: they have no choice.
 *
 * Return: LB_OK; LB_ECONFLICT a loadable is not in free RAM (the line names it).
 */
LB_MUST_CHECK enum lb_err map_take_loadables(const struct facts *facts, struct payload *payload);

/**
 * Take (MEMMAP_KEPT) in payload->map what Linux will place itself, and what mem= tells it not to use. For
 * what finds no window there is a warning.
 */
void map_keep_free(const struct facts *facts, struct payload *payload);

/** Keep it no longer, since nothing fits beside it: say so. Return: was there anything? */
bool map_give_up_kept(const struct facts *facts, struct payload *payload);

#endif
