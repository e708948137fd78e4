/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets share: input taken as numbers, and blocks of exactly a size, so that the sanitizer
 * sees each byte read too many. Checks are cmocka's, which end the program outside of a test:
 * docs/proof.md.
 */
#ifndef LIFEBOAT_TESTS_FUZZ_FUZZ_H
#define LIFEBOAT_TESTS_FUZZ_FUZZ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** What libFuzzer, or replay.c, calls with each input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What is left of an input. */
struct feed {
	const uint8_t *next;
	size_t left;
};

/** The next @bytes of the input as a little-endian number; 0 for those that are not there. */
static inline uint64_t feed_number(struct feed *feed, unsigned bytes)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < bytes && feed->left; i++, feed->left--)
		number |= (uint64_t)*feed->next++ << 8 * i;
	return number;
}

/** A number below @limit, which is not 0, by as many bytes as that takes. */
static inline uint32_t feed_below(struct feed *feed, uint32_t limit)
{
	return (uint32_t)feed_number(feed, limit <= 0x100 ? 1 : limit <= 0x10000 ? 2 : 4) % limit;
}

/** A copy that ends where its heap block ends. */
static inline void *fuzz_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

#endif
