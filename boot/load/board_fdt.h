/* SPDX-License-Identifier: BSD-2-Clause */
/* The FDT that a configuration wants its payload to see. */
#ifndef LIFEBOAT_BOOT_LOAD_BOARD_FDT_H
#define LIFEBOAT_BOOT_LOAD_BOARD_FDT_H

#include "boot/load/payload.h"

/**
 * Set payload->board_fdt and machine: the firmware's, or what the configuration's FDTs make of it.
 *
 * Their hashes are checked first. The result lies in free RAM of @map (payload->board_fdt_room), and is
 * readable until something else is put there: make the payload's of it first.
 * Return: LB_OK; LB_EFORMAT a hash does not match, no FDT, or overlays that do not fit; LB_ENOSPC; as
 *         fdt_read_machine().
 */
LB_MUST_CHECK enum lb_err board_fdt_make(const struct facts *facts, struct payload *payload,
					 const struct memmap *map);

#endif
