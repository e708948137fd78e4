/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FDTs out of a bundle: a base instead of the firmware's FDT, and overlays on top.
 *
 * Only firmware knows how much RAM there is, what it keeps for itself, which harts it does not give, and
 * its seeds: firmware.h. All else of the firmware's FDT is left behind. What an overlay says of memory is
 * meant for this machine, so it may take RAM away, but it takes no reservation.
 */
#ifndef LIFEBOAT_FDT_MERGE_H
#define LIFEBOAT_FDT_MERGE_H

#include "base/error.h"
#include "base/types.h"

/**
 * Check an FDT that comes out of a bundle.
 *
 * @blob     8-byte aligned, @size bytes
 * @name     of its image, for the message
 * @overlay  receives whether it is an overlay: a node below its root has an __overlay__
 * Return: LB_OK; LB_EFORMAT no FDT, or a damaged one.
 */
LB_MUST_CHECK enum lb_err fdt_check_image(const void *blob, uint64_t size, const char *name, bool *overlay,
					  struct diag *diag);

/**
 * Begin with a copy of @base in @out, with @out_size bytes to grow.
 *
 * @out  8-byte aligned
 * Return: LB_OK; LB_ENOSPC.
 */
LB_MUST_CHECK enum lb_err fdt_merge_begin(const void *base, void *out, uint64_t out_size, struct diag *diag);

/**
 * Bring over to @out what only the @firmware's FDT knows.
 *
 * @name  of the base's image, for the message
 * Return: LB_OK; LB_ENOSPC; LB_EFORMAT a damaged FDT, or the two count addresses in different cells.
 */
LB_MUST_CHECK enum lb_err fdt_merge_firmware(void *out, const void *firmware, const char *name,
					     struct diag *diag);

/**
 * Apply an overlay that was checked. It is overwritten.
 *
 * Its fixups are checked against it and @out first. Where it takes a reservation of the @firmware's away,
 * that comes back.
 * @firmware  its FDT, which fdt_read_machine() has checked
 * Return: LB_OK; LB_ENOSPC; LB_EFORMAT it does not fit what is in @out. On error @out is of no use any more.
 */
LB_MUST_CHECK enum lb_err fdt_merge_overlay(void *out, void *overlay, const void *firmware, const char *name,
					    struct diag *diag);

#endif
