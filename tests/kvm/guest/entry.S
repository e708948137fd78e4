/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that turns paging on at a virtual address that is mapped and a physical one that is not, and then
 * leaves that address space again (handoff.c). Linked at its virtual address; runs at both, pc-relative.
 */
#include "mm/layout.h"

	.section .head, "ax", @progbits
	.option	norvc
	.globl	_start
/* In: satp = 0, S-mode; nothing else is promised. */
_start:
	csrw	sie, zero
	lla	sp, stack_top
	call	prepare			/* returns a satp */

	/* On. The next fetch, at a physical address that the tables do not have, faults to `high`. */
	li	t0, STAGE_VA
	lla	t1, _start
	sub	t0, t0, t1
	lla	t2, high
	add	t2, t2, t0
	csrw	stvec, t2
	sfence.vma
	csrw	satp, a0
	lla	a0, refused			/* the hart lacks the mode: satp did not change */
	call	fail

	.balign	4
high:
	add	sp, sp, t0
	csrw	scause, zero			/* so that what is found there later is the way out's */
	csrw	sepc, zero
	csrw	stval, zero
	call	leave				/* by ENTER */

/* Where both ways lead. In: satp = 0, pc = the physical address of this label; stack and registers lost. */
	.balign	4
	.globl	target
target:
	auipc	a0, 0
	csrr	a1, satp
	csrr	a2, scause
	csrr	a3, sepc
	lla	sp, stack_top
	call	arrived

	.section .rodata, "a", @progbits
refused:
	.asciz	"handoff: refused\n"

	.section .bss.stack, "aw", @nobits
	.balign	16
	.space	8192
stack_top:
