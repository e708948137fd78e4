/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FDT for a payload: a private copy of the firmware's, with a few properties and nodes set.
 *
 * What is set in /chosen is rows of one const table, run in order; what is reserved is the caller's table.
 * Running them twice gives the same blob. The firmware's blob is never written.
 */
#ifndef LIFEBOAT_FDT_FIXUP_H
#define LIFEBOAT_FDT_FIXUP_H

#include "fdt/machine.h"

/** A range that the payload must keep off: becomes a child of /reserved-memory. */
struct fdt_reservation {
	const char *name;	/* of the node, without unit address */
	const char *compatible; /* NULL: none */
	struct region range;
	bool no_map;	    /* not even in its linear map */
	bool reusable;	    /* it may be used, for what can be moved away: CMA */
	struct region call; /* lifeboat,crash-call; size 0: no such property */
};

/** What a payload's FDT shall say. Everything is copied into the blob. */
struct fdt_wishes {
	const char *bootargs; /* /chosen/bootargs; NULL leaves it as it is, "" removes it */
	struct region initrd; /* linux,initrd-start/-end, 8 bytes each; size 0 removes both */
	/* For a crash kernel: linux,elfcorehdr and linux,usable-memory-range; size 0 removes them. */
	struct region elfcorehdr;
	struct region usable_memory;
	const struct machine *firmware; /* what it reserves for initrd and bundle goes; NULL: nothing */
	const struct fdt_reservation *reservation;
	size_t reservation_count;
	/* For firmware, which makes a memory map of it: nothing of what is reserved is mapped there. */
	bool no_map_at_all;
};

/**
 * So many bytes of an FDT's end are free, for a payload that grows it where it lies, as U-Boot does before
 * booti. OpenSBI's and QEMU's have room, too.
 */
#define FDT_SLACK (4 * KIB)

/** The text of /chosen/bootargs; NULL: there is none. */
const char *fdt_bootargs(const void *fdt);

/** Take /chosen/bootargs away. */
void fdt_drop_bootargs(void *fdt);

/**
 * How large a buffer suffices for fdt_make_payload_fdt() with this blob and these wishes.
 *
 * @blob  checked by fdt_read_machine() before
 * @size  receives bytes, a multiple of 8, at most FDT_SIZE_MAX
 * Return: LB_OK; LB_ERANGE it would grow past FDT_SIZE_MAX; LB_EUNSUPPORTED a range can't be written in the
 *         root's cells, or Linux ignores /reserved-memory and it can't be mended; LB_EFORMAT.
 */
LB_MUST_CHECK enum lb_err fdt_payload_size(const void *blob, const struct fdt_wishes *wishes, uint64_t *size,
					   struct diag *diag);

/**
 * Write the payload's FDT to @out: @blob, the fixups applied, packed, then FDT_SLACK (less at FDT_SIZE_MAX).
 *
 * Besides the wishes: removes from /chosen what Linux was told as a capture kernel or successor by kexec
 * (linux,dmcryptkeys, linux,kho-fdt, linux,kho-scratch) and lifeboat,bundle; leaves rng-seed and kaslr-seed
 * as firmware made them (fresh), but for a crash kernel, which gets none; takes away from a crash kernel's
 * FDT the crash region, pools, and what has no place yet (/reserved-memory); makes /chosen and
 * /reserved-memory if they are wanted and absent. A /reserved-memory that Linux would ignore (without ranges,
 * or without the root's cells) is given what it lacks if something is reserved. Needs no memory but @out.
 * Fails cleanly, whatever @out_size is.
 * @out  8-byte aligned, apart from @blob
 * Return: LB_OK; LB_ENOSPC @out_size is too small; LB_EFORMAT. On error @out holds no valid FDT.
 */
LB_MUST_CHECK enum lb_err fdt_make_payload_fdt(const void *blob, const struct fdt_wishes *wishes, void *out,
					       uint64_t out_size, struct diag *diag);

#endif
