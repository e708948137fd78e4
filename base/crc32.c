// SPDX-License-Identifier: BSD-2-Clause
/*
 * CRC-32, short and long.
 *
 * What is short goes by half bytes, with a table of 64 bytes: 14 instructions a byte. What is long goes by
 * eight bytes, with a table for each place of a byte in them: 5.5 a byte. These tables are 8 KiB, so they
 * are made when they are first needed.
 */
#include "base/crc32.h"

#define POLYNOMIAL 0xedb88320u /* reflected */
#define WORD	   sizeof(uint64_t)
#define LONG	   4096 /* bytes: as long takes making the tables */
#define ROW_BITS   5	/* of WORD entries, in bytes */

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
static uint32_t by_tables(uint32_t state, const uint8_t *data, size_t count)
{
	const uint64_t *word = (const void *)data, *end = word + count;
	const void *rows = table;
	int64_t crc = (int32_t)state;

	if (!table[1][0])
		make_tables();
	for (; word != end; word++) {
		const uint64_t upper = *word, lower = upper ^ (uint64_t)crc;

		crc = effect(rows, lower, 0) ^ effect(rows, lower, 1) ^ effect(rows, lower, 2) ^
		      effect(rows, lower, 3) ^ effect(rows, upper, 4) ^ effect(rows, upper, 5) ^
		      effect(rows, upper, 6) ^ effect(rows, upper, 7);
	}
	return (uint32_t)crc;
}

static uint32_t by_half_bytes(uint32_t crc, const uint8_t *data, size_t size)
{
	static const uint32_t effects[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	while (size--) {
		crc ^= *data++;
		crc = crc >> 4 ^ effects[crc & 15];
		crc = crc >> 4 ^ effects[crc & 15];
	}
	return crc;
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *from = data;
	size_t first = 0, words = 0;

	if (size >= LONG) {
		first = -(uintptr_t)from % WORD;
		words = (size - first) / WORD;
	}
	crc = by_half_bytes(~crc, from, first);
	from += first;
	if (words)
		crc = by_tables(crc, from, words);
	from += words * WORD;
	return ~by_half_bytes(crc, from, size - first - words * WORD);
}
