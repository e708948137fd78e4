// SPDX-License-Identifier: BSD-2-Clause
/* CRC-32 as mkimage writes it: four bytes, big-endian. */
#include "base/crc32.h"
#include "kexec/check/verify.h"

#define WORD sizeof(uint64_t)

static void crc32_begin(union hash_state *state, const struct hash_algo *algo)
{
	(void)algo;
	state->crc32 = UINT32_MAX;
}

/* @blocks is for whole words at aligned addresses; without it all is the portable one's. */
static void crc32_add(union hash_state *state, hash_blocks *blocks, const void *data, size_t size)
{
	const uint8_t *from = data;
	size_t first = -(uintptr_t)from % WORD, words;

	first = first < size && blocks ? first : size;
	words = (size - first) / WORD;
	state->crc32 = ~crc32_update(~state->crc32, from, first);
	if (words)
		blocks(&state->crc32, from + first, words);
	first += words * WORD;
	state->crc32 = ~crc32_update(~state->crc32, from + first, size - first);
}

static void crc32_end(union hash_state *state, uint8_t *digest)
{
	for (int i = 0; i < 4; i++)
		digest[i] = (uint8_t)(~state->crc32 >> (24 - 8 * i));
}

const struct hash_algo hash_crc32 = {"crc32", 4, crc32_begin, crc32_add, crc32_end};
