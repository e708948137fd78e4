/* SPDX-License-Identifier: BSD-2-Clause */
/* /reserved-memory of a payload's FDT. Steps of fdt_make_payload_fdt(): private to fdt/. */
#ifndef LIFEBOAT_FDT_RESERVE_H
#define LIFEBOAT_FDT_RESERVE_H

#include "fdt/fixup.h"

/** Bytes that reserve_fix() can add. */
uint64_t reserve_growth(const struct fdt_wishes *wishes);

/**
 * Will Linux see what is wished to be reserved in @blob?
 *
 * Return: LB_OK; LB_EUNSUPPORTED it ignores /reserved-memory, and that can't be mended, or a range does not
 *         fit.
 */
LB_MUST_CHECK enum lb_err reserve_check(const void *blob, const struct fdt_wishes *wishes, struct diag *diag);

/**
 * Reserve what is wished; take from a crash kernel's FDT what is not for it. Return: 0, or a libfdt error.
 */
int reserve_fix(void *fdt, const struct fdt_wishes *wishes);

/**
 * Drop the firmware's reservations of just the initrd and the bundle that it handed over. Return: as above.
 */
int reserve_fix_handed_over(void *fdt, const struct fdt_wishes *wishes);

#endif
