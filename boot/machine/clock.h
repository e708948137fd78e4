/* SPDX-License-Identifier: BSD-2-Clause */
/* The time CSR, where there is one for S-mode. */
#ifndef LIFEBOAT_BOOT_MACHINE_CLOCK_H
#define LIFEBOAT_BOOT_MACHINE_CLOCK_H

#include "base/types.h"

/**
 * Ticks of /cpus timebase-frequency; 0 where S-mode may not read them.
 *
 * That is found out by trying, each time: a trap comes out right behind, where stvec points meanwhile.
 */
static inline uint64_t clock_read(void)
{
	uint64_t ticks = 0, vector;

	__asm__ volatile("	lla %1, 1f\n"
			 "	csrrw %1, stvec, %1\n"
			 "	rdtime %0\n"
			 "	.balign 4\n"
			 "1:	csrw stvec, %1\n"
			 : "+r"(ticks), "=&r"(vector)
			 :
			 : "memory");
	return ticks;
}

#endif
