/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of image readers share: reading from exact buffers, and what must hold of every result.
 *
 * Every image lies in a heap block of exactly its size, so that the address sanitizer sees each byte read
 * too many.
 */
#ifndef LIFEBOAT_TESTS_IMAGE_CHECK_H
#define LIFEBOAT_TESTS_IMAGE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/image/image.h"

#define SEED 20240607u

static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Begin a random test. Its seed stands in the output when the test fails. */
static inline uint32_t start_random(void)
{
	print_message("seed %u\n", SEED);
	return SEED;
}

static inline void put(uint8_t *bytes, size_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

static inline void *exact_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, data, size);
	return copy;
}

typedef enum lb_err reader(const void *data, uint64_t size, struct image *image, struct diag *diag);

/* Read from an exact heap block. A failure must come with one line for the person. */
static inline enum lb_err read_exactly(reader *read, const void *data, size_t size, struct image *image)
{
	void *copy = exact_copy(data, size);
	struct diag diag = {""};
	enum lb_err err = read(copy, size, image, &diag);

	if (err) {
		assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
		assert_null(strchr(diag.text, '\n'));
		assert_int_equal(read(copy, size, image, NULL), err);
	}
	free(copy);
	return err;
}

/* What every description must keep, whoever made it; said apart from the code under test. */
static inline void check_image(const struct image *image, uint64_t file_size)
{
	bool entry_found = false;

	assert_in_range(image->segment_count, 1, IMAGE_SEGMENT_MAX);
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segment[i];
		unsigned __int128 end = (unsigned __int128)s->address + s->mem_size;

		assert_true((unsigned __int128)s->offset + s->file_size <= file_size);
		assert_true(s->mem_size > 0 && s->file_size <= s->mem_size);
		assert_true(end <= UINT64_MAX);
		if (i + 1 < image->segment_count)
			assert_true(end <= image->segment[i + 1].address);
		if (!image->fixed)
			assert_true(end <= image->mem_size);
		if (image->entry >= s->address && image->entry - s->address < s->file_size)
			entry_found = true;
	}
	assert_true(entry_found);
	assert_int_equal(image->entry & 1, 0);
	if (!image->fixed)
		assert_true(image->align >= 4096 && (image->align & (image->align - 1)) == 0);
}

#endif
