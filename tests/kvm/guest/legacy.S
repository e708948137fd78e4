/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handoff that this project exists to avoid, as the negative control: set stvec to the target, turn
 * translation off under one's own feet, and let the next fetch fault.
 */
	.text
/* legacy_enter(hart id, FDT pa, target pa). Does not return, one way or the other. */
	.globl	legacy_enter
legacy_enter:
	csrw	stvec, a2
	csrw	satp, zero
	.globl	legacy_fetch
legacy_fetch:					/* a virtual address; fetched as a physical one */
	wfi
	j	legacy_fetch
