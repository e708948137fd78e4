// SPDX-License-Identifier: BSD-2-Clause
/*
 * CRC-32 as mkimage writes it: four bytes, big-endian.
 *
 * The portable way goes by eight bytes, with a table for each place of a byte in them: 5.6 instructions a
 * byte, where one table takes 11. Eight tables are 8 KiB, so they are made when they are first needed:
 * that takes as long as 4 KiB of checking.
 */
#include "base/crc32.h"
#include "kexec/check/verify.h"

#define POLYNOMIAL 0xedb88320u /* reflected */
#define WORD	   sizeof(uint64_t)
#define ROW_BITS   5 /* of WORD entries, in bytes */

/* What byte @b does to the CRC when @i more bytes of the word come behind it: constants, made at run time. */
static uint32_t table[256][WORD];
_Static_assert(sizeof(table[0]) == 1 << ROW_BITS, "effect() counts on it");

static void make_tables(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[b][0] = crc;
	}
	for (size_t i = 1; i < WORD; i++) {
		for (size_t b = 0; b < 256; b++)
			table[b][i] = table[b][i - 1] >> 8 ^ table[table[b][i - 1] & 0xff][0];
	}
}

/* Byte @i of the word, shifted to where it is a row's offset at once; with a sign, as RISC-V loads words. */
static int64_t effect(const void *rows, uint64_t word, size_t i)
{
	const uint64_t offset = (i ? word >> (8 * i - ROW_BITS) : word << ROW_BITS) & 0xff << ROW_BITS;
	const int32_t *row = (const void *)((const char *)rows + offset);

	return row[WORD - 1 - i];
}

/* Words as this machine has them: little-endian, as RISC-V. */
static void by_tables(void *state, const uint8_t *data, size_t count)
{
	const uint64_t *word = (const void *)data, *end = word + count;
	const void *rows = table;
	int64_t crc = *(int32_t *)state;

	if (!table[1][0])
		make_tables();
	for (; word != end; word++) {
		const uint64_t upper = *word, lower = upper ^ (uint64_t)crc;

		crc = effect(rows, lower, 0) ^ effect(rows, lower, 1) ^ effect(rows, lower, 2) ^
		      effect(rows, lower, 3) ^ effect(rows, upper, 4) ^ effect(rows, upper, 5) ^
		      effect(rows, upper, 6) ^ effect(rows, upper, 7);
	}
	*(int32_t *)state = (int32_t)crc;
}

static void crc32_begin(union hash_state *state, const struct hash_algo *algo)
{
	(void)algo;
	state->crc32 = UINT32_MAX;
}

/* What is not a whole, aligned word goes the short way, byte by byte. */
static void crc32_add(union hash_state *state, hash_blocks *blocks, const void *data, size_t size)
{
	const uint8_t *from = data;
	size_t first = -(uintptr_t)from % WORD, words;

	first = first < size ? first : size;
	words = (size - first) / WORD;
	state->crc32 = ~crc32_update(~state->crc32, from, first);
	if (words)
		(blocks ? blocks : by_tables)(&state->crc32, from + first, words);
	first += words * WORD;
	state->crc32 = ~crc32_update(~state->crc32, from + first, size - first);
}

static void crc32_end(union hash_state *state, uint8_t *digest)
{
	for (int i = 0; i < 4; i++)
		digest[i] = (uint8_t)(~state->crc32 >> (24 - 8 * i));
}

const struct hash_algo hash_crc32 = {"crc32", 4, crc32_begin, crc32_add, crc32_end};
