// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hashes that several harts compute at once, an image each.
 *
 * share_run() may run with paging off: all that it touches is the share, the image, and the stack.
 */
#include "kexec/check/share.h"

/* Bytes between two looks at what the other side says: hardly any time for the slowest hart. */
#define STEP UINT64_C(16384)

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

bool share_can(const struct image_hashes *hashes, const void *data)
{
	return hashes->count == 1 && hashes->hash[0].algo->size > sizeof(uint32_t) && /* no CRC-32 */
	       is_aligned((uintptr_t)data, sizeof(uint64_t));
}

void share_make(struct share *share, const struct verify *verify, uint64_t size)
{
	const struct hash_way *way = verify->way[0];
	const struct sha2 *sha2 = &verify->state[0].sha2;
	const size_t block = 2 * sha2->kind->size;

	share->blocks = way ? way->blocks : sha2->blocks;
	share->left = size / block;
	share->block = block;
	share->unwanted = share->done = false;
	share->sha2 = *sha2;
	share->sha2.size = size / block * block;
}

void share_run(struct share *share)
{
	while (share->left && !__atomic_load_n(&share->unwanted, __ATOMIC_RELAXED)) {
		const uint64_t count = at_most(share->left, STEP / share->block);

		share->blocks(&share->sha2.state, share->data, count);
		share->data += count * share->block;
		share->left -= count;
	}
	if (!share->left)
		__atomic_store_n(&share->done, true, __ATOMIC_RELEASE);
}

static bool is_done(const struct share *share)
{
	return share && __atomic_load_n(&share->done, __ATOMIC_ACQUIRE);
}

bool share_take(const struct share *share, struct verify *verify, const void *data, uint64_t size)
{
	const uint64_t step = share ? STEP : size;
	const uint8_t *from = data;
	uint64_t at;

	for (at = 0; at < size && !is_done(share); at += step)
		verify_add(verify, from + at, at_most(size - at, step));
	if (at >= size)
		return false;
	at = share->sha2.size;
	verify->state[0].sha2 = share->sha2;
	verify_add(verify, from + at, size - at);
	return true;
}
