// SPDX-License-Identifier: BSD-2-Clause
/*
 * gzip, by libdeflate: any number of members, each with its length and CRC-32 at its end.
 *
 * Where a member ends is known only once it is unpacked. So the length at the end of the bytes is all that
 * there is to measure by: right for a single member, and for what the sum was appended to; too little for
 * several, or with zeros behind.
 */
#include "kexec/image/decompress.h"

#include <inttypes.h>
#include <lifeboat/inflate.h>

#define GZIP_SIZE_MIN 18 /* header and trailer */

_Static_assert(INFLATE_WORK_SIZE <= DECOMPRESS_WORK_SIZE, "libdeflate's decoder fits");

/* ISIZE, the last word of a member, little-endian; 0 if zeros are behind it. */
static enum lb_err gzip_measure(struct packed_bytes packed, uint64_t *bound, struct diag *diag)
{
	const uint8_t *end = (const uint8_t *)packed.data + packed.size;
	uint64_t size = 0;

	if (packed.size < GZIP_SIZE_MIN)
		return diag_fail(diag, LB_EFORMAT, "gzip: the data is truncated: copy it again");
	for (int i = 1; i <= 4; i++)
		size = size << 8 | end[-i];
	*bound = size;
	return LB_OK;
}

static enum lb_err unpack_member(void *work, struct packed_bytes *packed, uint8_t *out, uint64_t room,
				 uint64_t *size, struct diag *diag)
{
	size_t in_size, out_size;

	switch (libdeflate_gzip_decompress_ex(inflate_init(work), packed->data, packed->size, out + *size,
					      room - *size, &in_size, &out_size)) {
	case LIBDEFLATE_SUCCESS:
		*packed = packed_behind(*packed, in_size);
		*size += out_size;
		return LB_OK;
	case LIBDEFLATE_INSUFFICIENT_SPACE:
		return diag_fail(diag, LB_ENOSPC,
				 "gzip: it holds more than the %" PRIu64
				 " bytes that there is room for: make it again, in one member",
				 room);
	default:
		return diag_fail(diag, LB_EFORMAT, "gzip: the data is damaged: copy it again");
	}
}

static enum lb_err gzip_unpack(void *work, struct packed_bytes packed, void *out, uint64_t room,
			       uint64_t *size, struct diag *diag)
{
	enum lb_err err;

	*size = 0;
	do {
		err = unpack_member(work, &packed, out, room, size, diag);
		if (err || packed_ends(packed, *size))
			return err;
	} while (packed_begins(packed, decompress_gzip.magic));
	return packed_left_over(packed, decompress_gzip.name, diag);
}

const struct decompressor decompress_gzip = {
	.name = "gzip",
	.zboot = {"gzip"},
	.magic = {"\x1f\x8b\x08"},
	.measure = gzip_measure,
	.unpack = gzip_unpack,
};
