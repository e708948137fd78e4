/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware as old as SBI 0.1, for QEMU's virt machine: -bios starts here, in M-mode, on every hart. It starts
 * all of them at once in S-mode at NEXT and answers two legacy calls: putchar and shutdown. No BASE, no HSM.
 */
#define UART		0x10000000
#define UART_LSR	5
#define UART_IDLE	0x20
#define FINISHER	0x100000
#define FINISH_PASS	0x5555
#define ECALL_FROM_S	9
#define NOT_SUPPORTED	-2

	.section .head, "ax", @progbits
	.globl	_start
/* In: a0 hart id   a1 FDT, as QEMU's reset vector gives them. */
_start:
	lla	t0, trap
	csrw	mtvec, t0
	lla	t0, saved			/* 64 bytes for each hart */
	slli	t1, a0, 6
	add	t0, t0, t1
	csrw	mscratch, t0

	li	t0, -1				/* S-mode may touch everything and read every counter */
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	li	t0, -1
	csrw	mcounteren, t0
	li	t0, 0xb1ff			/* S-mode handles its own exceptions, but not its ecalls */
	csrw	medeleg, t0
	li	t0, 0x222
	csrw	mideleg, t0

	li	t0, 0x1800
	csrc	mstatus, t0
	li	t0, 0x0800			/* MPP = S */
	csrs	mstatus, t0
	li	t0, NEXT
	csrw	mepc, t0
	mret

	.balign	4
trap:
	csrrw	sp, mscratch, sp
	sd	t0, 0(sp)
	sd	t1, 8(sp)
	csrr	t0, mcause
	li	t1, ECALL_FROM_S
	bne	t0, t1, stuck
	li	t0, 1
	beq	a7, t0, putchar
	li	t0, 8
	beq	a7, t0, shutdown
	li	a0, NOT_SUPPORTED
	j	leave
putchar:
	li	t0, UART
1:	lbu	t1, UART_LSR(t0)
	andi	t1, t1, UART_IDLE
	beqz	t1, 1b
	sb	a0, 0(t0)
	li	a0, 0
leave:
	csrr	t0, mepc
	addi	t0, t0, 4
	csrw	mepc, t0
	ld	t0, 0(sp)
	ld	t1, 8(sp)
	csrrw	sp, mscratch, sp
	mret
shutdown:
	li	t0, FINISHER
	li	t1, FINISH_PASS
	sw	t1, 0(t0)
stuck:
	wfi
	j	stuck

	.balign	64
saved:
	.space	64 * 16
