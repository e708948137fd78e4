// SPDX-License-Identifier: BSD-2-Clause
/* Zstandard, one frame. Not every frame declares its size: then the number of its blocks bounds it. */
#include "kexec/image/decompress.h"

#include <inttypes.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

/* The first frame alone. */
static enum lb_err find_frame(struct packed_bytes packed, struct packed_bytes *frame, struct diag *diag)
{
	frame->data = packed.data;
	frame->size = ZSTD_findFrameCompressedSize(packed.data, packed.size);
	if (ZSTD_isError(frame->size))
		return diag_fail(diag, LB_EFORMAT, "zstd: the data is damaged or truncated: copy it again");
	return LB_OK;
}

static enum lb_err zstd_measure(struct packed_bytes packed, uint64_t *bound, struct diag *diag)
{
	struct packed_bytes frame;
	enum lb_err err = find_frame(packed, &frame, diag);
	unsigned long long most;

	if (err)
		return err;
	most = ZSTD_decompressBound(frame.data, frame.size);
	if (most == ZSTD_CONTENTSIZE_ERROR)
		return diag_fail(diag, LB_EFORMAT, "zstd: the data is damaged: copy it again");
	if (!most)
		return diag_fail(diag, LB_EFORMAT, "zstd: there is nothing in it");
	*bound = most;
	return LB_OK;
}

static enum lb_err zstd_unpack(void *work, struct packed_bytes packed, void *out, uint64_t room,
			       uint64_t *size, struct diag *diag)
{
	ZSTD_DCtx *decoder = ZSTD_initStaticDCtx(work, DECOMPRESS_WORK_SIZE);
	struct packed_bytes frame;
	enum lb_err err = find_frame(packed, &frame, diag);
	size_t result;

	if (err)
		return err;
	if (!decoder)
		return diag_fail(diag, LB_EINVAL, "zstd: the decoder has too little memory: report this bug");
	result = ZSTD_decompressDCtx(decoder, out, room, frame.data, frame.size);
	if (ZSTD_isError(result))
		return diag_fail(diag, LB_EFORMAT,
				 "zstd: the data is damaged, or more than the %" PRIu64
				 " bytes that it may hold: copy it again",
				 room);
	*size = result;
	return LB_OK;
}

const struct decompressor decompress_zstd = {
	.name = "zstd",
	.zboot = {"zstd", "zstd22"}, /* the latter before Linux 6.12 */
	.magic = {"\x28\xb5\x2f\xfd"},
	.measure = zstd_measure,
	.unpack = zstd_unpack,
};
