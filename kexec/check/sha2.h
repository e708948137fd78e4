/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 and SHA-512 (FIPS 180-4), piece by piece. */
#ifndef LIFEBOAT_KEXEC_CHECK_SHA2_H
#define LIFEBOAT_KEXEC_CHECK_SHA2_H

#include "kexec/check/way.h"

#define SHA2_SIZE_MAX  64
#define SHA2_BLOCK_MAX 128

/** One hash of the family, by the name that FITs call it. */
struct sha2_kind {
	const char *name;
	size_t size; /* of a digest; a block has twice as many bytes */
	uint8_t oid; /* the last byte of its object identifier, 2.16.840.1.101.3.4.2.x */
	bool is_sha512;
	hash_blocks *portable;
};

/** A digest that is being made. */
struct sha2 {
	const struct sha2_kind *kind;
	hash_blocks *blocks; /* the portable one, or what is better on this hart */
	uint64_t size;	     /* bytes so far */
	union {
		uint32_t word[8];  /* SHA-256's */
		uint64_t dword[8]; /* SHA-512's */
	} state;
	uint64_t rest[SHA2_BLOCK_MAX / 8]; /* of them, what does not fill a block yet */
};

/** The hash called by the @length characters at @name; NULL if it is none of these. */
const struct sha2_kind *sha2_find(const char *name, size_t length);

/** Begin a digest, in the portable way: sha2->blocks may be set then. */
void sha2_begin(struct sha2 *sha2, const struct sha2_kind *kind);

/** Add @size bytes to it. */
void sha2_add(struct sha2 *sha2, const void *data, size_t size);

/** End it: kind->size bytes into @digest. */
void sha2_end(struct sha2 *sha2, uint8_t *digest);

#endif
