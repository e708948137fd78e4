/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash entry: a dying system's norelocate jumps here, in the resident stage, by physical address. It
 * never turns paging on, so all is pc-relative; the stage's own stack is free, and at hand.
 */
	.section .text.crash_entry, "ax", @progbits
/*
 * In:      a0 hart id   a1 flags   satp = 0, sie = 0, interrupts off: as norelocate leaves a hart
 * Leaves:  to the crash kernel, by this stage's own norelocate; or by a reset
 */
	.balign	4
	.globl	crash_entry
crash_entry:
	lla	t0, crash_entry_trap
	csrw	stvec, t0
	lla	sp, stack_top
	li	s0, 0				/* frame pointer: the backtrace ends here */
	mv	s1, a0
	call	crash_entry_decide
	mv	a2, a1
	mv	a1, a0
	mv	a0, s1
	lla	t3, norelocate			/* at home at a physical address: pass two */
	jr	t3

	.balign	4
crash_entry_trap:
	lla	sp, stack_top
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	lla	t0, crash_entry_halt		/* no loop of traps */
	csrw	stvec, t0
	call	crash_entry_trapped
	.balign	4
crash_entry_halt:
	wfi
	j	crash_entry_halt
