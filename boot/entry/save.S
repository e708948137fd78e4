/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gcc's -msave-restore calls at the beginning and end of a function, instead of a row of stores and
 * loads in each: 5 % of the stage. (libgcc has them, but Debian's is built for hardware floating point, which
 * can't be linked here.)
 *
 * A function that saves ra and s0 .. s(n-1) calls __riscv_save_n, and jumps to __riscv_restore_n instead of
 * returning. The frame is the smallest multiple of 16 bytes that holds them: ra at its top, then s0, s1 and
 * so on downwards. Two neighbours share a frame, since an odd number of registers leaves room for one more.
 */

/*
 * Save ra and s0 .. s(\n).
 *
 * In:      t0 where to go on   ra the caller's caller
 * Leaves:  sp lower by the frame; all else kept
 */
	.macro	save_upto n, even, odd
	.globl	__riscv_save_\even
	.globl	__riscv_save_\odd
__riscv_save_\even:
__riscv_save_\odd:
	addi	sp, sp, -8 * (\n + 2)
	sd	ra, 8 * (\n + 1)(sp)
	.set	i, 0
	.irp	s, s0,s1,s2,s3,s4,s5,s6,s7,s8,s9,s10
	.if	i <= \n
	sd	\s, 8 * (\n - i)(sp)
	.endif
	.set	i, i + 1
	.endr
	jr	t0
	.endm

/*
 * Take them back, and return.
 *
 * In:      sp as __riscv_save_n left it   a0, a1 the function's result
 * Leaves:  to the caller; sp, ra and s registers as they were; a0, a1 kept
 */
	.macro	restore_upto n, even, odd
	.globl	__riscv_restore_\even
	.globl	__riscv_restore_\odd
__riscv_restore_\even:
__riscv_restore_\odd:
	ld	ra, 8 * (\n + 1)(sp)
	.set	i, 0
	.irp	s, s0,s1,s2,s3,s4,s5,s6,s7,s8,s9,s10
	.if	i <= \n
	ld	\s, 8 * (\n - i)(sp)
	.endif
	.set	i, i + 1
	.endr
	addi	sp, sp, 8 * (\n + 2)
	ret
	.endm

	.section .text.save, "ax", @progbits
	save_upto 0, 0, 1
	save_upto 2, 2, 3
	save_upto 4, 4, 5
	save_upto 6, 6, 7
	save_upto 8, 8, 9
	save_upto 10, 10, 11
	restore_upto 0, 0, 1
	restore_upto 2, 2, 3
	restore_upto 4, 4, 5
	restore_upto 6, 6, 7
	restore_upto 8, 8, 9
	restore_upto 10, 10, 11

/* All twelve: 13 registers leave 8 bytes of 112 unused. */
	.globl	__riscv_save_12
__riscv_save_12:
	addi	sp, sp, -112
	sd	ra, 104(sp)
	.set	i, 96
	.irp	s, s0,s1,s2,s3,s4,s5,s6,s7,s8,s9,s10,s11
	sd	\s, i(sp)
	.set	i, i - 8
	.endr
	jr	t0

	.globl	__riscv_restore_12
__riscv_restore_12:
	ld	ra, 104(sp)
	.set	i, 96
	.irp	s, s0,s1,s2,s3,s4,s5,s6,s7,s8,s9,s10,s11
	ld	\s, i(sp)
	.set	i, i - 8
	.endr
	addi	sp, sp, 112
	ret
