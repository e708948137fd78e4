// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHA-2's blocks (FIPS 180-4, section 6), in C for the host: one text for both word sizes. The stage has
 * them in assembly, boot/machine/sha2.S; what tells these two apart is tested in QEMU.
 */
#include "kexec/check/sha2_blocks.h"

/* What tells SHA-256 and SHA-512 apart: the rotations of each sigma function, and the shift of two. */
struct shape {
	unsigned bits, rounds;
	unsigned sum0[3], sum1[3], sigma0[2], sigma1[2], shift0, shift1;
};

static const struct shape shape256 = {
	32, 64, {2, 13, 22}, {6, 11, 25}, {7, 18}, {17, 19}, 3, 10,
};
static const struct shape shape512 = {
	64, 80, {28, 34, 39}, {14, 18, 41}, {1, 8}, {19, 61}, 7, 6,
};

/* (All is inlined with a constant shape, so that its members cost nothing.) */
#define SPECIAL static inline __attribute__((always_inline))

SPECIAL uint64_t cut(struct shape s, uint64_t x)
{
	return s.bits == 64 ? x : (uint32_t)x;
}

SPECIAL uint64_t ror(struct shape s, uint64_t x, unsigned n)
{
	return cut(s, x >> n | x << (s.bits - n));
}

SPECIAL uint64_t sum(struct shape s, const unsigned n[3], uint64_t x)
{
	return ror(s, x, n[0]) ^ ror(s, x, n[1]) ^ ror(s, x, n[2]);
}

SPECIAL uint64_t sigma(struct shape s, const unsigned n[2], unsigned shift, uint64_t x)
{
	return ror(s, x, n[0]) ^ ror(s, x, n[1]) ^ x >> shift;
}

SPECIAL uint64_t big_endian(const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;

	for (size_t i = 0; i < size; i++)
		word = word << 8 | bytes[i];
	return word;
}

/* The round's word of the schedule, which takes the place of the one of 16 rounds before. */
SPECIAL uint64_t schedule(struct shape s, uint64_t w[16], unsigned round, const uint8_t *data)
{
	uint64_t *word = &w[round % 16];

	if (round < 16)
		*word = big_endian(data + round * s.bits / 8, s.bits / 8);
	else
		*word = cut(s, *word + sigma(s, s.sigma1, s.shift1, w[(round + 14) % 16]) +
				       w[(round + 9) % 16] +
				       sigma(s, s.sigma0, s.shift0, w[(round + 1) % 16]));
	return *word;
}

/* The eight words of @v after a block. */
SPECIAL void add_block(struct shape s, uint64_t v[8], const uint8_t *data)
{
	uint64_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7], w[16];

	for (unsigned i = 0; i < s.rounds; i++) {
		const uint64_t t = h + sum(s, s.sum1, e) + (g ^ (e & (f ^ g))) +
				   (sha2_constants[i] >> (64 - s.bits)) + schedule(s, w, i, data);
		const uint64_t u = sum(s, s.sum0, a) + ((a & b) | (c & (a | b)));

		h = g, g = f, f = e, e = cut(s, d + t);
		d = c, c = b, b = a, a = cut(s, t + u);
	}
	v[0] += a, v[1] += b, v[2] += c, v[3] += d, v[4] += e, v[5] += f, v[6] += g, v[7] += h;
}

void sha256_blocks(void *state, const uint8_t *data, size_t count)
{
	uint32_t *word = state;

	for (; count; count--, data += 64) {
		uint64_t v[8];

		for (size_t i = 0; i < 8; i++)
			v[i] = word[i];
		add_block(shape256, v, data);
		for (size_t i = 0; i < 8; i++)
			word[i] = (uint32_t)v[i];
	}
}

void sha512_blocks(void *state, const uint8_t *data, size_t count)
{
	for (; count; count--, data += 128)
		add_block(shape512, state, data);
}
