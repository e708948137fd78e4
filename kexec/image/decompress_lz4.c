// SPDX-License-Identifier: BSD-2-Clause
/*
 * LZ4, in both of its containers: frames, as lz4 and mkimage's users make them, and the legacy format that
 * Linux's build makes (Image.lz4). The blocks are decoded by the LZ4 library, right behind each other, so
 * that each is the dictionary of the next. One frame may follow the other, of either kind.
 *
 * github.com/lz4/lz4 doc/lz4_Frame_format.md. A walk over frames and blocks serves both to measure and to
 * unpack.
 */
#include "kexec/image/decompress.h"

#include <inttypes.h>
#include <lz4.h>
#include <string.h>
#include <xxhash.h>

#define FRAME_MAGIC	   "\x04\x22\x4d\x18"
#define LEGACY_MAGIC	   "\x02\x21\x4c\x18"
#define MAGIC_SIZE	   4
#define LEGACY_BLOCK_MAX   (8 * MIB)
#define DICTIONARY_MAX	   (64 * KIB)
#define BLOCK_IS_PLAIN	   UINT32_C(0x80000000)
#define FLAG_VERSION	   0xc0
#define FLAG_VERSION_1	   0x40
#define FLAG_BLOCK_SUMS	   0x10
#define FLAG_CONTENT_SIZE  0x08
#define FLAG_CONTENT_SUM   0x04
#define FLAGS_UNKNOWN	   0x03 /* reserved, or a dictionary that nobody has given us */
#define DESCRIPTOR_UNKNOWN 0x8f /* reserved bits of the byte that tells the size of blocks */
#define BLOCK_CODE_MIN	   4	/* 64 KiB; each next one is four times as large */

/*
 * The one of LZ4's loops that suits every block, whatever lies before it: LZ4_decompress_safe_usingDict()
 * chooses among four copies of it, which take 3 KiB. It is exported but not in lz4.h.
 */
int LZ4_decompress_safe_forceExtDict(const char *source, char *dest, int compressedSize, int maxOutputSize,
				     const void *dictStart, size_t dictSize);

/* What the head of a frame says about its blocks. */
struct frame {
	bool legacy;
	bool block_sums;
	bool content_sum;
	uint64_t content_size; /* 0: not told */
	uint64_t block_max;
};

static uint64_t peek_le(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 8 | bytes[count];
	return value;
}

static bool take(struct packed_bytes *in, uint64_t size, const uint8_t **bytes)
{
	if (in->size < size)
		return false;
	*bytes = in->data;
	*in = packed_behind(*in, size);
	return true;
}

static bool take_le32(struct packed_bytes *in, uint32_t *value)
{
	const uint8_t *bytes;

	if (!take(in, sizeof(*value), &bytes))
		return false;
	*value = (uint32_t)peek_le(bytes, sizeof(*value));
	return true;
}

static enum lb_err damaged(struct diag *diag)
{
	return diag_fail(diag, LB_EFORMAT, "lz4: the data is damaged or truncated: copy it again");
}

/* FLG, BD, the content's size if it is told, and a byte of the checksum over these. */
static enum lb_err read_descriptor(struct packed_bytes *in, struct frame *frame, struct diag *diag)
{
	const uint8_t *bytes = in->data, *sum;
	size_t size = 2;

	if (in->size < size)
		return damaged(diag);
	if ((bytes[0] & FLAG_VERSION) != FLAG_VERSION_1 || (bytes[0] & FLAGS_UNKNOWN) ||
	    (bytes[1] & DESCRIPTOR_UNKNOWN) || bytes[1] >> 4 < BLOCK_CODE_MIN)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "lz4: a frame with a dictionary, or of an unknown version");
	if (bytes[0] & FLAG_CONTENT_SIZE)
		size += sizeof(uint64_t);
	if (!take(in, size, &bytes) || !take(in, 1, &sum) || *sum != (uint8_t)(XXH32(bytes, size, 0) >> 8))
		return damaged(diag);
	frame->block_sums = bytes[0] & FLAG_BLOCK_SUMS;
	frame->content_sum = bytes[0] & FLAG_CONTENT_SUM;
	frame->block_max = UINT64_C(1) << (8 + 2 * (bytes[1] >> 4));
	if (bytes[0] & FLAG_CONTENT_SIZE)
		frame->content_size = peek_le(bytes + 2, sizeof(uint64_t));
	return LB_OK;
}

/* Read the head of the next frame. Return: LB_ENOENT, with no line written, if there is none any more. */
static enum lb_err open_frame(struct packed_bytes *in, struct frame *frame, struct diag *diag)
{
	*in = packed_skip(*in);
	*frame = (struct frame){.block_max = LEGACY_BLOCK_MAX};
	if (!packed_begins(*in, decompress_lz4.magic))
		return packed_may_end(*in) ? LB_ENOENT : packed_left_over(*in, decompress_lz4.name, diag);
	frame->legacy = !memcmp(in->data, LEGACY_MAGIC, MAGIC_SIZE);
	*in = packed_behind(*in, MAGIC_SIZE);
	return frame->legacy ? LB_OK : read_descriptor(in, frame, diag);
}

struct block {
	const uint8_t *bytes;
	uint32_t size; /* 0: there is none any more */
	bool plain;
};

/*
 * The legacy format has no end mark: it ends with the bytes, before another frame, or with what may follow
 * the last: no block is all zeros behind its length.
 */
static bool ends_here(struct packed_bytes in, const struct frame *frame)
{
	return frame->legacy && (packed_may_end(in) || packed_begins(packed_skip(in), decompress_lz4.magic));
}

static enum lb_err next_block(struct packed_bytes *in, const struct frame *frame, struct block *block,
			      struct diag *diag)
{
	uint32_t word, sum;

	*block = (struct block){.size = 0};
	if (ends_here(*in, frame))
		return LB_OK;
	if (!take_le32(in, &word))
		return damaged(diag);
	if (!word && !frame->legacy)
		return LB_OK;
	block->plain = !frame->legacy && (word & BLOCK_IS_PLAIN);
	block->size = block->plain ? word & ~BLOCK_IS_PLAIN : word;
	if (!block->size || block->size > (uint32_t)LZ4_COMPRESSBOUND(frame->block_max) ||
	    !take(in, block->size, &block->bytes))
		return damaged(diag);
	if (frame->block_sums && (!take_le32(in, &sum) || sum != XXH32(block->bytes, block->size, 0)))
		return damaged(diag);
	return LB_OK;
}

static enum lb_err measure_frame(struct packed_bytes *in, const struct frame *frame, uint64_t *bound,
				 struct diag *diag)
{
	struct block block;
	uint64_t sum = 0;
	uint32_t checksum;
	enum lb_err err;

	while (!(err = next_block(in, frame, &block, diag)) && block.size)
		sum += block.plain ? block.size : frame->block_max;
	if (!err && (frame->content_size > sum || (frame->content_sum && !take_le32(in, &checksum))))
		err = damaged(diag);
	*bound += frame->content_size ? frame->content_size : sum;
	return err;
}

static enum lb_err lz4_measure(struct packed_bytes packed, uint64_t *bound, struct diag *diag)
{
	struct frame frame;
	enum lb_err err;

	*bound = 0;
	while (!(err = open_frame(&packed, &frame, diag))) {
		err = measure_frame(&packed, &frame, bound, diag);
		if (err)
			return err;
	}
	if (err != LB_ENOENT)
		return err;
	return *bound ? LB_OK : diag_fail(diag, LB_EFORMAT, "lz4: there is nothing in it");
}

/* Room that is filled from its begin: by one frame, whose blocks see what is before them. */
struct filled {
	char *out;
	uint64_t room, size;
};

static bool unpack_block(const struct block *block, const struct frame *frame, struct filled *to)
{
	const uint64_t dictionary = to->size < DICTIONARY_MAX ? to->size : DICTIONARY_MAX;
	uint64_t most = to->room - to->size < frame->block_max ? to->room - to->size : frame->block_max;
	char *dest = to->out + to->size;
	int made;

	if (block->plain) {
		if (block->size > most)
			return false;
		memcpy(dest, block->bytes, block->size);
		to->size += block->size;
		return true;
	}
	made = LZ4_decompress_safe_forceExtDict((const char *)block->bytes, dest, (int)block->size, (int)most,
						dest - dictionary, dictionary);
	if (made < 0)
		return false;
	to->size += (uint64_t)made;
	return true;
}

/* What the frame says about all of its content. */
static enum lb_err check_content(struct packed_bytes *in, const struct frame *frame,
				 const struct filled *from, struct diag *diag)
{
	uint32_t sum;

	if (frame->content_size && frame->content_size != from->size)
		return damaged(diag);
	if (frame->content_sum && (!take_le32(in, &sum) || sum != XXH32(from->out, from->size, 0)))
		return damaged(diag);
	return LB_OK;
}

static enum lb_err unpack_frame(struct packed_bytes *in, const struct frame *frame, struct filled *to,
				struct diag *diag)
{
	struct block block;
	enum lb_err err;

	while (!(err = next_block(in, frame, &block, diag)) && block.size) {
		if (!unpack_block(&block, frame, to))
			return diag_fail(diag, LB_EFORMAT,
					 "lz4: the data is damaged, or more than the %" PRIu64
					 " bytes that it may hold: copy it again",
					 to->room);
	}
	return err ? err : check_content(in, frame, to, diag);
}

static enum lb_err lz4_unpack(void *work, struct packed_bytes packed, void *out, uint64_t room,
			      uint64_t *size, struct diag *diag)
{
	struct frame frame;
	enum lb_err err;

	(void)work;
	*size = 0;
	while (!(err = open_frame(&packed, &frame, diag))) {
		struct filled to = {(char *)out + *size, room - *size, 0};

		err = unpack_frame(&packed, &frame, &to, diag);
		if (err)
			return err;
		*size += to.size;
	}
	if (err != LB_ENOENT)
		return err;
	return packed_ends(packed, *size) ? LB_OK : packed_left_over(packed, decompress_lz4.name, diag);
}

const struct decompressor decompress_lz4 = {
	.name = "lz4",
	.zboot = {"lz4"},
	.magic = {FRAME_MAGIC, LEGACY_MAGIC},
	.measure = lz4_measure,
	.unpack = lz4_unpack,
};
