// SPDX-License-Identifier: BSD-2-Clause
/*
 * Decompressors on what users' own programs made (make_fits.py), whole, cut, and with flipped bits.
 *
 * Input and output lie in heap blocks of exactly their size, so that the sanitizer sees each byte too many.
 */
#include "kexec/image/decompress.h"
#include "tests/unit/bundle_check.h"

#include <xxhash.h>

struct sample {
	const char *file;
	const struct decompressor *by;
	bool exact; /* the bound is what comes out */
};

static const struct sample samples[] = {
	{"large.gz", &decompress_gzip, true},	     {"large.gz1", &decompress_gzip, true},
	{"large.lz4", &decompress_lz4, false},	     {"large.lz4small", &decompress_lz4, true},
	{"large.lz4legacy", &decompress_lz4, false}, {"large.zst", &decompress_zstd, false},
	{"large.zst1", &decompress_zstd, false},     {"large.pigz", &decompress_gzip, true},
	{"joined.gz", &decompress_gzip, false},	     {"joined.gzrev", &decompress_gzip, false},
	{"joined.lz4", &decompress_lz4, false},	     {"joined.lz4legacy", &decompress_lz4, false},
	{"joined.lz4mixed", &decompress_lz4, false}, {"joined.zst", &decompress_zstd, false},
	{"joined.pzst", &decompress_zstd, false},
};

static void *make_work(void)
{
	void *work = aligned_alloc(16, DECOMPRESS_WORK_SIZE);

	assert_non_null(work);
	return work;
}

/* Unpack into a block of @room bytes; the caller frees @out. */
static enum lb_err unpack(const struct decompressor *by, struct file file, uint64_t room, struct file *out,
			  struct diag *diag)
{
	struct packed_bytes packed = {file.bytes, file.size};
	void *work = make_work();
	uint64_t size = 0;
	enum lb_err err;

	out->bytes = malloc(room ? room : 1);
	assert_non_null(out->bytes);
	diag->text[0] = '\0';
	err = by->unpack(work, packed, out->bytes, room, &size, diag);
	check_diag(err, diag);
	assert_true(err || size <= room);
	out->size = size;
	free(work);
	return err;
}

/* What it says, if it does; in no case more than @most. */
static uint64_t room_for(uint64_t bound, uint64_t most)
{
	return bound && bound < most ? bound : most;
}

/* As the stage does it: by what the measure says, and if that is too little, again with more. */
static enum lb_err unpack_measured(const struct decompressor *by, struct file file, struct file *out,
				   struct diag *diag)
{
	struct packed_bytes packed = {file.bytes, file.size};
	uint64_t bound = 0;
	enum lb_err err = decompress_measure(by, packed, &bound, diag);

	check_diag(err, diag);
	out->bytes = NULL;
	if (!err)
		err = unpack(by, file, room_for(bound, 16 * MIB), out, diag);
	if (err != LB_ENOSPC)
		return err;
	assert_ptr_not_equal(by, &decompress_lz4);
	free(out->bytes);
	return unpack(by, file, 16 * MIB, out, diag);
}

static void what_was_packed_comes_out(void **state)
{
	struct file original = load_file("large");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct file file = load_file(samples[i].file), out;
		struct packed_bytes packed = {file.bytes, file.size};
		struct diag diag;
		uint64_t bound;

		assert_ptr_equal(decompressor_by_magic(packed), samples[i].by);
		assert_ptr_equal(decompressor_by_name(samples[i].by->name), samples[i].by);
		assert_int_equal(decompress_measure(samples[i].by, packed, &bound, &diag), LB_OK);
		assert_true(samples[i].by != &decompress_lz4 || bound >= original.size);
		assert_true(bound <= original.size + 17 * MIB);
		if (samples[i].exact)
			assert_int_equal(bound, original.size);
		assert_int_equal(unpack_measured(samples[i].by, file, &out, &diag), LB_OK);
		assert_int_equal(out.size, original.size);
		assert_memory_equal(out.bytes, original.bytes, original.size);
		free(out.bytes);
		free(file.bytes);
	}
	free(original.bytes);
}

static void more_than_the_room_is_refused(void **state)
{
	struct file original = load_file("large");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const uint64_t rooms[] = {0, 1, 70000, original.size - 1};
		struct file file = load_file(samples[i].file), out;
		struct diag diag;

		for (size_t r = 0; r < ARRAY_SIZE(rooms); r++) {
			assert_int_equal(unpack(samples[i].by, file, rooms[r], &out, &diag),
					 samples[i].by == &decompress_lz4 ? LB_EFORMAT : LB_ENOSPC);
			free(out.bytes);
		}
		free(file.bytes);
	}
	free(original.bytes);
}

/* 50 MB of zeros that say they are 1000 bytes: refused at the thousandth. */
static void a_bomb_ends_where_its_declared_size_does(void **state)
{
	struct file file = load_file("zeros.gz"), out;
	struct packed_bytes packed = {file.bytes, file.size};
	struct diag diag;
	uint64_t bound;

	(void)state;
	memcpy(file.bytes + file.size - 4, "\xe8\x03\0\0", 4);
	assert_int_equal(decompress_gzip.measure(packed, &bound, &diag), LB_OK);
	assert_int_equal(bound, 1000);
	assert_int_equal(unpack(&decompress_gzip, file, bound, &out, &diag), LB_ENOSPC);
	assert_says(&diag, "it holds more than the 1000 bytes that there is room for");
	free(out.bytes);
	assert_int_equal(unpack(&decompress_gzip, file, 64 * MIB, &out, &diag), LB_EFORMAT);
	assert_says(&diag, "damaged");
	free(out.bytes);
	free(file.bytes);
}

/* A zstd frame that does not tell its size, of @count blocks, each a byte repeated @size times (RFC 8878). */
static struct file make_stream(uint32_t count, uint32_t size)
{
	static const uint8_t head[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58}; /* window: 2 MiB */
	struct file file = {malloc(sizeof(head) + 4 * (size_t)count), sizeof(head) + 4 * (size_t)count};
	uint8_t *at = file.bytes;

	assert_non_null(at);
	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	for (uint32_t i = 1; i <= count; i++) {
		const uint32_t word = (i == count) | 1 << 1 | size << 3; /* last, RLE */

		memcpy(at, &word, 3);
		at[3] = (uint8_t)i;
		at += 4;
	}
	return file;
}

/*
 * A packer cuts a stream into blocks as it likes: by their number it would be 6 GiB, and it is 96 KiB. So it
 * is not told; and less room than it takes is told from damage.
 */
static void a_stream_that_does_not_tell_needs_no_more_room_than_it_has(void **state)
{
	static const uint32_t sizes[] = {2, 100 * KIB};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const uint32_t count = i ? 100 : 48 * KIB;
		struct file file = make_stream(count, sizes[i]), out;
		struct packed_bytes packed = {file.bytes, file.size};
		struct diag diag;
		uint64_t bound;

		assert_int_equal(decompress_measure(&decompress_zstd, packed, &bound, &diag), LB_OK);
		assert_int_equal(bound, 0);
		assert_int_equal(unpack(&decompress_zstd, file, count * sizes[i] - 1, &out, &diag),
				 LB_ENOSPC);
		free(out.bytes);
		assert_int_equal(unpack(&decompress_zstd, file, count * sizes[i], &out, &diag), LB_OK);
		assert_int_equal(out.size, count * sizes[i]);
		assert_int_equal(((const uint8_t *)out.bytes)[out.size - 1], (uint8_t)count);
		free(out.bytes);
		free(file.bytes);
	}
}

/* ---- What lies behind ---- */

/* @file with @size bytes more. */
static struct file with_tail(struct file file, const void *tail, size_t size)
{
	struct file longer = {.bytes = malloc(file.size + size), .size = file.size + size};

	assert_non_null(longer.bytes);
	memcpy(longer.bytes, file.bytes, file.size);
	memcpy(longer.bytes + file.size, tail, size);
	return longer;
}

static void behind_it_may_be_zeros_and_linux_length_and_nothing_else(void **state)
{
	static const uint8_t zeros[513], garbage[] = "\x55\xaa garbage, as a badly padded file has it";
	struct file original = load_file("large");
	uint8_t length[8] = {0}, wrong[8] = {0}, late[9] = {[8] = 1};
	const struct {
		const void *bytes;
		size_t size;
		bool good;
	} tails[] = {
		{zeros, 1, true},
		{zeros, 2, true},
		{zeros, 3, true},
		{zeros, 4, true},
		{zeros, 5, true},
		{zeros, 513, true},
		{length, 4, true},
		{length, 5, true},
		{length, 8, true},
		{length, 3, false},
		{length, 2, false},
		{wrong, 4, false},
		{wrong, 8, false},
		{garbage, 1, false},
		{garbage, 3, false},
		{garbage, 4, false},
		{garbage, 5, false},
		{late, 9, false},
		{garbage, sizeof(garbage), false},
	};

	(void)state;
	for (int i = 0; i < 4; i++)
		length[i] = (uint8_t)(original.size >> 8 * i);
	memcpy(wrong, length, sizeof(wrong));
	wrong[0] ^= 1;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct file file = load_file(samples[i].file);

		for (size_t t = 0; t < ARRAY_SIZE(tails); t++) {
			struct file longer = with_tail(file, tails[t].bytes, tails[t].size), out;
			struct diag diag;
			enum lb_err err = unpack_measured(samples[i].by, longer, &out, &diag);

			if (err != (tails[t].good ? LB_OK : LB_EFORMAT))
				fail_msg("%s, tail %zu: %d (%s)", samples[i].file, t, err, diag.text);
			if (tails[t].good) {
				assert_int_equal(out.size, original.size);
				assert_memory_equal(out.bytes, original.bytes, original.size);
			} else if (!strstr(diag.text, "are left over") && !strstr(diag.text, "damaged")) {
				fail_msg("%s, tail %zu: %s", samples[i].file, t, diag.text);
			}
			free(out.bytes);
			free(longer.bytes);
		}
		free(file.bytes);
	}
	free(original.bytes);
}

/* A second part is as good as the first, or the whole is not. */
static void a_second_part_is_unpacked_or_refused(void **state)
{
	struct file original = load_file("large");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct file file = load_file(samples[i].file), twice = with_tail(file, file.bytes, file.size);
		struct file out;
		struct diag diag;

		assert_int_equal(unpack_measured(samples[i].by, twice, &out, &diag), LB_OK);
		assert_int_equal(out.size, 2 * original.size);
		assert_memory_equal(out.bytes + original.size, original.bytes, original.size);
		free(out.bytes);
		memset(twice.bytes + file.size, 0x55, 4);
		assert_int_equal(unpack_measured(samples[i].by, twice, &out, &diag), LB_EFORMAT);
		free(out.bytes);
		free(twice.bytes);
		free(file.bytes);
	}
	free(original.bytes);
}

/* decompress.h: an lz4 frame that wants a dictionary is whole, but not for us. */
static void an_unknown_variant_is_told_apart_from_damage(void **state)
{
	static const uint8_t with_dictionary[] = {0x04, 0x22, 0x4d, 0x18, 0x61, 0x40, 1, 0, 0, 0, 0};
	struct file file = {.bytes = malloc(sizeof(with_dictionary)), .size = sizeof(with_dictionary)}, out;
	struct packed_bytes packed = {file.bytes, file.size};
	struct diag diag;
	uint64_t bound;

	(void)state;
	memcpy(file.bytes, with_dictionary, sizeof(with_dictionary));
	file.bytes[10] =
		(uint8_t)(XXH32(file.bytes + 4, 6, 0) >> 8); /* as lz4frame.h: behind the dictionary's id */
	assert_int_equal(decompress_measure(&decompress_lz4, packed, &bound, &diag), LB_EUNSUPPORTED);
	assert_int_equal(unpack(&decompress_lz4, file, 100, &out, &diag), LB_EUNSUPPORTED);
	free(out.bytes);
	free(file.bytes);
}

static void what_linux_build_appends_is_no_block(void **state)
{
	struct file original = load_file("large"), file = load_file("large.lz4legacy"), out;
	uint8_t size[4];
	struct diag diag;

	(void)state;
	for (int i = 0; i < 4; i++)
		size[i] = (uint8_t)(original.size >> 8 * i);
	file.bytes = realloc(file.bytes, file.size + sizeof(size));
	assert_non_null(file.bytes);
	memcpy(file.bytes + file.size, size, sizeof(size));
	file.size += sizeof(size);
	assert_int_equal(unpack(&decompress_lz4, file, original.size, &out, &diag), LB_OK);
	assert_int_equal(out.size, original.size);
	free(out.bytes);
	free(original.bytes);
	free(file.bytes);
}

/* A legacy file may end at a block's end; any other cut is damage. */
static void a_truncated_file_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct file file = load_file(samples[i].file);
		const size_t sizes[] = {0,
					1,
					3,
					4,
					5,
					6,
					7,
					8,
					10,
					11,
					12,
					15,
					17,
					18,
					19,
					30,
					99,
					4000,
					file.size / 2,
					file.size - 5,
					file.size - 1};

		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			struct file part = cut(file, sizes[s]), out;
			struct packed_bytes packed = {part.bytes, part.size};
			struct diag diag;
			uint64_t bound;
			enum lb_err err = decompress_measure(samples[i].by, packed, &bound, &diag);

			check_diag(err, &diag);
			if (!err &&
			    unpack(samples[i].by, part, room_for(bound, 4 * MIB), &out, &diag) == LB_OK)
				fail_msg("%s cut at %zu unpacks", samples[i].file, sizes[s]);
			if (!err)
				free(out.bytes);
			free(part.bytes);
		}
		free(file.bytes);
	}
}

/*
 * Whatever the bits say, nothing is read or written outside; what has a checksum is not taken for the
 * original.
 */
static void a_flipped_bit_does_no_harm(void **state)
{
	struct file original = load_file("large");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct file file = load_file(samples[i].file);

		srand(1);
		for (int n = 0; n < 60; n++) {
			const size_t limit = n < 30 ? 64 : file.size, at = (size_t)rand() % limit;
			const uint8_t bit = (uint8_t)(1 << rand() % 8);
			struct packed_bytes packed = {file.bytes, file.size};
			struct file out;
			struct diag diag;
			uint64_t bound;
			enum lb_err err;

			file.bytes[at] ^= bit;
			err = decompress_measure(samples[i].by, packed, &bound, &diag);
			check_diag(err, &diag);
			if (!err) {
				(void)unpack(samples[i].by, file, room_for(bound, 4 * MIB), &out, &diag);
				free(out.bytes);
			}
			file.bytes[at] ^= bit;
		}
		free(file.bytes);
	}
	free(original.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(more_than_the_room_is_refused),
		cmocka_unit_test(a_bomb_ends_where_its_declared_size_does),
		cmocka_unit_test(a_stream_that_does_not_tell_needs_no_more_room_than_it_has),
		cmocka_unit_test(behind_it_may_be_zeros_and_linux_length_and_nothing_else),
		cmocka_unit_test(a_second_part_is_unpacked_or_refused),
		cmocka_unit_test(an_unknown_variant_is_told_apart_from_damage),
		cmocka_unit_test(what_linux_build_appends_is_no_block),
		cmocka_unit_test(a_truncated_file_is_refused),
		cmocka_unit_test(a_flipped_bit_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
