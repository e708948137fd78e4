/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FNV-1a, the 64-bit hash: tells things apart that differ by accident, not by malice.
 *
 * Its values are in memory that outlives a reset, so they are fixed: docs/abi.md. Here whole, for programs
 * without a library: client/lifeboat_call.h.
 */
#ifndef LIFEBOAT_BASE_FNV_H
#define LIFEBOAT_BASE_FNV_H

#include "base/types.h"

/* Plain numbers: the assembler part of the client knows them, too. */
#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

/** Go on from @hash, FNV_BASIS at first, with one more unit: a byte or, faster, a word. */
static inline uint64_t fnv_update(uint64_t hash, uint64_t unit)
{
	return (hash ^ unit) * FNV_PRIME;
}

/** Go on from @hash with @size bytes, one by one. */
static inline uint64_t fnv_update_bytes(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = fnv_update(hash, bytes[i]);
	return hash;
}

#endif
