// SPDX-License-Identifier: BSD-2-Clause
/* What bench lets die by a call. The debugger hands it the call area; it prepares, and gives up. */
#define LIFEBOAT_CALL_IMPLEMENTATION
#include "client/lifeboat_call.h"

#define STACK 8192

/* a0: the call area. a1: its size. Entered at _start, without paging. */
__asm__(".pushsection .text._start, \"ax\", @progbits\n"
	".globl	_start\n"
	"_start:	la	sp, stack_end\n"
	"	tail	give_up\n"
	".popsection\n");

uint8_t stack[STACK] __attribute__((aligned(16)));
__asm__(".globl stack_end\n.set stack_end, stack + 8192\n");

_Noreturn void give_up(struct crash_call *area, uint64_t size);

_Noreturn void give_up(struct crash_call *area, uint64_t size)
{
	if (!lifeboat_call_check(area, size) &&
	    !lifeboat_call_prepare(area, size, (uintptr_t)area + area->page, 0))
		lifeboat_call_crash(area, area->hart[0], NULL, 0);
	for (;;)
		;
}
