/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash of an image as another hart's share of the checks: SHA-2's whole blocks, from the first one on. */
#ifndef LIFEBOAT_KEXEC_CHECK_SHARE_H
#define LIFEBOAT_KEXEC_CHECK_SHARE_H

#include "kexec/check/verify.h"

/** One hart fills it in and gives it away, the other one runs it. Both may be at it at once. */
struct share {
	hash_blocks *blocks; /* these two as the other hart sees addresses */
	const uint8_t *data;
	uint64_t left;	  /* blocks that are not in the state yet */
	size_t block;	  /* bytes of one */
	bool unwanted;	  /* written by who gave it away */
	bool done;	  /* written by who has it: the state is that of all whole blocks */
	struct sha2 sha2; /* of which the other hart uses the state alone */
};

/** Can this be shared? An image with one hash, SHA-2, and @data where whole blocks are read at once. */
bool share_can(const struct image_hashes *hashes, const void *data);

/** Make a share of an image of @size bytes that verify_begin() was called for; its data is left to set. */
void share_make(struct share *share, const struct verify *verify, uint64_t size);

/** Run it, until it is done or unwanted. Context: paging off, too: no absolute addresses but the share's. */
void share_run(struct share *share);

/** Who has it shall leave it, whether it is done or not. */
static inline void share_call_off(struct share *share)
{
	__atomic_store_n(&share->unwanted, true, __ATOMIC_RELAXED);
}

/**
 * Take the share's result into @verify, which was begun anew for the image of @size bytes at @data; only
 * verify_end() is left to call. As long as it is not done this hart does the same by itself, from the first
 * byte on: so a hart that is late, or never comes, costs no more than its share. @share is NULL where nobody
 * else has it.
 *
 * Return: was it done by the other hart?
 */
bool share_take(const struct share *share, struct verify *verify, const void *data, uint64_t size);

#endif
