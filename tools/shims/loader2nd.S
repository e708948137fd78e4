/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LOADER_2ND of a Sophgo fip: a header of 32 bytes, loaded with what follows to RUN, and entered right
 * behind itself, which is no page boundary. The stage wants one, so it begins on the next page.
 *
 * In: what firmware hands to any next stage, at RUN + 0x20. Keeps every register. Leaves: to the stage. The
 * packer, fiptool, recognises "BL33" and fills in checksum and size. RUN, a multiple of 4096, and STAGE, a
 * file, come from the command line.
 */
	.option	norvc
	.option	norelax
	.globl	_start
_start:
	j	entry
	.ascii	"BL33"
	.word	0 /* checksum */
	.word	0 /* size */
	.quad	RUN
	.quad	0
entry:
	j	stage

	.balign	4096
stage:
	.incbin	STAGE
