/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed payloads: how large what is packed can get, and how it is unpacked.
 *
 * There is one struct decompressor for each format; which of them a stage has is a choice of the build
 * (-Ddecompress). Unpacking goes from one buffer to another, which have no byte in common, in one go: the
 * output is the window. It never writes beyond the room that it is given, whatever the input says.
 */
#ifndef LIFEBOAT_KEXEC_IMAGE_DECOMPRESS_H
#define LIFEBOAT_KEXEC_IMAGE_DECOMPRESS_H

#include "kexec/image/packed.h"

/** Bytes that any decompressor works in, besides input and output. */
#define DECOMPRESS_WORK_SIZE (192 * KIB)

/** A compression: all that is known of it is this row, which stands at the end of its own source. */
struct decompressor {
	const char *name;     /* as mkimage has it */
	const char *zboot[2]; /* as Linux's build has called it in EFI zboot images; NULL: no (other) one */
	const char *magic[PACKED_MAGICS]; /* how what is packed begins, without a NUL; NULL: no other way */

	/**
	 * How many bytes come out. For decompress_measure() alone, which has seen a magic.
	 *
	 * @bound  receives it: what the format declares if it does, else what its blocks can hold; 0 if
	 *         neither is of use
	 * Return: LB_OK; LB_EFORMAT; LB_EUNSUPPORTED.
	 */
	enum lb_err (*measure)(struct packed_bytes packed, uint64_t *bound, struct diag *diag);

	/**
	 * Unpack all that is there (members, frames), and check what checksums the format has.
	 *
	 * Behind the last of them may be what packed_ends() takes, and nothing else.
	 * @work   DECOMPRESS_WORK_SIZE bytes, 16-byte aligned
	 * @room   how many bytes may be written to @out
	 * @size   receives how many were; anything up to @room may be overwritten even on error
	 * Return: LB_OK; LB_EFORMAT damaged, or something is left over; LB_ENOSPC more comes out than @room
	 *         holds (lz4 can't tell that from damage); LB_EUNSUPPORTED as decompress_measure().
	 */
	enum lb_err (*unpack)(void *work, struct packed_bytes packed, void *out, uint64_t room,
			      uint64_t *size, struct diag *diag);
};

extern const struct decompressor decompress_gzip, decompress_lz4, decompress_zstd;

/** The decompressor of this build that mkimage calls @name; NULL if there is none. */
const struct decompressor *decompressor_by_name(const char *name);

/** The decompressor of this build that an EFI zboot image calls @name; NULL if there is none. */
const struct decompressor *decompressor_by_zboot(const char *name);

/** The decompressor of this build whose format the bytes begin as; NULL if there is none. */
const struct decompressor *decompressor_by_magic(struct packed_bytes packed);

/**
 * How many bytes come out of @packed by @by: to be asked before unpacking.
 *
 * The room for them suffices, but for a gzip of several members: there it may take more (LB_ENOSPC: unpack it
 * again with all the room that there is).
 * @bound  receives it; 0 if it does not tell: a zstd stream packed from a pipe, a gzip with zeros behind it
 * Return: LB_OK; LB_EFORMAT it does not begin as @by's, or is damaged, or empty, or something is left over;
 *         LB_EUNSUPPORTED a variant of the format that needs what nobody has given us.
 */
LB_MUST_CHECK enum lb_err decompress_measure(const struct decompressor *by, struct packed_bytes packed,
					     uint64_t *bound, struct diag *diag);

#endif
