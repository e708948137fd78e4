/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-2's blocks, in the way that any RV64 hart can, and the constants that all ways share. */
#ifndef LIFEBOAT_KEXEC_CHECK_SHA2_BLOCKS_H
#define LIFEBOAT_KEXEC_CHECK_SHA2_BLOCKS_H

#include "kexec/check/way.h"

/**
 * The first 64 bits of the fractional parts of the cube roots of the first 80 primes: SHA-512's constants.
 * Their upper halves are SHA-256's, for its 64 rounds.
 */
extern const uint64_t sha2_constants[80];

/** Blocks of 64 bytes into eight words of 32 bits, and of 128 bytes into eight of 64. */
hash_blocks sha256_blocks, sha512_blocks;

#endif
