/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: Image header, boot hart, early tables, and into the high half.
 *
 * Everything here lies in the image's first page, which the early tables map both at its virtual
 * and at its physical address, so the switch to paging needs no fault. Until then the code is pc-relative
 * and runs wherever it was loaded, at any multiple of 4 KiB.
 */
#include "mm/layout.h"

#define SBI_EXT_BASE	0x10
#define SBI_BASE_PROBE	3
#define SBI_EXT_HSM	0x48534d
#define SSTATUS_FS_VS	0x6600
#define BOOT_ENTRY_SIZE	64			/* struct boot_entry (entry.h), rounded up to 16 */

	.globl	layout_stage_va			/* for the linker script to compare with its own */
	.equ	layout_stage_va, STAGE_VA

	.section .head, "ax", @progbits
	.option	norvc
	.option norelax
	.globl	_start
/*
 * RISC-V Linux Image header (Linux Documentation/arch/riscv/boot-image-header.rst): QEMU, U-Boot's booti and
 * kexec look at text_offset, image_size, version and magic2.
 */
_start:
	j	entry				/* code0 */
	.word	0				/* code1 */
	.dword	0x200000			/* text_offset: kexec uses it as an alignment */
	.dword	stage_image_size_abs		/* image_size: the file is as long */
	.dword	0				/* flags: little-endian */
	.word	2				/* version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"			/* magic, deprecated */
	.word	0x05435352			/* magic2 "RSC\x05" */
	.word	0				/* no PE header */

/*
 * In:      a0 hart id   a1 FDT pa   satp = 0, S-mode; nothing else is promised
 * Holds:   s0 hart id   s1 FDT pa   s2 instret at entry   s3 is instret readable?   s4 stage pa   s5 levels
 */
	.globl	entry
entry:
	csrw	sie, zero
	li	t0, SSTATUS_FS_VS		/* firmware leaves them on; a hash may want vectors */
	csrc	sstatus, t0
	mv	s0, a0
	mv	s1, a1
	lla	s4, _start

	/* instret, where S-mode may read it: if not, the trap falls through to 1 with s3 = 0. */
	li	s2, 0
	li	s3, 0
	lla	t0, 1f
	csrw	stvec, t0
	rdinstret s2
	li	s3, 1
	.balign	4
1:	lla	t0, early_trap
	csrw	stvec, t0

	/*
	 * Who boots? With HSM firmware starts one hart and we are it. Without, it may have started all at
	 * once: the first to count itself goes on, the others wait in smp_wait (park.S).
	 */
	li	a0, SBI_EXT_HSM
	li	a6, SBI_BASE_PROBE
	li	a7, SBI_EXT_BASE
	ecall
	bnez	a0, lottery
	bnez	a1, won
lottery:
	lla	t0, smp_arrived
	li	t1, 1
	amoadd.w.aqrl t2, t1, (t0)
	beqz	t2, won
	mv	a0, s0
	lla	t0, smp_wait
	jr	t0

won:
	/* bss may hold anything: the file's zeros, or a former life's values. */
	lla	t0, bss_start
	lla	t1, bss_end
1:	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56
	sd	zero, \at(t0)
	.endr
	addi	t0, t0, 64
	bltu	t0, t1, 1b

	lla	sp, stack_top
	addi	sp, sp, -BOOT_ENTRY_SIZE
	sd	s0, 0(sp)
	sd	s1, 8(sp)
	sd	s4, 16(sp)
	sd	s2, 24(sp)
	sd	s3, 32(sp)

	mv	a0, s4
	addi	a1, sp, 40			/* receives early_levels and early_pages */
	li	s0, 0				/* frame pointer: the backtrace ends here */
	call	early_build_tables
	beqz	a0, early_no_tables

	/* On. Code and stack go on at their virtual addresses: STAGE_VA - stage pa further up. */
	li	t0, STAGE_VA
	sub	t0, t0, s4
	lla	t1, high
	add	t1, t1, t0
	sfence.vma
	csrw	satp, a0
	sfence.vma
	csrr	t2, satp
	bne	t2, a0, early_no_paging
	jr	t1

	.balign 4
high:
	add	sp, sp, t0
	lla	t0, trap_entry
	csrw	stvec, t0
	lla	t0, trap_stack_top
	csrw	sscratch, t0
	li	tp, 0				/* the trap handler's context: none yet (trap.S) */
	mv	a0, sp
	call	start				/* does not return */

/*
 * Before there are tables, a log or a trap handler. Each says one line and ends the machine.
 * Context: satp = 0; any stack state.
 */
	.balign	4
early_trap:
	csrr	a1, scause
	csrr	a2, sepc
	csrr	a3, stval
	li	a0, 0
	j	early_die
early_no_tables:
	li	a0, 1
	j	early_die
early_no_paging:
	li	a0, 2
early_die:
	lla	t0, early_halt			/* no loop of traps */
	csrw	stvec, t0
	lla	sp, stack_top
	call	early_fail
	.balign	4
early_halt:
	wfi
	j	early_halt
