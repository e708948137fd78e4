/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The call area: what the stage tells any S-mode system that wants to call the crash kernel by itself, and
 * where such a caller leaves registers. docs/abi.md has the layout for readers; client/lifeboat_call.h is the
 * callers' door.
 *
 * The stage writes the area when it arms the record. Then it is the caller's: it builds trampoline tables in
 * the pool for where it has mapped the trampoline page, and writes notes when it dies. Nothing that the stage
 * relies on is in here: the entry keeps what it needs in memory of its own, and takes notes only if they are
 * whole.
 *
 * Shared with programs that have no C library: only the compiler's own headers.
 */
#ifndef LIFEBOAT_KEXEC_CRASH_AREA_H
#define LIFEBOAT_KEXEC_CRASH_AREA_H

#include "base/error.h"
#include "base/fnv.h"
#include "kexec/leave/trampoline.h"

#define CRASH_CALL_MAGIC       UINT64_C(0x316c6c616363424c) /* "LBccall1" */
#define CRASH_CALL_VERSION     1
#define CRASH_CALL_MADE_NUMBER 0x6873617263416d49 /* "ImAcrash" */
#define CRASH_CALL_MADE	       ((uint64_t)CRASH_CALL_MADE_NUMBER)

/** Harts that have a note slot, and Linux' limit in Debian. */
#define CRASH_CALL_HARTS   128
#define CRASH_CALL_NO_HART UINT64_MAX

/* Parts of the area, each of whole pages, one behind the other: header, trampoline page, pool, note slots. */
#define CRASH_CALL_PAGE	 PAGE_SIZE
#define CRASH_CALL_POOL	 (2 * PAGE_SIZE)
#define CRASH_CALL_NOTES (CRASH_CALL_POOL + TRAMPOLINE_POOL_PAGES * PAGE_SIZE)
#define CRASH_CALL_SIZE	 (CRASH_CALL_NOTES + CRASH_CALL_HARTS * (uint64_t)CRASH_CALL_SLOT_SIZE)

/* Plain numbers: the assembler part of the client knows them, too. Asserted in area.c. */
#define CRASH_CALL_AT_ENTRY    0x18
#define CRASH_CALL_AT_BLOCK    0x38
#define CRASH_CALL_AT_SELF     0x80
#define CRASH_CALL_AT_PAGE_VA  0x88
#define CRASH_CALL_AT_NOTES_VA 0x90
#define CRASH_CALL_AT_SUM      0x98 /* the caller's */
#define CRASH_CALL_AT_MADE     0xa0
#define CRASH_CALL_AT_STARTED  0xa8
#define CRASH_CALL_AT_HARTS    0x100
#define CRASH_CALL_SLOT_SIZE   0x200
#define CRASH_CALL_SLOT_SHIFT  9
#define CRASH_CALL_NOTE_AT     4   /* in a slot: so that the registers are aligned to 8 */
#define CRASH_CALL_NOTE_SIZE   408 /* with the zero note header that ends it */

/* How a crash call is made; a1 at the entry. */
#define CRASH_CALL_RESET_FIRST 1 /* wait for the other harts, then reset: the reset way does the rest */
#define CRASH_CALL_CHECK_ALL   2 /* check every staged byte again, not only the small state */
#define CRASH_CALL_MUST_STOP   4 /* other harts that do not stop: reset instead of a warning */

/** The header, at the area's start. All offsets are from there; all numbers little-endian. */
struct crash_call {
	uint64_t magic;	  /* CRASH_CALL_MAGIC, or else there is no call area */
	uint32_t version; /* CRASH_CALL_VERSION */
	uint32_t size;	  /* bytes of the whole area */
	uint64_t pa;	  /* of the area */
	uint64_t entry;	  /* the crash entry, physical */
	uint32_t page;	  /* offset of the trampoline page */
	uint32_t words; /* offset in that page: satp and physical address, 8 bytes each (trampoline_arm()) */
	uint32_t pool;	/* offset of pages for the caller's trampoline tables */
	uint32_t pool_pages;
	uint32_t notes; /* offset of the note slots */
	uint32_t note_count;
	uint32_t cache_block; /* write notes back by cbo.clean in steps of this; 0: there is no need */
	uint32_t reserved32;  /* 0 */
	uint64_t
		leaf_bits; /* that a page table's leaves need on this core (struct pte_attributes); 0: none */
	uint64_t reserved[6]; /* 0 */
	uint64_t sum;	      /* crash_call_sum() of all before it */

	/* The caller's, written by crash_call_prepare(). */
	uint64_t self;	     /* where the caller has mapped the area; 0: not prepared */
	uint64_t page_va;    /* where it has mapped the trampoline page */
	uint64_t notes_va;   /* the first note slot */
	uint64_t caller_sum; /* crash_call_sum() of all before it, sum included */
	uint64_t made;	     /* CRASH_CALL_MADE from the first crash call on */
	uint64_t started;    /* not 0: the stage has left to the primary. The stage's, and its last store */
	uint64_t reserved_caller[10];

	uint64_t hart[CRASH_CALL_HARTS]; /* hart ids in the FDT's order; the nth hart has the nth slot */
	uint64_t end; /* CRASH_CALL_NO_HART, as are the entries of hart[] behind note_count */
};

/** A hart's registers in Linux' order: user_regs_struct, the beginning of pt_regs, and of a note's pr_reg. */
struct crash_call_regs {
	uint64_t pc, ra, sp, gp, tp, t0, t1, t2, s0, s1;
	uint64_t a0, a1, a2, a3, a4, a5, a6, a7;
	uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
};

/** What the stage knows and the area shall say. */
struct crash_call_facts {
	paddr_t pa, entry;
	size_t words; /* in the trampoline page */
	uint32_t cache_block;
	uint64_t leaf_bits;
};

/** FNV-1a, 64 bits a step: it tells any one changed word, and costs five instructions for each. */
uint64_t crash_call_sum(const void *words, size_t count);

/**
 * Make an empty area: header, no harts, all notes vacant. The trampoline page is left zero.
 *
 * @area  CRASH_CALL_SIZE bytes, 8-byte aligned
 */
void crash_call_init(struct crash_call *area, const struct crash_call_facts *facts);

/**
 * Give hart @id the next slot. Return: false if there is none left, or @id is CRASH_CALL_NO_HART.
 *
 * Context: after crash_call_init(), before anybody prepares.
 */
bool crash_call_add_hart(struct crash_call *area, uint64_t id);

/**
 * Is this an area that this code can use?
 *
 * @size  bytes that can be looked at, at least sizeof(struct crash_call)
 * Return: LB_OK; LB_ENOENT no area here; LB_EUNSUPPORTED of another version; LB_EFORMAT its checksum or its
 *         parts are wrong.
 */
LB_MUST_CHECK enum lb_err crash_call_check(const struct crash_call *area, uint64_t size);

/**
 * Make a caller ready to call: build the trampoline tables, arm the page, note where things are mapped.
 *
 * @area     as mapped, writable; the address is the one that crash calls must use
 * @size     bytes that are mapped
 * @page_va  where the trampoline page (@area's PA + page) is mapped, read and execute; its PA if @levels is 0
 * @levels   of the caller's paging mode: SV39_LEVELS, SV48_LEVELS, SV57_LEVELS; 0: no paging
 * Return: LB_OK; what crash_call_check() says; LB_EINVAL @page_va or @levels can't be; LB_ERANGE the page's
 *         PA is no address in this mode's lower half: only a larger mode, or none, can call.
 *         After an error no crash call is possible: it would reset the machine.
 */
LB_MUST_CHECK enum lb_err crash_call_prepare(struct crash_call *area, uint64_t size, vaddr_t page_va,
					     unsigned levels);

/**
 * Save a hart's registers as its note, and go on living.
 *
 * Return: LB_OK; LB_ENOENT hart @id has no slot.
 */
LB_MUST_CHECK enum lb_err crash_call_save(struct crash_call *area, uint64_t id,
					  const struct crash_call_regs *regs);

/** Is there a whole note in slot @index (below note_count)? Its note begins at crash_call_note_offset(). */
bool crash_call_has_note(const struct crash_call *area, size_t index);

/** Where slot @index has its note, from the area's start; CRASH_CALL_NOTE_SIZE bytes. */
uint64_t crash_call_note_offset(const struct crash_call *area, size_t index);

#endif
