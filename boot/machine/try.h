/* SPDX-License-Identifier: BSD-2-Clause */
/* Trying one instruction that may trap. */
#ifndef LIFEBOAT_BOOT_MACHINE_TRY_H
#define LIFEBOAT_BOOT_MACHINE_TRY_H

#include "base/types.h"

/**
 * Define static bool @name(address, value): try @what, an instruction that firmware may keep from S-mode, or
 * an access that may fault. In it %2 is the address, %3 the value. Return: did it not trap?
 *
 * The trap's return address is lost, so stvec leads behind it: what it leaves in sstatus is what a stage
 * without interrupts has, anyway.
 */
#define TRY(name, what)                                        \
	static bool name(uintptr_t address, uint64_t value)    \
	{                                                      \
		uint64_t stvec, done;                          \
                                                               \
		__asm__ volatile("lla	%0, 1f\n\t"              \
				 "csrrw	%0, stvec, %0\n\t"     \
				 "li	%1, 0\n\t" what "\n\t" \
				 "fence	iorw, iorw\n\t"        \
				 "li	%1, 1\n\t"                \
				 ".balign 4\n"                 \
				 "1:\n\t"                      \
				 "csrw	stvec, %0"              \
				 : "=&r"(stvec), "=&r"(done)   \
				 : "r"(address), "r"(value)    \
				 : "memory");                  \
		return done;                                   \
	}

#endif
