// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHA-256's blocks with Zknh (RISC-V scalar cryptography 1.0), which does each of the four sigma functions in
 * one instruction. They are written by their encodings, since old assemblers do not know their names.
 */
#include "boot/machine/hash_ways.h"
#include "fdt/machine.h"

#define SIGMA(name, number)                                                                        \
	static inline uint32_t name(uint32_t x)                                                    \
	{                                                                                          \
		int64_t y;                                                                         \
		__asm__(".insn i 0x13, 1, %0, %1, " #number : "=r"(y) : "r"((int64_t)(int32_t)x)); \
		return (uint32_t)y;                                                                \
	}
SIGMA(upper_sigma0, 0x100)
SIGMA(upper_sigma1, 0x101)
SIGMA(lower_sigma0, 0x102)
SIGMA(lower_sigma1, 0x103)

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* One round. The working variables change their roles, so that none has to be moved. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                          \
	do {                                                                                      \
		uint32_t t = h + upper_sigma1(e) + (g ^ (e & (f ^ g))) + round_k[i] + round_w[i]; \
		d += t;                                                                           \
		h = t + upper_sigma0(a) + ((a & b) | (c & (a | b)));                              \
	} while (0)

static void make_schedule(uint32_t w[64], const uint8_t *data)
{
	for (size_t i = 0; i < 16; i++)
		w[i] = big_endian(data + 4 * i);
	for (uint32_t *next = w + 16; next < w + 64; next++)
		*next = lower_sigma1(next[-2]) + next[-7] + lower_sigma0(next[-15]) + next[-16];
}

static void add_block(uint32_t state[8], const uint8_t *data)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
		 g = state[6], h = state[7];
	const uint32_t *round_k = k, *round_w;
	uint32_t w[64];

	make_schedule(w, data);
	for (round_w = w; round_w < w + 64; round_w += 8, round_k += 8) {
		ROUND(a, b, c, d, e, f, g, h, 0);
		ROUND(h, a, b, c, d, e, f, g, 1);
		ROUND(g, h, a, b, c, d, e, f, 2);
		ROUND(f, g, h, a, b, c, d, e, 3);
		ROUND(e, f, g, h, a, b, c, d, 4);
		ROUND(d, e, f, g, h, a, b, c, 5);
		ROUND(c, d, e, f, g, h, a, b, 6);
		ROUND(b, c, d, e, f, g, h, a, 7);
	}
	state[0] += a, state[1] += b, state[2] += c, state[3] += d;
	state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void add_blocks(void *state, const uint8_t *data, size_t count)
{
	for (; count; count--, data += 64)
		add_block(state, data);
}

const struct hash_way sha256_zknh = {"sha256", "Zknh", ISA_ZKNH, add_blocks};
