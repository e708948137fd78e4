/* SPDX-License-Identifier: BSD-2-Clause */
/* Goes on to TARGET with a0 and a1 as they came: puts the stage at an address that firmware never would. */
	.section .head, "ax", @progbits
	.globl	_start
_start:
	li	t0, TARGET
	jr	t0
