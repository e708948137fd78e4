/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goes in front of a stage that lies where it can be executed but not written, as in NOR flash: copies it to
 * TARGET and starts it there.
 *
 * In: what firmware hands to any next stage; execution begins at the first byte, at any multiple of 8.
 * Keeps: a0, a1. Leaves: to the copy's first byte, the instruction side synchronised.
 * TARGET, a number, and STAGE, a file of a multiple of 8 bytes, come from the command line.
 */
	.option	norelax
	.globl	_start
_start:
	lla	t0, stage
	lla	t1, stage_end
	li	t2, TARGET
	mv	t3, t2
1:	ld	t4, 0(t0)
	sd	t4, 0(t2)
	addi	t0, t0, 8
	addi	t2, t2, 8
	bltu	t0, t1, 1b
	fence	rw, rw
	fence.i
	jr	t3

	.balign	4096
stage:
	.incbin	STAGE
stage_end:
