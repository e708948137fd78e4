// SPDX-License-Identifier: BSD-2-Clause
/*
 * memmove() and memcpy(), without an unaligned access: not every hart takes these, and firmware that
 * emulates them takes hundreds of instructions for each.
 *
 * picolibc's own go byte by byte where source and destination differ modulo 8, at five instructions a
 * byte: that is a kernel inside a FIT, which mkimage aligns to 4. Here two aligned words are merged into
 * one: 0.7 a byte. Words are read whole that hold at least one byte of the source.
 */
#include <stddef.h>
#include <stdint.h>

#define WORD sizeof(uint64_t)
#define FEW  32 /* bytes, for which words are not worth it */

void *memmove(void *dest, const void *source, size_t size);
void *memcpy(void *dest, const void *source, size_t size);

static void copy_words(uint64_t *to, const uint64_t *from, const uint64_t *end)
{
	for (; end - to >= 12; to += 12, from += 12) {
		const uint64_t a = from[0], b = from[1], c = from[2], d = from[3], e = from[4], f = from[5],
			       g = from[6], h = from[7], i = from[8], j = from[9], k = from[10], l = from[11];

		to[0] = a, to[1] = b, to[2] = c, to[3] = d, to[4] = e, to[5] = f;
		to[6] = g, to[7] = h, to[8] = i, to[9] = j, to[10] = k, to[11] = l;
	}
	while (to != end)
		*to++ = *from++;
}

/* @from is where the first byte lies, @shift bits into its word. */
static void merge_words(uint64_t *to, const uint64_t *from, const uint64_t *end, unsigned shift)
{
	const unsigned back = 64 - shift;
	uint64_t low = *from++;

	for (; end - to >= 4; to += 4, from += 4) {
		const uint64_t a = from[0], b = from[1], c = from[2], d = from[3];

		to[0] = low >> shift | a << back;
		to[1] = a >> shift | b << back;
		to[2] = b >> shift | c << back;
		to[3] = c >> shift | d << back;
		low = d;
	}
	while (to != end) {
		const uint64_t high = *from++;

		*to++ = low >> shift | high << back;
		low = high;
	}
}

static void forwards(uint8_t *to, const uint8_t *from, size_t size)
{
	uint8_t *const end = to + size;

	if (size >= FEW) {
		uint64_t *words;
		unsigned shift;
		size_t bytes;

		while ((uintptr_t)to % WORD)
			*to++ = *from++;
		words = (uint64_t *)to;
		bytes = (size_t)(end - to) / WORD * WORD;
		shift = (uintptr_t)from % WORD * 8;
		if (shift)
			merge_words(words, (const uint64_t *)(from - shift / 8), words + bytes / WORD, shift);
		else
			copy_words(words, (const uint64_t *)from, words + bytes / WORD);
		to += bytes;
		from += bytes;
	}
	while (to != end)
		*to++ = *from++;
}

/* Seldom: a move by less than its size, upwards. */
static void backwards(uint8_t *to, const uint8_t *from, size_t size)
{
	const uint8_t *const begin = to;

	to += size;
	from += size;
	if (!(((uintptr_t)to ^ (uintptr_t)from) % WORD)) {
		while (to != begin && (uintptr_t)to % WORD)
			*--to = *--from;
		for (; to - begin >= (ptrdiff_t)WORD; to -= WORD, from -= WORD)
			((uint64_t *)to)[-1] = ((const uint64_t *)from)[-1];
	}
	while (to != begin)
		*--to = *--from;
}

void *memmove(void *dest, const void *source, size_t size)
{
	if (dest == source) /* libfdt moves blocks to where they are */
		return dest;
	if ((uintptr_t)dest - (uintptr_t)source >= size)
		forwards(dest, source, size);
	else
		backwards(dest, source, size);
	return dest;
}

void *memcpy(void *dest, const void *source, size_t size)
{
	return memmove(dest, source, size);
}
