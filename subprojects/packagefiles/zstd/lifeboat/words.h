/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words from any address and copies of any length, by aligned accesses alone: what zstd's decoder does all the
 * time, and what a compiler makes of bytes where accesses must be aligned. For little-endian machines of 64 bits.
 */
#ifndef LIFEBOAT_ZSTD_WORDS_H
#define LIFEBOAT_ZSTD_WORDS_H

#include <stddef.h>
#include <stdint.h>

/** The word at @at: of one aligned word, or of two that both hold bytes of it. */
static inline uint64_t words_read64(const void *at)
{
	const unsigned shift = (uintptr_t)at % 8 * 8;
	const uint64_t *word = (const uint64_t *)((uintptr_t)at & ~(uintptr_t)7);

	return shift ? word[0] >> shift | word[1] << (64 - shift) : word[0];
}

/** The same, of four bytes: the second word may be no memory if the first has them all. */
static inline uint32_t words_read32(const void *at)
{
	const unsigned shift = (uintptr_t)at % 8 * 8;
	const uint64_t *word = (const uint64_t *)((uintptr_t)at & ~(uintptr_t)7);

	return (uint32_t)(shift > 32 ? word[0] >> shift | word[1] << (64 - shift) : word[0] >> shift);
}

/** Copy @size bytes (none, if it is negative) in ascending order: a match may reach into its own copy. */
void words_copy(uint8_t *to, const uint8_t *from, ptrdiff_t size);

#endif
