/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uint64_t stage_switch(void *dest, const void *source, uint64_t size, uint64_t satp)
 *
 * Copy the stage's changing part and continue in the copy: the stack included, so nothing may be
 * written between the first byte and the switch. Registers only.
 *
 * In:      a0 dest   a1 source   a2 bytes, a multiple of 64   a3 satp, whose tables map this code at
 *          this address, and the source's virtual addresses to the copy
 * Returns: a0 = satp read back
 * Clobbers: a0-a2, t0-t3
 */
	.option norelax /* what is laid out here stays as it is */
	.section .text.stage_switch, "ax", @progbits
	.globl	stage_switch
	.type	stage_switch, @function
stage_switch:
	add	a2, a2, a1
1:	.irp	at, 0, 32
	ld	t0, \at(a1)
	ld	t1, \at + 8(a1)
	ld	t2, \at + 16(a1)
	ld	t3, \at + 24(a1)
	sd	t0, \at(a0)
	sd	t1, \at + 8(a0)
	sd	t2, \at + 16(a0)
	sd	t3, \at + 24(a0)
	.endr
	addi	a1, a1, 64
	addi	a0, a0, 64
	bltu	a1, a2, 1b

	fence.i					/* the copy of the text was stores, too */
	sfence.vma
	csrw	satp, a3
	sfence.vma
	csrr	a0, satp
	ret
	.size	stage_switch, . - stage_switch
