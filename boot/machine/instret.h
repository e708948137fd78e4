/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting instructions. On QEMU they are exact with -icount, and host time otherwise. */
#ifndef LIFEBOAT_BOOT_MACHINE_INSTRET_H
#define LIFEBOAT_BOOT_MACHINE_INSTRET_H

#include "base/types.h"

/** Instructions retired so far; 0 where S-mode may not read them (head.S tries once and remembers). */
static inline uint64_t instret_read(bool usable)
{
	uint64_t count = 0;

	if (usable)
		__asm__ volatile("rdinstret %0" : "=r"(count) : : "memory");
	return count;
}

#endif
