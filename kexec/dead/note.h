/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMCOREINFO note: a Linux kernel's description of itself, read out of the RAM of a dead one.
 *
 * Linux builds the note at boot, whether kexec is used or not (CONFIG_VMCORE_INFO, kernel/vmcore_info.c): an
 * ELF note at the start of a page, text of "NAME=value" lines. Everything in it is outside data from a
 * kernel that died: each number is checked, each address translated and bounded before use.
 */
#ifndef LIFEBOAT_KEXEC_DEAD_NOTE_H
#define LIFEBOAT_KEXEC_DEAD_NOTE_H

#include "base/error.h"
#include "mm/ram.h"

/** Linux's KERNEL_LINK_ADDR on rv64; in the note since 6.2. */
#define LINUX_KERNEL_LINK_ADDR UINT64_C(0xffffffff80000000)

/** What p_memsz of a PT_NOTE for it should be, as in Linux: header, 4 KiB of text, and the terminator. */
#define VMCOREINFO_NOTE_SIZE 4132

/** Offsets and sizes inside the printk ring's structs; all from the note (docs of kernel/printk). */
struct printk_layout {
	uint16_t rb_desc_ring, rb_text_data_ring;				/* printk_ringbuffer */
	uint16_t ring_count_bits, ring_descs, ring_infos, ring_head, ring_tail; /* prb_desc_ring */
	uint16_t desc_size, desc_state, desc_text;				/* prb_desc */
	uint16_t lpos_begin, lpos_next;						/* prb_data_blk_lpos */
	uint16_t data_size_bits, data_data;					/* prb_data_ring */
	uint16_t info_size, info_seq, info_ts, info_text_len;			/* printk_info */
	uint16_t counter;							/* atomic_long_t */
};

struct vmcoreinfo {
	struct region note;  /* the note in RAM: header, name, text, terminator */
	char release[65];    /* OSRELEASE, NUL-terminated, printable */
	uint64_t crash_time; /* CRASHTIME: when the kernel itself began a crash dump, in s; 0 it did not */

	uint64_t stext, prb; /* SYMBOL(_stext), SYMBOL(prb): virtual addresses */
	uint64_t uts_ns;     /* SYMBOL(init_uts_ns), and OFFSET(uts_namespace.name) in it */
	uint16_t uts_name;
	uint64_t page_offset, phys_ram_base; /* linear map: va - page_offset + phys_ram_base; 0, 0 unknown */
	uint64_t kernel_link;		     /* KERNEL_LINK_ADDR */
	uint64_t va_kernel_pa_offset;	     /* kernel map: pa = va - this (mod 2^64) */
	paddr_t kernel_pa;		     /* where its image begins, KASLR or not */
	uint64_t kernel_size; /* what its image owns there, as its own header says; 0: no header is there */
	bool anchored;	      /* what it claims leads into that image: vmcoreinfo_read() */
	struct printk_layout printk;
};

/** What the stage knows of the kernel without its help. */
struct vmcoreinfo_home {
	struct region kernel; /* where the stage put it, and what it owns there; size 0: not known */
	paddr_t ram_base;     /* where the machine's RAM begins */
};

/** Name in the note's header, whose size, NUL included, is the header's first word. */
#define VMCOREINFO_NAME "VMCOREINFO"

/** Does the page at @page (4096 readable bytes, 4-byte aligned) begin with a VMCOREINFO note? */
bool vmcoreinfo_is_note(const void *page);

/** The first page of [@page, @end), readable whole pages, that does; @end if none. */
const char *vmcoreinfo_next_note(const char *page, const char *end);

/**
 * Parse the note at @pa and check that the kernel that it speaks of is there: what it says of the place of
 * the kernel's release string leads to the release that it names.
 *
 * Any process can write a page that looks like a note. info->anchored says whether this one speaks of what no
 * process can write: its kernel's image lies where it says (by the Image header there, or at @home), and
 * init_uts_ns, prb and the ring that this points to are all inside of it, by the kernel's own mapping.
 * Says nothing of the printk ring, which may be harmed while the rest is of use: printk_open() does.
 * @home  its base serves a note without riscv lines (before 6.2), too
 * @info  filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_EFORMAT malformed, needed lines missing, or another kernel's (the release is not there);
 *         LB_ERANGE an address leads outside RAM, or a number is too large.
 */
LB_MUST_CHECK enum lb_err vmcoreinfo_read(const struct ram *ram, paddr_t pa,
					  const struct vmcoreinfo_home *home, struct vmcoreinfo *info,
					  struct diag *diag);

/**
 * Translate a virtual address of the dead kernel: kernel map, or linear map. The result need not be RAM.
 *
 * Return: LB_OK; LB_ERANGE @va is in neither (vmalloc, user), or the note does not say enough; @pa is
 *         unchanged.
 */
LB_MUST_CHECK enum lb_err vmcoreinfo_translate(const struct vmcoreinfo *info, uint64_t va, paddr_t *pa);

/**
 * Where @size bytes at the dead kernel's @va can be read; NULL unless @va translates and all are readable.
 */
const void *vmcoreinfo_bytes(const struct ram *ram, const struct vmcoreinfo *info, uint64_t va,
			     uint64_t size);

#endif
