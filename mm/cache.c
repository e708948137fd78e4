// SPDX-License-Identifier: BSD-2-Clause
/* Cutting a range of memory into cache blocks. */
#include "mm/cache.h"

void cache_clean_range(uintptr_t start, size_t size, size_t block, void (*clean)(uintptr_t address))
{
	uintptr_t last;

	if (!size || !is_power_of_two(block))
		return;
	last = align_down(start + (size - 1), block);
	for (uintptr_t at = align_down(start, block); at < last; at += block)
		clean(at);
	clean(last);
}
