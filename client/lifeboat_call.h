/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calling the crash kernel, from any S-mode system: RTOS, hypervisor, unikernel, bare metal. No C library, no
 * stack when it counts. docs/integration.md has an example; this is the whole library. In one C file:
 *
 *     #define LIFEBOAT_CALL_IMPLEMENTATION
 *     #include "client/lifeboat_call.h"          (with -I to lifeboat's tree)
 *
 * and without the #define wherever it is used. The compiler may want memset() and memcpy(), as it may
 * everywhere.
 *
 * In good times: find the call area (the property lifeboat,crash-call of the node compatible with
 * "lifeboat,crash-region"), map it, map its trampoline page once more as code, lifeboat_call_prepare(). In
 * bad times: lifeboat_call_crash() on the hart that gives up, lifeboat_call_report() on the others.
 */
#ifndef LIFEBOAT_CLIENT_LIFEBOAT_CALL_H
#define LIFEBOAT_CLIENT_LIFEBOAT_CALL_H

/* In the caller's program these are lifeboat_*, so that they can't clash with functions of its own. */
#define crash_call_sum	       lifeboat_call_sum
#define crash_call_init	       lifeboat_call_init
#define crash_call_add_hart    lifeboat_call_add_hart
#define crash_call_check       lifeboat_call_check
#define crash_call_prepare     lifeboat_call_prepare
#define crash_call_save	       lifeboat_call_save
#define crash_call_has_note    lifeboat_call_has_note
#define crash_call_note_offset lifeboat_call_note_offset
#define trampoline_build       lifeboat_trampoline_build
#define trampoline_arm	       lifeboat_trampoline_arm
#define pagetable_init	       lifeboat_pagetable_init
#define pagetable_map	       lifeboat_pagetable_map
#define pagetable_satp	       lifeboat_pagetable_satp
#define pagetable_is_canonical lifeboat_pagetable_is_canonical
#define pagetable_mode_name    lifeboat_pagetable_mode_name

#include "kexec/crash/area.h"

/**
 * Give up: save this hart's registers as a note and go to the crash kernel. Does not return.
 *
 * Context: any. Paging on or off, as it was prepared; interrupts on or off; any hart; no stack is used, stvec
 * and sscratch are taken. What goes wrong (an area that is not prepared or damaged, a trap) ends in a reset
 * of the machine, by which the crash kernel comes as well. If another hart was first, this one reports and
 * stops.
 * @area   where the area is mapped: the address that lifeboat_call_prepare() was given
 * @hart   this hart's id; a hart that has no slot saves no note, and so does one that says -1
 * @regs   what to save, in Linux' order (struct pt_regs will do); NULL: the registers as they are, pc = ra
 * @flags  CRASH_CALL_RESET_FIRST, CRASH_CALL_CHECK_ALL, CRASH_CALL_MUST_STOP, or 0
 */
_Noreturn void lifeboat_call_crash(struct crash_call *area, uint64_t hart, const struct crash_call_regs *regs,
				   uint64_t flags);

/**
 * Another hart gave up: save this hart's registers as a note, and stop this hart by SBI HSM. Does not return.
 *
 * Context: any, as for lifeboat_call_crash(). Call it from the handler of the IPI that the first hart sends.
 */
_Noreturn void lifeboat_call_report(struct crash_call *area, uint64_t hart,
				    const struct crash_call_regs *regs);

#endif

#if defined(LIFEBOAT_CALL_IMPLEMENTATION) && !defined(LIFEBOAT_CALL_IMPLEMENTED)
#define LIFEBOAT_CALL_IMPLEMENTED

#include "kexec/crash/area.c"
#include "kexec/leave/trampoline.c"
#include "mm/pagetable.c"

/* clang-format off */
#define LIFEBOAT_TEXT(x)	 #x
#define LIFEBOAT_EQU(name, number) "\t.equ\t.L" #name ", " LIFEBOAT_TEXT(number) "\n"

/**
 * Both calls. Registers: a0 area, a1 hart, a2 regs, a3 flags, or -1 for a report. t0 is saved in sscratch
 * first, so that with no regs given all registers are as they came; only t0 and a2, which is 0 then, may be
 * used until they are in the note. A note counts from its first word on, the name's size, which is written
 * last.
 *
 * stvec leads to where to go on: a trap before the area is known to be there resets the machine; one while
 * saving (bad regs) costs the note and nothing else.
 */
__asm__(
	LIFEBOAT_EQU(at_harts, CRASH_CALL_AT_HARTS)
	LIFEBOAT_EQU(at_notes_va, CRASH_CALL_AT_NOTES_VA)
	LIFEBOAT_EQU(at_self, CRASH_CALL_AT_SELF)
	LIFEBOAT_EQU(at_block, CRASH_CALL_AT_BLOCK)
	LIFEBOAT_EQU(at_sum, CRASH_CALL_AT_SUM)
	LIFEBOAT_EQU(at_made, CRASH_CALL_AT_MADE)
	LIFEBOAT_EQU(at_page_va, CRASH_CALL_AT_PAGE_VA)
	LIFEBOAT_EQU(at_entry, CRASH_CALL_AT_ENTRY)
	LIFEBOAT_EQU(slot_shift, CRASH_CALL_SLOT_SHIFT)
	LIFEBOAT_EQU(sum_basis, FNV_BASIS)
	LIFEBOAT_EQU(sum_prime, FNV_PRIME)
	LIFEBOAT_EQU(made, CRASH_CALL_MADE_NUMBER)

	".pushsection .text.lifeboat_call, \"ax\", @progbits\n"
	".option	push\n"
	".option	norelax\n"

	"# t0 = the note slot of hart a1, made vacant; to \\none if there is none\n"
	".macro	lifeboat_slot temp, none\n"
	"	addi	t0, a0, .Lat_harts - 8\n"
	"91:	addi	t0, t0, 8\n"
	"	ld	\\temp, 0(t0)\n"
	"	addi	\\temp, \\temp, 1		# the list ends with -1, which is no hart's id\n"
	"	beqz	\\temp, \\none\n"
	"	addi	\\temp, \\temp, -1\n"
	"	bne	\\temp, a1, 91b\n"
	"	addi	t0, t0, -.Lat_harts\n"
	"	sub	t0, t0, a0\n"
	"	slli	t0, t0, .Lslot_shift - 3\n"
	"	ld	\\temp, .Lat_notes_va(a0)\n"
	"	add	t0, t0, \\temp\n"
	"	sw	zero, 4(t0)\n"
	".endm\n"

	"	.globl	lifeboat_call_report, lifeboat_call_crash\n"
	"	.type	lifeboat_call_report, @function\n"
	"	.type	lifeboat_call_crash, @function\n"
	"	.balign	4\n"
	"lifeboat_call_report:\n"
	"	li	a3, -1\n"
	"lifeboat_call_crash:\n"
	"	csrci	sstatus, 2		# interrupts off\n"
	"	bnez	a2, 1f\n"
	"	csrw	sscratch, t0\n"
	"1:	lla	t0, 8f\n"
	"	csrw	stvec, t0\n"
	"	ld	t0, .Lat_self(a0)\n"
	"	bne	t0, a0, 8f		# not prepared, or not here\n"
	"	lla	t0, 5f\n"
	"	csrw	stvec, t0\n"
	"	bnez	a2, 2f\n"

	"	lifeboat_slot a2, 5f		# the registers as they are; pc = ra\n"
	"	sd	ra, 136(t0)\n"
	"	.irp	n, 1,2,3,4\n"
	"	sd	x\\n, 136 + 8 * \\n(t0)\n"
	"	.endr\n"
	"	csrr	a2, sscratch\n"
	"	sd	a2, 136 + 8 * 5(t0)\n"
	"	.irp	n, 6,7,8,9,10,11,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	sd	x\\n, 136 + 8 * \\n(t0)\n"
	"	.endr\n"
	"	sd	zero, 136 + 8 * 12(t0)\n"
	"	j	4f\n"

	"2:	lifeboat_slot t1, 5f		# those that were given\n"
	"	li	t2, 0\n"
	"	li	t5, 256\n"
	"3:	add	t3, a2, t2\n"
	"	ld	t3, 0(t3)\n"
	"	add	t4, t0, t2\n"
	"	sd	t3, 136(t4)\n"
	"	addi	t2, t2, 8\n"
	"	bltu	t2, t5, 3b\n"

	"4:	li	t1, 376			# the note's head; its first word last\n"
	"	sw	t1, 8(t0)\n"
	"	li	t1, 1\n"
	"	sw	t1, 12(t0)\n"
	"	li	t1, 0x45524f43		# \"CORE\"\n"
	"	sw	t1, 16(t0)\n"
	"	sw	zero, 20(t0)\n"
	"	sw	a1, 56(t0)\n"
	"	fence	rw, rw\n"
	"	li	t1, 5\n"
	"	sw	t1, 4(t0)\n"
	"	lwu	t1, .Lat_block(a0)\n"
	"	beqz	t1, 5f\n"
	"	addi	t2, t0, 1 << .Lslot_shift\n"
	"1:	.insn	i 0x0f, 2, x0, t0, 1	# cbo.clean: a reset must not cost the note\n"
	"	add	t0, t0, t1\n"
	"	bltu	t0, t2, 1b\n"

	"	.balign	4\n"
	"5:	lla	t0, 8f			# the note is there, or can't be had\n"
	"	csrw	stvec, t0\n"
	"	li	t0, 1 << 24		# SDT: a trap led here? the next is no double one\n"
	"	csrc	sstatus, t0\n"
	"	fence	rw, rw\n"
	"	bltz	a3, 7f\n"
	"	mv	t0, a0			# is what is used from here on as it was prepared?\n"
	"	addi	t1, a0, .Lat_sum\n"
	"	li	t2, .Lsum_basis\n"
	"	li	t3, .Lsum_prime\n"
	"1:	ld	t4, 0(t0)\n"
	"	xor	t2, t2, t4\n"
	"	mul	t2, t2, t3\n"
	"	addi	t0, t0, 8\n"
	"	bltu	t0, t1, 1b\n"
	"	ld	t4, 0(t1)\n"
	"	bne	t2, t4, 8f\n"
	"	li	t1, .Lmade\n"
	"	addi	t0, a0, .Lat_made\n"
	"	amoswap.d.aqrl t2, t1, (t0)\n"
	"	beq	t2, t1, 7f		# another hart was first\n"
	"	lwu	t1, .Lat_block(a0)\n"
	"	beqz	t1, 6f\n"
	"	.insn	i 0x0f, 2, x0, t0, 1\n"
	"	fence	rw, rw\n"
	"6:	ld	t0, .Lat_page_va(a0)	# norelocate, in the trampoline page\n"
	"	ld	a2, .Lat_entry(a0)\n"
	"	mv	a0, a1\n"
	"	mv	a1, a3\n"
	"	li	t3, 0			# pass one\n"
	"	fence.i\n"
	"	jr	t0\n"

	"7:	li	a7, 0x48534d		# HSM hart_stop\n"
	"	li	a6, 1\n"
	"	ecall\n"
	"	j	9f\n"

	"	.balign	4\n"
	"8:	li	a7, 0x53525354		# SRST, for a system failure: warm, else cold\n"
	"	li	a6, 0\n"
	"	li	a0, 2\n"
	"	li	a1, 1\n"
	"	ecall\n"
	"	li	a0, 1\n"
	"	li	a1, 1\n"
	"	ecall\n"
	"9:	wfi\n"
	"	j	9b\n"
	"	.size	lifeboat_call_crash, . - lifeboat_call_crash\n"
	".purgem	lifeboat_slot\n"
	".option	pop\n"
	".popsection\n");
/* clang-format on */

#endif
