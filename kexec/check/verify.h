/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes of images, as mkimage writes them: over the bytes that are stored, before anything is unpacked.
 *
 * All hashes of an image are computed in one pass, which can be the pass that copies it. Which algorithms a
 * stage has is a choice of the build (-Dhashes); in which way they are computed depends on the harts.
 */
#ifndef LIFEBOAT_KEXEC_CHECK_VERIFY_H
#define LIFEBOAT_KEXEC_CHECK_VERIFY_H

#include "base/error.h"
#include "kexec/check/sha2.h"

#define IMAGE_HASHES_MAX 4

union hash_state {
	uint32_t crc32; /* inverted */
	struct sha2 sha2;
};

/** One algorithm, by the name that FITs call it. */
struct hash_algo {
	const char *name;
	size_t size; /* of a digest; at most SHA2_SIZE_MAX */
	void (*begin)(union hash_state *state, const struct hash_algo *algo);
	/** @blocks  a way for whole blocks; NULL: the portable one */
	void (*add)(union hash_state *state, hash_blocks *blocks, const void *data, size_t size);
	void (*end)(union hash_state *state, uint8_t *digest);
};

extern const struct hash_algo hash_crc32, hash_sha256, hash_sha512;

/** What an image's node says that its bytes hash to. */
struct image_hashes {
	size_t count;
	struct {
		const struct hash_algo *algo;
		const uint8_t *value; /* algo->size bytes in the bundle */
	} hash[IMAGE_HASHES_MAX];
};

/** A check under way; about 1 KiB, so not for the stack. */
struct verify {
	const struct image_hashes *hashes;
	const struct hash_way *way[IMAGE_HASHES_MAX]; /* NULL: the portable one */
	union hash_state state[IMAGE_HASHES_MAX];
};

/** Does this build check hashes at all? */
bool verify_can(void);

/** The algorithm of this build called @name; NULL if there is none. */
const struct hash_algo *verify_find(const char *name);

/**
 * Begin a check against @hashes, which must stay. With none of them nothing is computed, and all is well.
 *
 * @ways  the best first: the first whose needs @isa (enum machine_isa bits) has is taken.
 *        NULL: only the portable ones
 */
void verify_begin(struct verify *verify, const struct image_hashes *hashes, const struct hash_way *ways,
		  uint32_t isa);

/** Which hashes were begun, and in which way each: "crc32 (Zbc), sha256". Cut to @size bytes. */
void verify_describe(const struct verify *verify, char *out, size_t size);

/** Add the next @size bytes of the image. */
void verify_add(struct verify *verify, const void *data, uint64_t size);

/** Add the next @size bytes while moving them: a memmove() from @source to @dest. */
void verify_move(struct verify *verify, void *dest, const void *source, uint64_t size);

/**
 * End the check.
 *
 * @node  the image's name, for the message
 * Return: LB_OK; LB_EFORMAT a hash is another one.
 */
LB_MUST_CHECK enum lb_err verify_end(struct verify *verify, const char *node, struct diag *diag);

#endif
