/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways in which a hash can be computed: the portable one, and those that want more of the harts. */
#ifndef LIFEBOAT_KEXEC_CHECK_WAY_H
#define LIFEBOAT_KEXEC_CHECK_WAY_H

#include "base/types.h"

/**
 * Take @count whole blocks at @data, which is aligned to 8, into @state: SHA-2's eight words, or a CRC-32
 * (its blocks are words of 8 bytes), inverted.
 */
typedef void hash_blocks(void *state, const uint8_t *data, size_t count);

/** A way that only some harts have. In a table the last row has no hash. */
struct hash_way {
	const char *hash; /* the name of its algorithm, as FITs call it */
	const char *name; /* for the log: the extension that it lives on */
	uint32_t needs;	  /* enum machine_isa bits: all of them */
	hash_blocks *blocks;
};

#endif
