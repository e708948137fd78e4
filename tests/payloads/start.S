/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry of the payloads in C: keeps what the hart held on entry, then main(const struct entry_state *). */
	.section .head, "ax", @progbits
	.option	norvc
	.globl	_start
_start:
	/* RISC-V Image header (boot-image-header.rst); common.h names the fields that programs use. */
	j	save				/* code0 */
	.word	0				/* code1 */
	.dword	0x200000			/* text_offset, as Linux has it */
	.dword	image_size			/* with bss */
	.dword	0				/* flags */
	.word	2				/* version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.word	0x05435352			/* magic2 */
	.word	0
	.globl	image_crc
image_crc:
	.dword	0				/* conftest.py fills it in: of all bytes behind it */

/*
 * No register may change before it is saved, so stval, which nobody promises anything about, holds the
 * first one.
 */
save:
	csrw	stval, t0
	lla	t0, entry_state
	.irp	n, 1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, \n * 8(t0)
	.endr
	csrr	t1, stval
	sd	t1, 5 * 8(t0)
	csrr	t1, satp
	sd	t1, 32 * 8(t0)
	csrr	t1, sie
	sd	t1, 33 * 8(t0)
	csrr	t1, sip
	sd	t1, 34 * 8(t0)
	csrr	t1, sstatus
	sd	t1, 35 * 8(t0)
	csrr	t1, stvec
	sd	t1, 36 * 8(t0)
	csrr	t1, sscratch
	sd	t1, 37 * 8(t0)

	lla	t1, trap
	csrw	stvec, t1
	lla	sp, stack_top
	mv	a0, t0
	call	main
	j	shut_down

	.balign	4
trap:
	lla	sp, stack_top
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	call	trapped

/* Another hart, started by SBI HSM with a1 = a counter: counts itself and stops again. No stack. */
	.balign	4
	.globl	other_hart
other_hart:
	li	t0, 1
	amoadd.w.aqrl zero, t0, (a1)
	li	a6, 1				/* HSM hart_stop */
	li	a7, 0x48534d
	ecall
1:	wfi
	j	1b

	.section .noinit, "aw", @nobits
	.balign	16
entry_state:
	.space	38 * 8
	.balign	16
	.space	16384
stack_top:

/* Bytes that repeat nowhere, so that an image copied with an offset or a hole shows. */
#ifdef FILLER
	.section .rodata.filler, "a", @progbits
	.balign	8
	.set	number, 1
	.rept	FILLER / 8
	.dword	number * 0x9e3779b97f4a7c15
	.set	number, number + 1
	.endr
#endif
