// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHA-256 and SHA-512: the bytes into blocks, the last of them padded. The blocks themselves are another's
 * business.
 *
 * (mbedTLS's, which was here, takes 3.8 KB with its own copies of the constants; this and sha2_blocks.c
 * take half.)
 */
#include "kexec/check/sha2.h"

#include <string.h>

#include "kexec/check/sha2_blocks.h"

static const struct sha2_kind kinds[] = {
	{.name = "sha256", .size = 32, .oid = 1, .portable = sha256_blocks},
	{.name = "sha512", .size = 64, .oid = 3, .is_sha512 = true, .portable = sha512_blocks},
};

const struct sha2_kind *sha2_find(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) == length && !memcmp(kinds[i].name, name, length))
			return &kinds[i];
	}
	return NULL;
}

/* The square roots of the first eight primes; SHA-256 begins with the upper halves. */
void sha2_begin(struct sha2 *sha2, const struct sha2_kind *kind)
{
	static const uint64_t roots[8] = {
		0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
		0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
	};

	sha2->kind = kind;
	sha2->blocks = kind->portable;
	sha2->size = 0;
	for (size_t i = 0; i < 8; i++) {
		if (kind->is_sha512)
			sha2->state.dword[i] = roots[i];
		else
			sha2->state.word[i] = (uint32_t)(roots[i] >> 32);
	}
}

/* Whole blocks: at once where they are aligned, else block by block. Return: their bytes. */
static size_t add_blocks(struct sha2 *sha2, const uint8_t *data, size_t size)
{
	const size_t block = 2 * sha2->kind->size, whole = size / block * block;

	if (whole && is_aligned((uintptr_t)data, sizeof(uint64_t))) {
		sha2->blocks(&sha2->state, data, whole / block);
		return whole;
	}
	for (size_t at = 0; at < whole; at += block) {
		memcpy(sha2->rest, data + at, block);
		sha2->blocks(&sha2->state, (const uint8_t *)sha2->rest, 1);
	}
	return whole;
}

void sha2_add(struct sha2 *sha2, const void *data, size_t size)
{
	const size_t block = 2 * sha2->kind->size, used = sha2->size % block;
	const size_t first = used && size >= block - used ? block - used : 0;
	const uint8_t *from = data;
	uint8_t *rest = (uint8_t *)sha2->rest;
	size_t done;

	sha2->size += size;
	if (used && !first) {
		memcpy(rest + used, from, size);
		return;
	}
	if (first) {
		memcpy(rest + used, from, first);
		sha2->blocks(&sha2->state, rest, 1);
	}
	done = first + add_blocks(sha2, from + first, size - first);
	memcpy(rest, from + done, size - done);
}

/* A one, zeros, and how many bits there were, in the last eight bytes of the last block. */
void sha2_end(struct sha2 *sha2, uint8_t *digest)
{
	const size_t block = 2 * sha2->kind->size, length = block / 8, word = sha2->kind->size / 8;
	const uint64_t bits = 8 * sha2->size;
	const size_t used = sha2->size % block;
	uint8_t *rest = (uint8_t *)sha2->rest;

	memset(rest + used, 0, block - used);
	rest[used] = 0x80;
	if (used >= block - length) {
		sha2->blocks(&sha2->state, rest, 1);
		memset(rest, 0, block);
	}
	for (size_t i = 0; i < 8; i++)
		rest[block - 1 - i] = (uint8_t)(bits >> 8 * i);
	sha2->blocks(&sha2->state, rest, 1);
	for (size_t i = 0; i < sha2->kind->size; i++) {
		const uint64_t value =
			sha2->kind->is_sha512 ? sha2->state.dword[i / word] : sha2->state.word[i / word];

		digest[i] = (uint8_t)(value >> 8 * (word - 1 - i % word));
	}
}
