/* SPDX-License-Identifier: BSD-2-Clause */
/* Crash records for tests: random ones, and slots encoded byte by byte after docs/abi.md. */
#ifndef LIFEBOAT_TESTS_CRASH_RECORD_ORACLE_H
#define LIFEBOAT_TESTS_CRASH_RECORD_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/crash/record.h"

#define SLOT_AT	   4096 /* the second slot, from the first */
#define SLOT_BYTES 608	/* in use in a slot of version 4 */
#define MEMORY	   8192

static const uint8_t magic_bytes[8] = {'L', 'B', 'r', 'e', 'c', 'o', 'r', 'd'};

/* splitmix64: a number stream that is the same everywhere. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

static inline void fill_random(uint64_t *seed, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)next_random(seed);
}

/* Of the region all but its last 4 MiB, and what is kept before them. */
static inline uint64_t usable_size(const struct crash_record *r)
{
	return r->region_size - 0x400000 - r->kept_room;
}

/* A piece anywhere in a room, or none. */
static inline void random_piece(uint64_t *seed, struct crash_piece *piece, uint64_t base, uint64_t size)
{
	piece->reserved = 0;
	piece->pa = size ? base + below(seed, size) : 0;
	piece->size = size ? below(seed, base + size - piece->pa + 1) : 0;
	if (!piece->size)
		piece->pa = 0;
}

/* A sound record; what stands behind the counts is noise. */
static inline void random_record(uint64_t *seed, struct crash_record *r)
{
	fill_random(seed, (uint8_t *)r, sizeof(*r));
	r->state = (uint32_t)below(seed, 5);
	r->region_base = below(seed, 1 << 20) * 0x200000;
	r->region_size = (below(seed, 512) + 50) * 0x200000;
	r->kept_room = below(seed, 2) ? below(seed, r->region_size / 0x200000 - 49) * 0x200000 : 0;
	r->crash_entry = below(seed, 4) ? r->region_base + below(seed, usable_size(r)) : 0;
	r->lost_count = (uint32_t)below(seed, 17);
	r->piece_count = (uint32_t)below(seed, 7);
	for (uint32_t i = 0; i < r->lost_count; i++)
		r->lost[i] = (struct region){below(seed, UINT64_C(1) << 56), 1 + below(seed, 1 << 30)};
	for (uint32_t i = 0; i < r->piece_count; i++)
		random_piece(seed, &r->piece[i], r->region_base, usable_size(r));
	random_piece(seed, &r->kept, r->region_base + usable_size(r), r->kept_room);
	r->crash_usable = (struct region){below(seed, UINT64_C(1) << 56), below(seed, 1 << 30)};
	r->boot_config = (uint32_t)below(seed, 32);
	r->boot_name[31] = '\0';
}

static inline void put(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* CRC-32 as a long division: high bit first, mirrored at the end. */
static inline uint32_t divide(const uint8_t *bytes, size_t size)
{
	uint32_t rest = UINT32_MAX, mirrored = 0;

	for (size_t i = 0; i < size * 8; i++) {
		uint32_t bit = bytes[i / 8] >> i % 8 & 1;

		rest = rest << 1 ^ ((rest >> 31 ^ bit) ? 0x04c11db7 : 0);
	}
	for (unsigned i = 0; i < 32; i++)
		mirrored |= (rest >> i & 1) << (31 - i);
	return ~mirrored;
}

/* Make the checksum of a slot that uses @size bytes right. */
static inline void seal(uint8_t *slot, uint32_t size)
{
	put(slot + 0x0c, size, 4);
	put(slot + 0x08, divide(slot + 0x0c, size - 0x0c), 4);
}

static inline void put_piece(uint8_t *at, const struct crash_piece *piece)
{
	put(at, piece->pa, 8);
	put(at + 0x08, piece->size, 8);
	put(at + 0x10, piece->sum, 4);
	put(at + 0x14, piece->reserved, 4);
}

static inline void encode(uint8_t *slot, uint32_t generation, const struct crash_record *r)
{
	memcpy(slot, magic_bytes, sizeof(magic_bytes));
	put(slot + 0x10, 4, 4);
	put(slot + 0x14, generation, 4);
	put(slot + 0x18, r->state, 4);
	put(slot + 0x1c, r->attempts, 4);
	put(slot + 0x20, r->region_base, 8);
	put(slot + 0x28, r->region_size, 8);
	put(slot + 0x30, r->map_hash, 8);
	put(slot + 0x38, r->kernel_pa, 8);
	put(slot + 0x40, r->kernel_size, 8);
	put(slot + 0x48, r->crash_entry, 8);
	put(slot + 0x50, r->boots, 8);
	put(slot + 0x58, r->lost_count, 4);
	put(slot + 0x5c, r->piece_count, 4);
	for (unsigned i = 0; i < 16; i++) {
		put(slot + 0x60 + 0x10 * i, r->lost[i].base, 8);
		put(slot + 0x68 + 0x10 * i, r->lost[i].size, 8);
	}
	for (unsigned i = 0; i < 6; i++)
		put_piece(slot + 0x160 + 0x18 * i, &r->piece[i]);
	put(slot + 0x1f0, r->crash_usable.base, 8);
	put(slot + 0x1f8, r->crash_usable.size, 8);
	put(slot + 0x200, r->boot_bundle, 8);
	put(slot + 0x208, r->boot_config, 4);
	put(slot + 0x20c, r->early_deaths, 4);
	put(slot + 0x210, r->boot_demoted, 4);
	put(slot + 0x214, r->boot_confirmed, 4);
	put(slot + 0x218, r->boot_limit, 4);
	put(slot + 0x21c, r->boot_seconds, 4);
	memcpy(slot + 0x220, r->boot_name, 32);
	put(slot + 0x240, r->kept_room, 8);
	put_piece(slot + 0x248, &r->kept);
	seal(slot, SLOT_BYTES);
}

static inline bool same_record(const struct crash_record *a, const struct crash_record *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The retained memory, on the heap so that a byte outside is noticed. */
static inline int make_memory(void **state)
{
	*state = aligned_alloc(4096, MEMORY);
	memset(*state, 0, MEMORY);
	return 0;
}

static inline int free_memory(void **state)
{
	free(*state);
	return 0;
}

static inline bool reads_as(const uint8_t *memory, const struct crash_record *want)
{
	static struct crash_record got;

	return crash_record_read(memory, &got, NULL) == LB_OK && same_record(&got, want);
}

#endif
