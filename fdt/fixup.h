/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FDT for a payload: a private copy of the firmware's, with a few properties set.
 *
 * The fixups are rows of one const table, run in order; running them twice gives the same blob. The
 * firmware's blob is never written.
 */
#ifndef LIFEBOAT_FDT_FIXUP_H
#define LIFEBOAT_FDT_FIXUP_H

#include "mm/region.h"

/** What a payload's FDT shall say. Strings are copied into the blob. */
struct fdt_wishes {
	const char *bootargs; /* /chosen/bootargs; NULL leaves it as it is, "" removes it */
	struct region initrd; /* linux,initrd-start/-end, 8 bytes each; size 0 removes both */
};

/**
 * How large a buffer fdt_make_payload_fdt() needs for this blob and these wishes, exactly enough.
 *
 * @blob  checked by fdt_read_machine() before
 * @size  receives bytes, a multiple of 8, at most FDT_SIZE_MAX; slack in @blob does not count
 * Return: LB_OK; LB_ERANGE it would grow past FDT_SIZE_MAX, or the initrd runs past 2^64 - 1; LB_EFORMAT.
 *         On error @size is unchanged.
 */
LB_MUST_CHECK enum lb_err fdt_payload_size(const void *blob, const struct fdt_wishes *wishes, uint64_t *size,
					   struct diag *diag);

/**
 * Write the payload's FDT to @out: @blob, the fixups applied.
 *
 * Besides the wishes: removes from /chosen what Linux was told as a capture kernel or a successor by kexec
 * (linux,elfcorehdr, linux,usable-memory-range, linux,dmcryptkeys, linux,kho-fdt, linux,kho-scratch) and
 * lifeboat,bundle; leaves rng-seed and kaslr-seed as firmware made them (fresh); makes /chosen if absent.
 * The blocks come in the usual order, without slack: the FDT's totalsize is the size told above.
 * Needs no memory but @out. Fails cleanly, whatever @out_size is.
 * @blob  checked by fdt_read_machine() before   @out  8-byte aligned, apart from @blob
 * Return: LB_OK; LB_ENOSPC @out_size is too small; LB_ERANGE, LB_EFORMAT as above. On error @out holds no
 *         valid FDT.
 */
LB_MUST_CHECK enum lb_err fdt_make_payload_fdt(const void *blob, const struct fdt_wishes *wishes, void *out,
					       uint64_t out_size, struct diag *diag);

#endif
