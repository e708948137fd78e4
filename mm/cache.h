/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting a range of memory into cache blocks. The instruction that cleans one is the caller's (boot/), and
 * is inlined, four to a turn: two and a half instructions a block, not nine. Arming cleans half a million of
 * them.
 */
#ifndef LIFEBOAT_MM_CACHE_H
#define LIFEBOAT_MM_CACHE_H

#include "base/types.h"

/**
 * Call @clean once for each cache block that holds a byte of [@start, @start + @size), in rising order.
 *
 * @block  bytes in a block, a power of two (FDT: riscv,cbom-block-size)
 * @clean  gets the address of the block's first byte
 */
__attribute__((always_inline)) static inline void
cache_clean_range(uintptr_t start, size_t size, size_t block, void (*clean)(uintptr_t address))
{
	uintptr_t at, last;

	if (!size || !is_power_of_two(block))
		return;
	at = align_down(start, block);
	last = align_down(start + (size - 1), block);
	for (; last - at >= 4 * block; at += 4 * block) {
		clean(at);
		clean(at + block);
		clean(at + 2 * block);
		clean(at + 3 * block);
	}
	for (; at != last; at += block)
		clean(at);
	clean(last);
}

#endif
