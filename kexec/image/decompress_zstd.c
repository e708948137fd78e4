// SPDX-License-Identifier: BSD-2-Clause
/*
 * Zstandard. Not every frame declares its size. The number of its blocks bounds it, but too generously to be
 * of use: a packer may cut 128 KiB into many (zstd 1.5.7 does). So nothing is told then.
 */
#include "kexec/image/decompress.h"

#include <inttypes.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

static enum lb_err damaged(struct diag *diag)
{
	return diag_fail(diag, LB_EFORMAT, "zstd: the data is damaged or truncated: copy it again");
}

/* All frames, one behind the other, and what is left then. */
static enum lb_err find_frames(struct packed_bytes packed, struct packed_bytes *frames,
			       struct packed_bytes *rest, struct diag *diag)
{
	*rest = packed_skip(packed);
	while (packed_begins(*rest, decompress_zstd.magic)) {
		const size_t size = ZSTD_findFrameCompressedSize(rest->data, rest->size);

		if (ZSTD_isError(size))
			return damaged(diag);
		*rest = packed_skip(packed_behind(*rest, size));
	}
	*frames = (struct packed_bytes){packed.data, packed.size - rest->size};
	return packed_may_end(*rest) ? LB_OK : packed_left_over(*rest, decompress_zstd.name, diag);
}

static enum lb_err zstd_measure(struct packed_bytes packed, uint64_t *bound, struct diag *diag)
{
	struct packed_bytes frames, rest;
	enum lb_err err = find_frames(packed, &frames, &rest, diag);
	unsigned long long most;

	if (err)
		return err;
	most = ZSTD_findDecompressedSize(frames.data, frames.size);
	if (most == ZSTD_CONTENTSIZE_ERROR)
		return damaged(diag);
	if (!most)
		return diag_fail(diag, LB_EFORMAT, "zstd: there is nothing in it");
	*bound = most == ZSTD_CONTENTSIZE_UNKNOWN ? 0 : most;
	return LB_OK;
}

static enum lb_err zstd_unpack(void *work, struct packed_bytes packed, void *out, uint64_t room,
			       uint64_t *size, struct diag *diag)
{
	ZSTD_DCtx *decoder = ZSTD_initStaticDCtx(work, DECOMPRESS_WORK_SIZE);
	struct packed_bytes frames, rest;
	enum lb_err err = find_frames(packed, &frames, &rest, diag);
	size_t result;

	if (err)
		return err;
	if (!decoder)
		return diag_fail(diag, LB_EINVAL, "zstd: the decoder has too little memory: report this bug");
	result = ZSTD_decompressDCtx(decoder, out, room, frames.data, frames.size);
	if (ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall)
		return diag_fail(diag, LB_ENOSPC,
				 "zstd: it holds more than the %" PRIu64
				 " bytes that there is room for: give the machine more RAM",
				 room);
	if (ZSTD_isError(result))
		return damaged(diag);
	*size = result;
	return packed_ends(rest, result) ? LB_OK : packed_left_over(rest, decompress_zstd.name, diag);
}

const struct decompressor decompress_zstd = {
	.name = "zstd",
	.zboot = {"zstd", "zstd22"}, /* the latter before Linux 6.12 */
	.magic = {"\x28\xb5\x2f\xfd"},
	.measure = zstd_measure,
	.unpack = zstd_unpack,
};
