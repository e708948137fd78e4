/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where harts wait that firmware without HSM started together with the boot hart. They never turn paging
 * on and have no stack: all is pc-relative, at whatever place of the stage they run.
 *
 * smp_wait spins where the stage was loaded, until smp_mailbox tells the physical address of smp_park in
 * the stage's new place. smp_park spins there until smp_release_entry tells where the payload begins, and
 * leaves by pass two, which is at home at a physical address.
 */
	.option norelax /* what is laid out here stays as it is */
	.section .text.smp_wait, "ax", @progbits
/* In: a0 hart id; satp = 0, sie = 0.  Leaves: to smp_park with a0 as it was. */
	.globl	smp_wait
smp_wait:
	lla	t0, smp_mailbox
1:	.4byte	0x0100000f			/* pause (Zihintpause): a hint elsewhere */
	ld	t1, 0(t0)
	beqz	t1, 1b
	fence	rw, rw
	fence.i
	jr	t1

/* In: a0 hart id.  Leaves: to the payload, as norelocate does. */
	.globl	smp_park
smp_park:
	lla	t0, smp_parked
	li	t1, 1
	amoadd.d.aqrl zero, t1, (t0)
	lla	t0, smp_release_entry
1:	.4byte	0x0100000f			/* pause */
	ld	a2, 0(t0)
	beqz	a2, 1b
	fence	rw, rw
	lla	t1, smp_release_fdt
	ld	a1, 0(t1)
	lla	t0, smp_left
	li	t1, 1
	amoadd.d.aqrl zero, t1, (t0)
	lla	t0, norelocate_pass_two
	jr	t0

/* In .data, not .bss: harts count here before anybody has cleared bss. */
	.section .data.smp, "aw", @progbits
	.balign	8
	.globl	smp_mailbox, smp_parked, smp_release_entry, smp_release_fdt, smp_left, smp_arrived
smp_mailbox:		.dword	0
smp_parked:		.dword	0
smp_release_entry:	.dword	0
smp_release_fdt:	.dword	0
smp_left:		.dword	0
smp_arrived:		.word	0
