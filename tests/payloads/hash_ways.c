// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs the ways to compute hashes that are for RISC-V alone: by each a digest of the digests of 0 to
 * SIZES bytes, and what it costs. Must lie where it is linked to, since a table of pointers is what is
 * tested.
 */
#include "boot/machine/hash_ways.h"
#include "common.h"
#include "kexec/check/sha2_blocks.h"

#define SIZES 300
#define LONG  65536

union state {
	uint32_t word[8];
	uint64_t dword[8];
};

struct kind {
	size_t block; /* bytes */
	bool is_crc, is_sha512;
};

/* The ways of any hart, where these are assembly. */
static const struct hash_way rv64[] = {{"sha256", "RV64", 0, sha256_blocks},
				       {"sha512", "RV64", 0, sha512_blocks}};
static uint64_t pattern[LONG / 8], padded[1 + (SIZES + 256) / 8];

/* A hart's vector registers, if it has any: eight at a time, of at most 1024 bits. */
#define SSTATUS_VS (3 << 9)
static uint64_t vectors[8 * 1024 / 64];

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("hash_ways: trap %x at %x, stval %x", scause, sepc, stval);
	shut_down();
}

static struct kind kind_of(const struct hash_way *way)
{
	const bool is_crc = is_same(way->hash, "crc32"), is_sha512 = is_same(way->hash, "sha512");

	return (struct kind){is_crc ? 8 : is_sha512 ? 128 : 64, is_crc, is_sha512};
}

/* SHA-256 begins with the upper halves of what SHA-512 begins with. */
static void begin(union state *state, struct kind kind)
{
	static const uint64_t roots[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
					  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
					  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

	for (size_t i = 0; i < 8; i++) {
		if (kind.is_sha512)
			state->dword[i] = roots[i];
		else
			state->word[i] = kind.is_crc ? UINT32_MAX : (uint32_t)(roots[i] >> 32);
	}
}

/* Of a CRC whole words only, of SHA-2 as in FIPS 180-4, section 5.1. Return: the blocks. */
static size_t pad(uint8_t *bytes, size_t size, struct kind kind)
{
	const size_t blocks = kind.is_crc ? size / 8 : (size + kind.block / 8 + kind.block) / kind.block;

	for (size_t i = 0; i < blocks * kind.block; i++)
		bytes[i] = i < size ? ((const uint8_t *)pattern)[i] : 0;
	if (!kind.is_crc) {
		bytes[size] = 0x80;
		bytes[blocks * kind.block - 2] = (uint8_t)(8 * size >> 8);
		bytes[blocks * kind.block - 1] = (uint8_t)(8 * size);
	}
	return blocks;
}

/* FNV-1a of the states' words, each as eight bytes, the lowest first. */
static uint64_t mix(uint64_t hash, const union state *state, struct kind kind)
{
	for (size_t i = 0; i < (kind.is_crc ? 1 : 8); i++) {
		uint64_t word = kind.is_sha512 ? state->dword[i] : state->word[i];

		for (int byte = 0; byte < 8; byte++, word >>= 8)
			hash = (hash ^ (word & 0xff)) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* A way that used vectors turned them off again, and left nothing in them. */
static void check_vectors(const struct hash_way *way)
{
	uint64_t left = 0;

	if (CSR_READ(sstatus) & SSTATUS_VS)
		say("hash_ways: %s %s leaves vectors on", way->hash, way->name);
	__asm__ volatile("csrs sstatus, %0" ::"r"(SSTATUS_VS));
	if (!(CSR_READ(sstatus) & SSTATUS_VS))
		return;
#define OR_8_FROM(n)                                                                                       \
	__asm__ volatile(".insn r 0x27, 0, 0x71, x" #n ", %0, x8" ::"r"(vectors) : "memory"); /* vs8r.v */ \
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)                                  \
		left |= vectors[i];
	OR_8_FROM(0)
	OR_8_FROM(8)
	OR_8_FROM(16)
	OR_8_FROM(24)
	if (left)
		say("hash_ways: %s %s leaves something in vectors", way->hash, way->name);
	__asm__ volatile("csrc sstatus, %0" ::"r"(SSTATUS_VS));
}

static void try(const struct hash_way *way)
{
	const struct kind kind = kind_of(way);
	uint64_t hash = UINT64_C(0xcbf29ce484222325), cost;
	union state state;

	for (size_t size = 0; size <= SIZES; size++) {
		uint8_t *bytes = (uint8_t *)(padded + size % 2); /* aligned to 8, and to no more */
		const size_t blocks = pad(bytes, size, kind);

		begin(&state, kind);
		way->blocks(&state, bytes, blocks);
		hash = mix(hash, &state, kind);
	}
	cost = CSR_READ(instret);
	way->blocks(&state, (const uint8_t *)pattern, LONG / kind.block);
	cost = CSR_READ(instret) - cost;
	say("hash_ways: %s %s digest %x, %u instructions", way->hash, way->name, hash, cost);
	check_vectors(way);
}

void main(const struct entry_state *entry)
{
	(void)entry;
	__asm__ volatile("csrc sstatus, %0" ::"r"(SSTATUS_VS)); /* firmware leaves them on */
	for (size_t i = 0; i < LONG; i++)
		((uint8_t *)pattern)[i] = (uint8_t)(i * 37 ^ i >> 3);
	for (const struct hash_way *way = hash_ways; way->hash; way++)
		try(way);
	for (size_t i = 0; i < sizeof(rv64) / sizeof(rv64[0]); i++)
		try(&rv64[i]);
	shut_down();
}
