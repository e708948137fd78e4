/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core header: an ELF64 ET_CORE header that tells a crash kernel's /proc/vmcore what memory there is.
 *
 * What Linux wants of it (fs/proc/vmcore.c): program headers right behind the ELF header, PT_NOTEs first and
 * at least one of them, p_offset = p_paddr = physical address, whole pages; nothing of it may touch the crash
 * kernel's usable memory. p_vaddr is for vmcore-dmesg and gdb, which take the first entry that covers an
 * address: the kernel's own mapping comes first, then RAM by its linear map.
 */
#ifndef LIFEBOAT_KEXEC_CRASH_ELFCOREHDR_H
#define LIFEBOAT_KEXEC_CRASH_ELFCOREHDR_H

#include "base/error.h"
#include "mm/region.h"

/** Enough for as many CPUs as Debian's kernels know (NR_CPUS=128), and VMCOREINFO. */
#define ELFCOREHDR_NOTES_MAX 136

/** No header is larger: room for the notes, the kernel, REGION_SET_MAX regions of RAM, one of them split. */
#define ELFCOREHDR_SIZE_MAX (4 * PAGE_SIZE)

struct elfcorehdr_note {
	paddr_t pa;    /* of an ELF note in RAM, 4-byte aligned, ended by a zero note header */
	uint64_t size; /* of the buffer it may fill, terminator included: at least 12 */
};

struct elfcorehdr_request {
	/*
	 * The dead kernel's, without usable memory, firmware and lost memory. Only whole pages of it are
	 * described: Linux never used the others, and would read on into what is next to them.
	 */
	const struct region_set *ram;
	size_t note_count; /* at least 1: with none, Linux overwrites the first PT_LOAD */
	struct elfcorehdr_note note[ELFCOREHDR_NOTES_MAX];
	/*
	 * The kernel's own mapping, kernel_va to kernel.base on; size 0 if unknown. All pages that it touches
	 * must be whole pages of @ram, where they are described once more.
	 */
	uint64_t kernel_va;
	struct region kernel;
	/*
	 * Its linear map: va = page_offset + (pa - phys_ram_base). Unknown if page_offset is 0 or
	 * phys_ram_base is not page-aligned. RAM below phys_ram_base is in no linear map, nor is a region
	 * that would end above KERNEL_LINK_ADDR - 2 GiB: p_vaddr is 0 then, makedumpfile's word for "none". A
	 * region that begins below phys_ram_base and ends above it becomes two entries.
	 */
	uint64_t page_offset;
	paddr_t phys_ram_base;
};

/** Bytes that the header needs: a multiple of 4 KiB, at most ELFCOREHDR_SIZE_MAX. */
uint64_t elfcorehdr_size(const struct elfcorehdr_request *request);

/**
 * Write the header to @out; the rest of @size is zeroed.
 *
 * @out   any alignment here; Linux wants a page-aligned address, inside its usable memory
 * @size  of @out; what elfcorehdr_size() says, or more
 * Return: LB_OK; LB_EINVAL no notes or too many, or a note that is unaligned, too small for its terminator or
 *         runs past the end of memory; LB_ERANGE the kernel's mapping is not all in RAM, or wraps around;
 *         LB_ENOSPC @size is less than elfcorehdr_size(). On error @out is unchanged.
 */
LB_MUST_CHECK enum lb_err elfcorehdr_write(const struct elfcorehdr_request *request, void *out, uint64_t size,
					   struct diag *diag);

/**
 * Read which notes another's core header names, such as the one that kexec-tools made.
 *
 * Says nothing of what the notes hold: nothing but @data is looked at.
 * @data   the header, 8-byte aligned; @size bytes of it are readable
 * @count  receives how many of @note were filled, at most ELFCOREHDR_NOTES_MAX; further ones are left out
 * Return: LB_OK; LB_EFORMAT no core header of a 64-bit RISC-V machine, or cut off.
 */
LB_MUST_CHECK enum lb_err elfcorehdr_read_notes(const void *data, uint64_t size, struct elfcorehdr_note *note,
						size_t *count, struct diag *diag);

/**
 * Are the notes at @data, up to @size bytes, at least one and ended in there? Linux walks them to the
 * end without looking at the size.
 *
 * @data  4-byte aligned
 */
bool elfcorehdr_notes_end(const void *data, uint64_t size);

#endif
