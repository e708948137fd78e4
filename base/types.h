/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer types for addresses, and the arithmetic on them that must not overflow.
 *
 * Everything includes this file; it includes only the C library.
 */
#ifndef LIFEBOAT_BASE_TYPES_H
#define LIFEBOAT_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A physical address. Names of variables that hold one end in _pa where it is not plain. */
typedef uint64_t paddr_t;
/** A virtual address, as a number. */
typedef uint64_t vaddr_t;

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

/** The base page of RISC-V's paging, and the smallest unit that the stage places. */
#define PAGE_SIZE  (4 * KIB)
#define PAGE_SHIFT 12

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/** Round @x down to a multiple of @align, a power of two. */
static inline uint64_t align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

/**
 * Round @x up to a multiple of @align, a power of two.
 *
 * Return: false, with *@out unchanged, if the result does not fit 64 bits.
 */
static inline bool align_up(uint64_t x, uint64_t align, uint64_t *out)
{
	uint64_t sum;

	if (__builtin_add_overflow(x, align - 1, &sum))
		return false;
	*out = align_down(sum, align);
	return true;
}

/** Is @x a multiple of @align, a power of two? */
static inline bool is_aligned(uint64_t x, uint64_t align)
{
	return (x & (align - 1)) == 0;
}

/** Is exactly one bit of @x set? */
static inline bool is_power_of_two(uint64_t x)
{
	return x && (x & (x - 1)) == 0;
}

/** Is [@base, @base + @size) a range that ends at or below 2^64 - 1? Empty ranges are fine. */
static inline bool range_is_valid(uint64_t base, uint64_t size)
{
	return size <= UINT64_MAX - base;
}

/** Does [@base, @base + @size) lie inside [0, @limit)? The usual bound of an offset into a file. */
static inline bool range_fits(uint64_t base, uint64_t size, uint64_t limit)
{
	return base <= limit && size <= limit - base;
}

/** Do two valid ranges share a byte? An empty range shares none. */
static inline bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

#endif
