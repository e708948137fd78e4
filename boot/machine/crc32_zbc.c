// SPDX-License-Identifier: BSD-2-Clause
/*
 * CRC-32 by carry-less products (Zbc, Zbkc), whose instructions are written by their encodings: old
 * assemblers do not know them.
 *
 * Bit 0 of a word stands for x^0, as the reflected CRC has it. Then P = 2 * 0xedb88320 + 1 is the
 * polynomial, and the CRC of a word w is w * x^-64 mod P: what is added of P to w, to make its lower 64
 * bits zero, is a multiple by w * P^-1 mod x^64, and the upper half is left. In the same way two words are
 * moved past the next two, which is what makes long runs cheap: 16 bytes take four products that do not
 * wait for each other.
 */
#include "boot/machine/hash_ways.h"

#define P	  UINT64_C(0x1db710641)
#define P_INVERSE UINT64_C(0xb4e5b025f7011641) /* mod x^64 */
#define X_64	  UINT64_C(0xccaa009e)	       /* x^-64 mod P */
#define X_128	  UINT64_C(0xae689191)	       /* x^-128 mod P */

static inline uint64_t product_low(uint64_t a, uint64_t b)
{
	uint64_t product;

	__asm__(".insn r 0x33, 1, 5, %0, %1, %2" : "=r"(product) : "r"(a), "r"(b)); /* clmul */
	return product;
}

static inline uint64_t product_high(uint64_t a, uint64_t b)
{
	uint64_t product;

	__asm__(".insn r 0x33, 3, 5, %0, %1, %2" : "=r"(product) : "r"(a), "r"(b)); /* clmulh */
	return product;
}

static inline uint64_t reduce(uint64_t word)
{
	return product_high(product_low(word, P_INVERSE), P);
}

/* Two words that stand for all before them, and the next two taken in. */
struct pair {
	uint64_t first, second;
};

static inline struct pair go_on(struct pair p, const uint64_t *next)
{
	return (struct pair){product_low(p.first, X_128) ^ product_low(p.second, X_64) ^ next[0],
			     product_high(p.first, X_128) ^ product_high(p.second, X_64) ^ next[1]};
}

void crc32_zbc(void *state, const uint8_t *data, size_t count)
{
	const uint64_t *word = (const void *)data, *end = word + count;
	uint64_t crc = *(uint32_t *)state;

	if (count >= 6) {
		const uint64_t *last = word + (count - 2) / 4 * 4 + 2;
		struct pair p = {crc ^ word[0], word[1]};

		for (word += 2; word != last; word += 4)
			p = go_on(go_on(p, word), word + 2);
		crc = reduce(reduce(p.first) ^ p.second);
	}
	for (; word != end; word++)
		crc = reduce(crc ^ *word);
	*(uint32_t *)state = (uint32_t)crc;
}
