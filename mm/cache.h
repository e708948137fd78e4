/* SPDX-License-Identifier: BSD-2-Clause */
/* Cutting a range of memory into cache blocks. The instruction that cleans one is the caller's (boot/). */
#ifndef LIFEBOAT_MM_CACHE_H
#define LIFEBOAT_MM_CACHE_H

#include "base/types.h"

/**
 * Call @clean once for each cache block that holds a byte of [@start, @start + @size), in rising order.
 *
 * @block  bytes in a block, a power of two (FDT: riscv,cbom-block-size)
 * @clean  gets the address of the block's first byte
 */
void cache_clean_range(uintptr_t start, size_t size, size_t block, void (*clean)(uintptr_t address));

#endif
