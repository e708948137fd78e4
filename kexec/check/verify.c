// SPDX-License-Identifier: BSD-2-Clause
/* Hashes of images: all of an image's in one pass. */
#include "kexec/check/verify.h"

#include <stdio.h>
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

static const struct hash_way *choose(const struct hash_way *ways, uint32_t isa, const char *hash)
{
	for (; ways && ways->hash; ways++) {
		if (!(ways->needs & ~isa) && !strcmp(ways->hash, hash))
			return ways;
	}
	return NULL;
}

void verify_begin(struct verify *verify, const struct image_hashes *hashes, const struct hash_way *ways,
		  uint32_t isa)
{
	verify->hashes = hashes;
	for (size_t i = 0; i < hashes->count; i++) {
		const struct hash_algo *algo = hashes->hash[i].algo;

		verify->way[i] = choose(ways, isa, algo->name);
		algo->begin(&verify->state[i], algo);
	}
}

void verify_describe(const struct verify *verify, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (size_t i = 0; i < verify->hashes->count && used < size; i++) {
		const struct hash_way *way = verify->way[i];

		used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%s", i ? ", " : "",
					 verify->hashes->hash[i].algo->name, way ? " (" : "",
					 way ? way->name : "", way ? ")" : "");
	}
}

void verify_add(struct verify *verify, const void *data, uint64_t size)
{
	for (size_t i = 0; i < verify->hashes->count; i++) {
		const struct hash_way *way = verify->way[i];

		verify->hashes->hash[i].algo->add(&verify->state[i], way ? way->blocks : NULL, data, size);
	}
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
