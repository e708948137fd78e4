/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a hart enters that was started by HSM for a share of the checks (boot/smp.c). It never turns paging
 * on: all is pc-relative, but for what its share says.
 */
#define SBI_EXT_HSM	0x48534d
#define SBI_HSM_STOP	1
#define SSTATUS_FS_VS	0x6600

	.option norelax /* what is laid out here stays as it is */
	.section .text.smp_help, "ax", @progbits
/*
 * In:      a0 hart id   a1 physical address of its struct share, right above its stack   satp = 0, S-mode,
 *          interrupts off
 * Leaves:  to firmware, by HSM's stop; after a trap, too: then the share is not done
 */
	.balign	4
	.globl	smp_help
smp_help:
	fence.i					/* the stage was copied here by another hart */
	lla	t0, 1f
	csrw	stvec, t0
	li	t0, SSTATUS_FS_VS		/* firmware leaves them on; a hash may want vectors */
	csrc	sstatus, t0
	mv	sp, a1
	mv	a0, a1
	call	share_run
	.balign	4
1:	li	a6, SBI_HSM_STOP
	li	a7, SBI_EXT_HSM
	ecall					/* does not return */
	wfi
	j	1b
