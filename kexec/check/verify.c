// SPDX-License-Identifier: BSD-2-Clause
/* Hashes of images: all of an image's in one pass. */
#include "kexec/check/verify.h"

#include <string.h>

/* So much is hashed and then moved in one go that it is still in the first cache when it is moved. */
#define MOVE_CHUNK (16 * KIB)

/* A choice of the build (meson.build), NULL at the end. */
static const struct hash_algo *const algos[] = {HASHES NULL};

bool verify_can(void)
{
	return algos[0] != NULL;
}

const struct hash_algo *verify_find(const char *name)
{
	for (size_t i = 0; algos[i]; i++) {
		if (!strcmp(algos[i]->name, name))
			return algos[i];
	}
	return NULL;
}

void verify_begin(struct verify *verify, const struct image_hashes *hashes)
{
	verify->hashes = hashes;
	for (size_t i = 0; i < hashes->count; i++)
		hashes->hash[i].algo->begin(&verify->state[i], hashes->hash[i].algo);
}

void verify_accelerate(struct verify *verify, sha256_blocks *blocks)
{
	for (size_t i = 0; i < verify->hashes->count; i++) {
		if (!strcmp(verify->hashes->hash[i].algo->name, "sha256"))
			verify->state[i].sha2.blocks = blocks;
	}
}

void verify_add(struct verify *verify, const void *data, uint64_t size)
{
	for (size_t i = 0; i < verify->hashes->count; i++)
		verify->hashes->hash[i].algo->add(&verify->state[i], data, size);
}

void verify_move(struct verify *verify, void *dest, const void *source, uint64_t size)
{
	const bool backwards = (uintptr_t)dest - (uintptr_t)source < size; /* must begin at the end */
	const char *from = source;
	char *to = dest;

	if (!verify->hashes->count || backwards) {
		verify_add(verify, source, size);
		memmove(dest, source, size);
		return;
	}
	while (size) {
		uint64_t chunk = size < MOVE_CHUNK ? size : MOVE_CHUNK;

		verify_add(verify, from, chunk);
		memmove(to, from, chunk);
		from += chunk;
		to += chunk;
		size -= chunk;
	}
}

enum lb_err verify_end(struct verify *verify, const char *node, struct diag *diag)
{
	uint8_t digest[SHA2_SIZE_MAX];

	for (size_t i = 0; i < verify->hashes->count; i++) {
		const struct hash_algo *algo = verify->hashes->hash[i].algo;

		algo->end(&verify->state[i], digest);
		if (memcmp(digest, verify->hashes->hash[i].value, algo->size) != 0)
			return diag_fail(
				diag, LB_EFORMAT,
				"bundle: the %s of image '%.40s' does not match its bytes: it is damaged, "
				"copy it again",
				algo->name, node);
	}
	return LB_OK;
}
