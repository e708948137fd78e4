/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine is, and what of its memory is taken: as its FDT says. All before stage_move(). */
#ifndef LIFEBOAT_BOOT_DISCOVER_H
#define LIFEBOAT_BOOT_DISCOVER_H

#include "boot/entry/entry.h"
#include "boot/stage.h"
#include "fdt/read.h"
#include "platform/core.h"
#include "platform/platform.h"

/** The machine that we are on. Written here alone. */
struct hw {
	struct boot_entry entry;
	struct core core;  /* what the hart's core has that the standard has not */
	const void *fdt;   /* the firmware's, mapped read-only */
	uint64_t fdt_size; /* bytes */
	struct machine machine;
	const struct platform *platform;
	unsigned levels_limit; /* bootargs' lifeboat.mode; 0: none */
};

/**
 * Read the firmware's FDT into @hw, and what its bootargs ask of the stage itself. hw->entry and core are
 * there.
 *
 * lifeboat.log=error|warn|info|debug sets the console's level; lifeboat.mode=sv39|sv48|sv57 caps the
 * paging mode. Unknown values are warned of.
 * Return: as fdt_peek_size() and fdt_read_machine(); LB_ERANGE, LB_EFORMAT the address in a1 is no place for
 *         an FDT.
 */
LB_MUST_CHECK enum lb_err discover_machine(struct hw *hw, struct stage *stage, struct log *log);

/**
 * Levels of the largest paging mode: the smallest of what the FDT says of this hart, what the user asked for,
 * what there is.
 */
unsigned discover_most_levels(const struct hw *hw);

/**
 * The value of @key=... in the FDT's bootargs, up to the next space, @length characters; NULL if it is not
 * there.
 */
const char *discover_option(const struct hw *hw, const char *key, size_t *length);

/**
 * Fill @map: RAM, and who has taken what of it.
 *
 * @usable  all the RAM that we may use; NULL: whatever the FDT lists
 * Return: LB_OK; LB_ENOSPC the map is full.
 */
LB_MUST_CHECK enum lb_err discover_memory(const struct hw *hw, const struct region *usable,
					  struct memmap *map, struct diag *diag);

/** Is it firmware's own memory, by its name or by its place below the stage? S-mode may fault on that. */
bool discover_is_firmware(const struct hw *hw, const struct machine_reservation *reservation);

/**
 * Take what the platform says is lost on a reset, as far as it is RAM that nobody has taken.
 *
 * Only who wants to keep memory over a reset needs that: a plain boot may use it all. Context: after
 * source_find(), since a bundle may well lie there.
 * Return: LB_OK; LB_ENOSPC the memory map is full.
 */
LB_MUST_CHECK enum lb_err discover_lost(const struct hw *hw, struct memmap *map, struct diag *diag);

/** Undo discover_lost(): there will be no crash region, after all. */
void discover_lost_release(struct memmap *map, struct log *log);

#endif
