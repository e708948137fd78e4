// SPDX-License-Identifier: BSD-2-Clause
/* What was packed, as bytes: what it begins with, and what may follow it. */
#include "kexec/image/packed.h"

#include <inttypes.h>
#include <string.h>

#define SKIPPABLE_HEAD 8 /* magic and length */

/* The little-endian number of the first four bytes; of fewer if there are no more. */
static uint32_t first_word(struct packed_bytes packed)
{
	const uint8_t *bytes = packed.data;
	uint32_t word = 0;

	for (unsigned i = 0; i < sizeof(word) && i < packed.size; i++)
		word |= (uint32_t)bytes[i] << 8 * i;
	return word;
}

struct packed_bytes packed_behind(struct packed_bytes packed, uint64_t size)
{
	return (struct packed_bytes){(const uint8_t *)packed.data + size, packed.size - size};
}

/* 0x184D2A50 to ...5F, and a length. One that is cut is none: then what follows is told as damaged. */
struct packed_bytes packed_skip(struct packed_bytes packed)
{
	while (packed.size >= SKIPPABLE_HEAD && first_word(packed) >> 4 == 0x184d2a5) {
		const uint64_t length =
			SKIPPABLE_HEAD + (uint64_t)first_word(packed_behind(packed, sizeof(uint32_t)));

		if (length > packed.size)
			break;
		packed = packed_behind(packed, length);
	}
	return packed;
}

bool packed_may_end(struct packed_bytes rest)
{
	const uint8_t *bytes = rest.data;

	for (uint64_t i = sizeof(uint32_t); i < rest.size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

bool packed_ends(struct packed_bytes rest, uint64_t size)
{
	const uint32_t word = first_word(rest);

	return packed_may_end(rest) && (!word || (rest.size >= sizeof(word) && word == (uint32_t)size));
}

bool packed_begins(struct packed_bytes packed, const char *const magic[PACKED_MAGICS])
{
	for (size_t i = 0; i < PACKED_MAGICS && magic[i]; i++) {
		const size_t length = strlen(magic[i]);

		if (packed.size >= length && !memcmp(packed.data, magic[i], length))
			return true;
	}
	return false;
}

enum lb_err packed_left_over(struct packed_bytes rest, const char *format, struct diag *diag)
{
	return diag_fail(diag, LB_EFORMAT,
			 "%s: %" PRIu64 " bytes are left over, and are neither %s nor padding: make it again",
			 format, rest.size, format);
}
