// SPDX-License-Identifier: BSD-2-Clause
/*
 * gzip, by libdeflate. One member; its length and CRC-32 are at its end, which must be the end of the bytes.
 */
#include "kexec/image/decompress.h"

#include <inttypes.h>
#include <lifeboat/inflate.h>

#define GZIP_SIZE_MIN 18 /* header and trailer */

_Static_assert(INFLATE_WORK_SIZE <= DECOMPRESS_WORK_SIZE, "libdeflate's decoder fits");

/* ISIZE, its last word, little-endian. */
static enum lb_err gzip_measure(struct packed_bytes packed, uint64_t *bound, struct diag *diag)
{
	const uint8_t *end = (const uint8_t *)packed.data + packed.size;
	uint64_t size = 0;

	if (packed.size < GZIP_SIZE_MIN)
		return diag_fail(diag, LB_EFORMAT, "gzip: the data is truncated: copy it again");
	for (int i = 1; i <= 4; i++)
		size = size << 8 | end[-i];
	if (!size)
		return diag_fail(diag, LB_EFORMAT, "gzip: there is nothing in it");
	*bound = size;
	return LB_OK;
}

static enum lb_err gzip_unpack(void *work, struct packed_bytes packed, void *out, uint64_t room,
			       uint64_t *size, struct diag *diag)
{
	size_t in_size, out_size;

	switch (libdeflate_gzip_decompress_ex(inflate_init(work), packed.data, packed.size, out, room,
					      &in_size, &out_size)) {
	case LIBDEFLATE_SUCCESS:
		*size = out_size;
		return LB_OK;
	case LIBDEFLATE_INSUFFICIENT_SPACE:
		return diag_fail(diag, LB_EFORMAT,
				 "gzip: it holds more than the %" PRIu64 " bytes that it says: make it again",
				 room);
	default:
		return diag_fail(diag, LB_EFORMAT, "gzip: the data is damaged: copy it again");
	}
}

const struct decompressor decompress_gzip = {
	.name = "gzip",
	.zboot = {"gzip"},
	.magic = {"\x1f\x8b\x08"},
	.measure = gzip_measure,
	.unpack = gzip_unpack,
};
