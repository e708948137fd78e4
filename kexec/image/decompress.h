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

#include "base/error.h"
#include "base/types.h"

/** Bytes that any decompressor works in, besides input and output. */
#define DECOMPRESS_WORK_SIZE (192 * KIB)

/** One side of an unpacking: bytes that it may read, or room that it may write to. */
struct packed_bytes {
	const void *data;
	uint64_t size;
};

/** A compression: all that is known of it is this row, which stands at the end of its own source. */
struct decompressor {
	const char *name;     /* as mkimage has it */
	const char *zboot[2]; /* as Linux's build has called it in EFI zboot images; NULL: no (other) one */
	const char *magic[2]; /* how what is packed begins, without a NUL; NULL: no other way */

	/**
	 * How many bytes can come out, at most. For decompress_measure() alone, which has seen a magic.
	 *
	 * @bound  receives it: what the format declares if it does, else what its blocks can hold; never 0
	 * Return: LB_OK; LB_EFORMAT.
	 */
	enum lb_err (*measure)(struct packed_bytes packed, uint64_t *bound, struct diag *diag);

	/**
	 * Unpack, and check what checksums the format has.
	 *
	 * What lies behind the packed bytes (padding, the length that Linux's build appends) is ignored.
	 * @work   DECOMPRESS_WORK_SIZE bytes, 16-byte aligned
	 * @room   how many bytes may be written to @out
	 * @size   receives how many were; anything up to @room may be overwritten even on error
	 * Return: LB_OK; LB_EFORMAT damaged, or more comes out than @room holds.
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
 * How many bytes can come out of @packed by @by, at most: to be asked before unpacking.
 *
 * @bound  receives it; never 0
 * Return: LB_OK; LB_EFORMAT it does not begin as @by's, or is damaged, or empty.
 */
LB_MUST_CHECK enum lb_err decompress_measure(const struct decompressor *by, struct packed_bytes packed,
					     uint64_t *bound, struct diag *diag);

#endif
