/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * norelocate: leave the stage and enter a payload, in two passes over the same page.
 *
 * The page is mapped twice by the trampoline tables: where it runs now (VA -> PA) and where it lies
 * (PA -> PA). Pass one, at the virtual address, installs those tables and jumps to the physical
 * alias of this very code. Pass two, already at VA = PA, scrubs the hart, turns translation off and
 * goes to the payload. The next instruction is mapped, at every instruction; nothing relies on a fault,
 * so a guest under two-stage translation lives through it (docs/trampoline.md).
 *
 * The page touches no memory but itself: pass one reads its two words below before the switch.
 */

/* sstatus: SIE, SPIE, UBE, VS, FS, SUM, MXR, SPELP, SDT; the reserved ones ignore the write. */
#define SSTATUS_SCRUB	0x018c6662
#define SSTATUS_SPP	0x00000100
#define SBI_EXT_TIME	0x54494d45

	/* The linker script gives it a page of its own: an alignment here would count as a page of code. */
	.option	norelax
	.section .trampoline, "ax", @progbits
	.globl	trampoline_start
trampoline_start:

/*
 * In:      a0 hart id   a1 FDT pa   a2 entry pa   t3 0, or on the second pass the pa of this label
 * Keeps:   a0 a1
 * Leaves:  pc = a2, satp = 0, sie = 0, stvec = norelocate_park (pa), FS = VS = off, SIE = SUM = MXR = 0,
 *          no timer and no soft interrupt pending, instruction fetches see all earlier stores,
 *          x1-x9 and x12-x31 zero
 * Context: interrupts off, other harts not in the stage, trampoline_arm() done for this page
 */
	.globl	norelocate
	.type	norelocate, @function
norelocate:
	auipc	t0, 0				/* own pc: which pass is it? */
	beq	t0, t3, norelocate_pass_two

	/*
	 * Pass one. A trap from here on parks the hart, in this page. Table stores come before the fence; the
	 * switch is fenced on both sides.
	 */
	lla	t1, norelocate_park
	csrw	stvec, t1
	ld	t1, norelocate_satp
	ld	t3, norelocate_pa
	sfence.vma
	csrw	satp, t1
	sfence.vma
	jr	t3

	.globl	norelocate_pass_two
norelocate_pass_two:
	/* First, that nothing can trap or be interrupted into the stage any more. */
	csrw	sie, zero
	lla	t0, norelocate_park
	csrw	stvec, t0
	li	t0, SSTATUS_SCRUB
	csrc	sstatus, t0

	/* The timer is the firmware's: setting it to never also clears a pending STIP. */
	mv	s0, a0
	mv	s1, a1
	li	a0, -1
	li	a6, 0
	li	a7, SBI_EXT_TIME
	ecall
	mv	a0, s0
	mv	a1, s1
	csrw	sip, zero			/* SSIP, the only bit that S-mode may clear */

	/* Enter by sret: it takes the address from sepc, so that no register is left holding it. */
	csrw	sepc, a2
	csrw	sscratch, zero
	csrw	scause, zero
	csrw	stval, zero
	li	t0, SSTATUS_SPP
	csrs	sstatus, t0

	/* The last stores were the payload's code. Then translation goes, at VA = PA. */
	fence.i
	csrw	satp, zero
	sfence.vma

	.irp	n, 1,2,3,4,5,6,7,8,9,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	li	x\n, 0
	.endr
	sret
	.size	norelocate, . - norelocate

/* A trap before the payload has its own vector ends here: quietly, without touching memory. */
	.balign	4
	.globl	norelocate_park
norelocate_park:
	wfi
	j	norelocate_park

/* Written by trampoline_arm() into the copy that will run, before that becomes read-only. In this order. */
	.balign	8
	.globl	norelocate_satp
norelocate_satp:
	.dword	0
	.globl	norelocate_pa
norelocate_pa:
	.dword	0
	.globl	trampoline_end
trampoline_end:

/*
 * norelocate_enter(hart id, FDT pa, entry pa): begin pass one. Does not return.
 *
 * t3 = 0 and the jump stand together here, so that no compiler can come between them.
 */
	.section .text.norelocate_enter, "ax", @progbits
	.globl	norelocate_enter
	.type	norelocate_enter, @function
norelocate_enter:
	lla	t0, norelocate
	li	t3, 0
	jr	t0
	.size	norelocate_enter, . - norelocate_enter
