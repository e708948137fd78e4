/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was packed, as bytes: what it begins with, and what may follow it.
 *
 * The same for all compressions. Linux's build appends the length of what it has packed to all but gzip;
 * images are padded; and whoever joins two files joins two members, or frames.
 */
#ifndef LIFEBOAT_KEXEC_IMAGE_PACKED_H
#define LIFEBOAT_KEXEC_IMAGE_PACKED_H

#include "base/error.h"
#include "base/types.h"

/** In how many ways what is packed may begin. */
#define PACKED_MAGICS 2

/** One side of an unpacking: bytes that it may read, or room that it may write to. */
struct packed_bytes {
	const void *data;
	uint64_t size;
};

/** Does @packed begin with one of these? They have no NUL in them; NULL: no other one. */
bool packed_begins(struct packed_bytes packed, const char *const magic[PACKED_MAGICS]);

/** What is behind the first @size bytes of @packed, which are there. */
struct packed_bytes packed_behind(struct packed_bytes packed, uint64_t size);

/** Leave out the skippable frames that @packed begins with: zstd and lz4 have them, with bytes for others. */
struct packed_bytes packed_skip(struct packed_bytes packed);

/** May @rest follow the last frame: zeros, but for a first word that packed_ends() will judge? */
bool packed_may_end(struct packed_bytes rest);

/**
 * May @rest follow the last of what was packed, when @size bytes have come out? Nothing, zeros that pad it,
 * or what the build of Linux appends (@size, in four bytes), padded or not.
 */
bool packed_ends(struct packed_bytes rest, uint64_t size);

/** The line about what may not follow. Return: LB_EFORMAT. */
LB_MUST_CHECK enum lb_err packed_left_over(struct packed_bytes rest, const char *format, struct diag *diag);

#endif
