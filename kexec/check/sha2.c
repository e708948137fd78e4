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

/* What does not fill a block is mbedTLS's; whole blocks in between are not. */
static void add_sha256(struct sha2 *sha2, const uint8_t *data, size_t size)
{
	mbedtls_sha256_context *c = &sha2->state.sha256;
	size_t first = -c->MBEDTLS_PRIVATE(total)[0] % SHA256_BLOCK, whole;
	uint64_t total;

	if (!sha2->blocks || size < first + SHA256_BLOCK) {
		mbedtls_sha256_update(c, data, size);
		return;
	}
	whole = align_down(size - first, SHA256_BLOCK);
	mbedtls_sha256_update(c, data, first);
	sha2->blocks(c->MBEDTLS_PRIVATE(state), data + first, whole / SHA256_BLOCK);
	total = ((uint64_t)c->MBEDTLS_PRIVATE(total)[1] << 32 | c->MBEDTLS_PRIVATE(total)[0]) + whole;
	c->MBEDTLS_PRIVATE(total)[0] = (uint32_t)total;
	c->MBEDTLS_PRIVATE(total)[1] = (uint32_t)(total >> 32);
	mbedtls_sha256_update(c, data + first + whole, size - first - whole);
}

void sha2_add(struct sha2 *sha2, const void *data, size_t size)
{
	if (sha2->kind->is_sha512)
		mbedtls_sha512_update(&sha2->state.sha512, data, size);
	else
		add_sha256(sha2, data, size);
}

void sha2_end(struct sha2 *sha2, uint8_t *digest)
{
	if (sha2->kind->is_sha512)
		mbedtls_sha512_finish(&sha2->state.sha512, digest);
	else
		mbedtls_sha256_finish(&sha2->state.sha256, digest);
}
