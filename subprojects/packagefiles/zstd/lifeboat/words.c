// SPDX-License-Identifier: BSD-2-Clause
/* Copies of zstd's decoder: most of them are short. */
#include "words.h"

#define FEW 16 /* bytes, for which words are not worth it; a match that is nearer goes by bytes, too */

static void copy_words(uint64_t *to, const uint64_t *from, size_t count)
{
	while (count--)
		*to++ = *from++;
}

/* The first byte lies @shift bits into the word at @from. Words are read whole: no sanitizer likes that. */
__attribute__((no_sanitize("address"))) static void merge_words(uint64_t *to, const uint64_t *from,
								size_t count, unsigned shift)
{
	uint64_t low = *from++;

	while (count--) {
		const uint64_t high = *from++;

		*to++ = low >> shift | high << (64 - shift);
		low = high;
	}
}

void words_copy(uint8_t *to, const uint8_t *from, ptrdiff_t size)
{
	uint8_t *const end = to + size;

	if (size >= FEW && (uintptr_t)to - (uintptr_t)from >= FEW) {
		unsigned shift;
		size_t count;

		while ((uintptr_t)to % 8)
			*to++ = *from++;
		shift = (uintptr_t)from % 8 * 8;
		count = (size_t)(end - to) / 8;
		if (shift)
			merge_words((uint64_t *)to, (const uint64_t *)(from - shift / 8), count, shift);
		else
			copy_words((uint64_t *)to, (const uint64_t *)from, count);
		to += 8 * count;
		from += 8 * count;
	}
	while (to < end)
		*to++ = *from++;
}
