// SPDX-License-Identifier: BSD-2-Clause
/* mem=, as Linux's arch/riscv/mm/init.c and lib/cmdline.c's memparse() read it. */
#include "kexec/place/limit.h"

#include <string.h>

#define KEY "mem="

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* A number, and a suffix. What is too large is no limit. */
static uint64_t read_size(const char *text)
{
	static const char suffixes[] = "kmgtpe";
	const unsigned base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	const char *suffix;
	uint64_t size = 0;
	unsigned shift;

	for (text += base == 16 ? 2 : 0; digit_of(*text) < base; text++)
		size = size * base + digit_of(*text);
	suffix = *text ? strchr(suffixes, *text | 0x20) : NULL;
	shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
	return size << shift >> shift == size ? size << shift : UINT64_MAX;
}

/* The address up to which there are @size bytes of @ram. */
static paddr_t end_of(const struct region_set *ram, uint64_t size)
{
	for (size_t i = 0; i < ram->count; i++) {
		if (size <= ram->region[i].size)
			return ram->region[i].base + size;
		size -= ram->region[i].size;
	}
	return UINT64_MAX;
}

paddr_t place_limit(const char *bootargs, const struct region_set *ram)
{
	uint64_t least = UINT64_MAX;

	for (const char *word = bootargs; *(word += strspn(word, " "));) {
		const size_t length = strcspn(word, " ");
		const bool is_end = length == 2 && !strncmp(word, "--", 2);
		uint64_t size = UINT64_MAX;

		if (is_end)
			break;
		if (!strncmp(word, KEY, strlen(KEY)))
			size = align_down(read_size(word + strlen(KEY)), PAGE_SIZE);
		least = size && size < least ? size : least;
		word += length;
	}
	return end_of(ram, least);
}
