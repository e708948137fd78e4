// SPDX-License-Identifier: BSD-2-Clause
/* SHA-256 and SHA-512: one interface to mbedTLS's two. */
#include "kexec/check/sha2.h"

#include <string.h>

static const struct sha2_kind kinds[] = {
	{.name = "sha256", .size = 32, .oid = 1},
	{.name = "sha512", .size = 64, .oid = 3, .is_sha512 = true},
};

const struct sha2_kind *sha2_find(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) == length && !memcmp(kinds[i].name, name, length))
			return &kinds[i];
	}
	return NULL;
}

/* mbedTLS's functions can fail in accelerators only, and there are none. */
void sha2_begin(struct sha2 *sha2, const struct sha2_kind *kind)
{
	*sha2 = (struct sha2){.kind = kind};
	if (kind->is_sha512)
		mbedtls_sha512_starts(&sha2->state.sha512, 0);
	else
		mbedtls_sha256_starts(&sha2->state.sha256, 0);
}

static size_t block_size(const struct sha2 *sha2)
{
	return sha2->kind->is_sha512 ? SHA2_BLOCK_MAX : SHA2_BLOCK_MAX / 2;
}

static void update(struct sha2 *sha2, const uint8_t *data, size_t size)
{
	if (sha2->kind->is_sha512)
		mbedtls_sha512_update(&sha2->state.sha512, data, size);
	else
		mbedtls_sha256_update(&sha2->state.sha256, data, size);
}

/* mbedTLS counts the bytes in two words, the lower one first. */
static uint64_t bytes_so_far(const struct sha2 *sha2)
{
	const mbedtls_sha256_context *c = &sha2->state.sha256;

	if (sha2->kind->is_sha512)
		return sha2->state.sha512.MBEDTLS_PRIVATE(total)[0];
	return (uint64_t)c->MBEDTLS_PRIVATE(total)[1] << 32 | c->MBEDTLS_PRIVATE(total)[0];
}

static void count_bytes(struct sha2 *sha2, uint64_t more)
{
	const uint64_t total = bytes_so_far(sha2) + more;
	mbedtls_sha256_context *c = &sha2->state.sha256;

	if (sha2->kind->is_sha512) {
		sha2->state.sha512.MBEDTLS_PRIVATE(total)[0] = total;
		return;
	}
	c->MBEDTLS_PRIVATE(total)[0] = (uint32_t)total;
	c->MBEDTLS_PRIVATE(total)[1] = (uint32_t)(total >> 32);
}

/* What is not aligned is taken block by block from where it is. */
static void add_blocks(struct sha2 *sha2, const uint8_t *data, size_t size)
{
	const size_t block = block_size(sha2), step = is_aligned((uintptr_t)data, 8) ? size : block;
	void *state = sha2->kind->is_sha512 ? (void *)sha2->state.sha512.MBEDTLS_PRIVATE(state)
					    : sha2->state.sha256.MBEDTLS_PRIVATE(state);
	uint64_t aligned[SHA2_BLOCK_MAX / 8];

	count_bytes(sha2, size);
	for (; size; size -= step, data += step) {
		if (step == block)
			memcpy(aligned, data, block);
		sha2->blocks(state, step == block ? (const void *)aligned : data, step / block);
	}
}

/* What does not fill a block is mbedTLS's; whole blocks in between need not be. */
void sha2_add(struct sha2 *sha2, const void *data, size_t size)
{
	const size_t block = block_size(sha2), first = -bytes_so_far(sha2) % block;
	const uint8_t *from = data;
	size_t whole;

	if (!sha2->blocks || size < first + block) {
		update(sha2, from, size);
		return;
	}
	whole = (size - first) / block * block;
	update(sha2, from, first);
	add_blocks(sha2, from + first, whole);
	update(sha2, from + first + whole, size - first - whole);
}

void sha2_end(struct sha2 *sha2, uint8_t *digest)
{
	if (sha2->kind->is_sha512)
		mbedtls_sha512_finish(&sha2->state.sha512, digest);
	else
		mbedtls_sha256_finish(&sha2->state.sha256, digest);
}
