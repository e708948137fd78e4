/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a bundle to a payload that is ready to be entered: read, plan, carry out. All after source_reopen().
 */
#ifndef LIFEBOAT_BOOT_LOAD_LOAD_H
#define LIFEBOAT_BOOT_LOAD_LOAD_H

#include "boot/load/payload.h"

/**
 * Read a configuration of the bundle, or the bare payload in its place, into payload->config; print nothing.
 *
 * @name  of the configuration
 * Return: as bundle_read_config(); facts->log's diag says why.
 */
LB_MUST_CHECK enum lb_err load_look(const struct facts *facts, struct payload *payload, const char *name);

/** Read a configuration as load_look() does, tell of it in the log, and check who has signed it. */
LB_MUST_CHECK enum lb_err load_read(const struct facts *facts, struct payload *payload, const char *name);

/** What the configuration is, in a few words: "Linux Image, 30435 KiB and a ramdisk". */
void load_describe(const struct payload *payload, char *out, size_t size);

/**
 * The machine that the payload will see: its FDT is made as far as the bundle says (payload->board_fdt,
 * machine), and payload->map, of what @map and that FDT both call free.
 *
 * For a crash kernel wishes.usable_memory must be there.
 * Return: as board_fdt_make() and map_make(); facts->log's diag says why.
 */
LB_MUST_CHECK enum lb_err load_machine(const struct facts *facts, struct payload *payload,
				       const struct memmap *map);

/**
 * Compute payload->plan in payload->map, and print it: where everything will lie, before a byte moves. But a
 * compressed kernel is checked and unpacked here, since the plan needs to know what it is.
 *
 * Fills bootargs, by the rule, and wishes.bootargs, .initrd and .firmware; the rest of the wishes must be
 * there. Room is left for what Linux will place itself, and mem= is obeyed; if nothing fits beside that, a
 * warning says so. Context: after load_machine(); after an error again, with another map.
 * @keep_bundle  the bundle must stay whole: nothing is placed on it, and nothing runs in it
 */
LB_MUST_CHECK enum lb_err load_plan(const struct facts *facts, struct payload *payload, bool keep_bundle);

/**
 * Carry the plan out: write the payload's FDT, check the images and copy them.
 *
 * After LB_OK nothing of the bundle may be used unless it was kept: it may be overwritten. After an error it
 * is as it was.
 */
LB_MUST_CHECK enum lb_err load_carry_out(const struct facts *facts, struct payload *payload);

#endif
