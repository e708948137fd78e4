/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trap vector. It has a stack of its own: a stack overflow is one of the traps.
 *
 * In:      any state of the stage; sscratch = top of the trap stack, or 0 if a trap is being handled
 *          tp = the boot context, or 0 before there is one
 * Leaves:  to where trap_handle() says that the boot goes on, if it returns: on an empty stack, as a call
 */
#define SSTATUS_VS 0x600

	.option norelax /* what is laid out here stays as it is */
	.section .text.trap_entry, "ax", @progbits
	.balign	4
	.globl	trap_entry
trap_entry:
	csrrw	sp, sscratch, sp
	beqz	sp, trap_again
	addi	sp, sp, -288			/* struct trap_frame (trap.h) */
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, \n * 8(sp)
	.endr
	csrrw	t0, sscratch, zero		/* the trapped sp; 0 marks that we are in here */
	sd	t0, 2 * 8(sp)
	csrr	t0, sepc
	sd	t0, 0 * 8(sp)
	csrr	t0, scause
	sd	t0, 32 * 8(sp)
	csrr	t0, stval
	sd	t0, 33 * 8(sp)
	csrr	t0, sstatus
	sd	t0, 34 * 8(sp)
	li	t0, SSTATUS_VS			/* a hash by vectors had it on */
	csrc	sstatus, t0
	mv	a0, sp
	mv	a1, tp
	li	s0, 0
	call	trap_handle
	lla	t0, trap_stack_top
	csrw	sscratch, t0
	lla	sp, stack_top
	mv	t0, a0
	mv	a0, tp
	jalr	t0

/* A trap while handling a trap: nothing can be trusted but registers. Switch off, or stand still. */
trap_again:
	li	a0, 0
	li	a1, 0
	li	a6, 0
	li	a7, 0x53525354			/* SRST: shutdown */
	ecall
1:	wfi
	j	1b

/*
 * Built with -Dtraps=stack, a function with an array keeps this word above it, and comes here if it changed.
 * It is no secret, since there is none to be had so early: it catches bugs, not attackers.
 *
 * In:      ra in that function
 * Leaves:  by a trap, which is told from others by this address
 */
	.section .text.__stack_chk_fail, "ax", @progbits
	.balign	4
	.globl	__stack_chk_fail
__stack_chk_fail:
	ebreak

	.section .rodata.__stack_chk_guard, "a", @progbits
	.balign	8
	.globl	__stack_chk_guard
__stack_chk_guard:
	.dword	0x5ac3000a0dffa53c		/* a string that runs over ends at some byte of it */
