/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that outlives a reset in the crash region: is it text, and how long? Layout in docs/abi.md. */
#ifndef LIFEBOAT_KEXEC_CRASH_TEXT_H
#define LIFEBOAT_KEXEC_CRASH_TEXT_H

#include "base/types.h"

#define CRASH_TEXT_MAGIC UINT64_C(0x316c7478655442ff) /* no text begins like that */

struct crash_text {
	uint64_t magic;
	uint64_t size;	/* bytes of text */
	uint64_t check; /* magic ^ size: a torn header is no header */
	char text[];
};

/** Say that @size bytes of text are complete. Until then the old header stands, or none. */
static inline void crash_text_finish(struct crash_text *text, uint64_t size)
{
	text->magic = CRASH_TEXT_MAGIC;
	text->size = size;
	text->check = CRASH_TEXT_MAGIC ^ size;
}

/** How many bytes of text are there, in a place of @room bytes? 0: none. */
static inline uint64_t crash_text_size(const struct crash_text *text, uint64_t room)
{
	if (text->magic != CRASH_TEXT_MAGIC || text->check != (text->magic ^ text->size) ||
	    text->size > room - sizeof(*text))
		return 0;
	return text->size;
}

#endif
