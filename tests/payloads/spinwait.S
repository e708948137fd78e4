/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operating system does that boots by spinwait: all harts enter, the first leads. Each hart must
 * bring its own id, the same FDT, and a clean state; the first to come waits for HARTS of them, PATIENCE
 * looks at most, and prints the verdict.
 */
#define PUTCHAR		1
#define SHUTDOWN	8
#define FDT_MAGIC	0xedfe0dd0		/* as a little-endian load sees it */

	.section .head, "ax", @progbits
	.globl	_start
_start:
	csrr	t0, satp
	csrr	t1, sie
	or	t0, t0, t1
	or	t0, t0, s0			/* registers, by sample */
	or	t0, t0, s11
	or	t0, t0, a2
	or	t0, t0, t6
	bnez	t0, bad
	lwu	t0, 0(a1)
	li	t1, FDT_MAGIC
	bne	t0, t1, bad
	lla	t0, seen			/* one bit for each hart id */
	li	t1, 1
	sll	t1, t1, a0
	amoor.d	t2, t1, (t0)
	and	t2, t2, t1
	bnez	t2, bad				/* two harts with one id */
	lla	t0, arrived
	li	t1, 1
	amoadd.d.aqrl s2, t1, (t0)
	bnez	s2, rest

	li	s3, HARTS
	li	s4, PATIENCE
1:	lla	t0, arrived
	ld	t1, 0(t0)
	bge	t1, s3, 2f
	addi	s4, s4, -1
	bnez	s4, 1b
2:	lla	t0, failed
	ld	t2, 0(t0)
	lla	s0, fail
	bne	t1, s3, say
	bnez	t2, say
	lla	s0, pass
say:
	lbu	a0, 0(s0)
	beqz	a0, off
	li	a7, PUTCHAR
	ecall
	addi	s0, s0, 1
	j	say
off:
	li	a7, SHUTDOWN
	ecall
rest:
	wfi
	j	rest
bad:
	lla	t0, failed
	li	t1, 1
	amoadd.d zero, t1, (t0)
	lla	t0, arrived
	amoadd.d s2, t1, (t0)
	j	rest

pass:	.asciz	"spinwait: PASS\r\n"
fail:	.asciz	"spinwait: FAIL\r\n"
	.balign	8
seen:		.dword	0
arrived:	.dword	0
failed:		.dword	0
