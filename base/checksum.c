// SPDX-License-Identifier: BSD-2-Clause
/*
 * Multiply and fold: a product of 128 bits, its halves exclusive-ored. Each bit reaches all others, so
 * that what is flipped in one place is not taken back by the same flip in another, as sums of words would
 * have it.
 */
#include "base/checksum.h"

#define FIRST  UINT64_C(0x9e3779b97f4a7c15) /* odd, with as many ones as zeros; of no other meaning */
#define SECOND UINT64_C(0xd1b54a32d192ed03)
#define STEP   64

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t add_bytes(uint64_t sum, const uint8_t *from, const uint8_t *to)
{
	while (from != to)
		sum = fold(sum ^ *from++, SECOND);
	return sum;
}

static uint64_t add_words(uint64_t sum, const uint64_t *from, const uint64_t *to)
{
	for (; from != to; from += STEP / sizeof(*from)) {
		sum = fold(sum ^ from[0], SECOND ^ from[1]);
		sum = fold(sum ^ from[2], SECOND ^ from[3]);
		sum = fold(sum ^ from[4], SECOND ^ from[5]);
		sum = fold(sum ^ from[6], SECOND ^ from[7]);
	}
	return sum;
}

uint32_t checksum(const void *data, uint64_t size)
{
	const uint8_t *begin = data, *end = begin + size;
	const size_t before = -(uintptr_t)begin % sizeof(uint64_t);
	const uint8_t *words = size < before ? end : begin + before,
		      *rest = end - (size_t)(end - words) % STEP;
	uint64_t sum = add_bytes(FIRST ^ size, begin, words);

	sum = add_words(sum, (const void *)words, (const void *)rest);
	sum = add_bytes(sum, rest, end);
	sum ^= sum >> 32;
	return (uint32_t)sum ? (uint32_t)sum : 1;
}
