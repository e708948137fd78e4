// SPDX-License-Identifier: BSD-2-Clause
/* CRC-32 as mkimage writes it: four bytes, big-endian. */
#include "base/crc32.h"
#include "kexec/check/verify.h"

static void crc32_begin(union hash_state *state, const struct hash_algo *algo)
{
	(void)algo;
	state->crc32 = 0;
}

static void crc32_add(union hash_state *state, const void *data, size_t size)
{
	state->crc32 = crc32_update(state->crc32, data, size);
}

static void crc32_end(union hash_state *state, uint8_t *digest)
{
	for (int i = 0; i < 4; i++)
		digest[i] = (uint8_t)(state->crc32 >> (24 - 8 * i));
}

const struct hash_algo hash_crc32 = {"crc32", 4, crc32_begin, crc32_add, crc32_end};
