/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goes on to the stage at STAGE with a1 = FDT: what firmware never hands over, the tests can. OpenSBI
 * starts it with a0 = hart id and an FDT that is good, and that nobody looks at.
 */
	.section .head, "ax", @progbits
	.globl	_start
_start:
	li	a1, FDT
	li	t0, STAGE
	jr	t0
