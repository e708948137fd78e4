// SPDX-License-Identifier: BSD-2-Clause
/* SHA-256 and SHA-512 among the hashes of images. */
#include <string.h>

#include "kexec/check/verify.h"

static void sha2_state_begin(union hash_state *state, const struct hash_algo *algo)
{
	sha2_begin(&state->sha2, sha2_find(algo->name, strlen(algo->name)));
}

static void sha2_state_add(union hash_state *state, hash_blocks *blocks, const void *data, size_t size)
{
	if (blocks)
		state->sha2.blocks = blocks;
	sha2_add(&state->sha2, data, size);
}

static void sha2_state_end(union hash_state *state, uint8_t *digest)
{
	sha2_end(&state->sha2, digest);
}

const struct hash_algo hash_sha256 = {"sha256", 32, sha2_state_begin, sha2_state_add, sha2_state_end};
const struct hash_algo hash_sha512 = {"sha512", 64, sha2_state_begin, sha2_state_add, sha2_state_end};
