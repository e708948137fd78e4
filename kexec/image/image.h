/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload images: each format is read into the same description, which the plan then places.
 *
 * Readers look at bytes in a buffer and never at an address; they copy nothing.
 */
#ifndef LIFEBOAT_KEXEC_IMAGE_IMAGE_H
#define LIFEBOAT_KEXEC_IMAGE_IMAGE_H

#include "base/error.h"
#include "base/types.h"

enum image_kind {
	IMAGE_LINUX, /* flat, with the 64-byte RISC-V Image header: Linux, or another program */
	IMAGE_ELF,   /* ELF64, ET_EXEC or ET_DYN */
	IMAGE_RAW,   /* flat, address and entry from the bundle */
};

#define IMAGE_SEGMENT_MAX 16

struct image_segment {
	uint64_t offset;    /* of its bytes, from the start of the image */
	uint64_t file_size; /* bytes to copy */
	uint64_t mem_size;  /* bytes it owns; >= file_size; see image.zero_fill */
	uint64_t address;   /* physical if image.fixed, else relative to the chosen base */
};

struct image {
	enum image_kind kind;
	bool fixed;	   /* segment addresses and entry are physical: take them or fail */
	bool zero_fill;	   /* the rest of each segment must be zeroed (ELF); Linux does its own */
	uint64_t align;	   /* of the chosen base, a power of two; unused if fixed */
	uint64_t mem_size; /* span of all segments from the base; unused if fixed */
	uint64_t entry;	   /* like segment.address */
	size_t segment_count;
	struct image_segment segment[IMAGE_SEGMENT_MAX]; /* sorted by address, disjoint */
};

/** Linux demands it of its base, and reserves memory up to the next multiple behind its end. */
#define IMAGE_LINUX_ALIGN (2 * MIB)

/** Bytes of a RISC-V Image's header: all that image_read_linux() looks at. */
#define IMAGE_LINUX_HEADER 64

/** Does @data begin with an ELF magic / a RISC-V Image header's magic2 (at 0x38)? */
bool image_is_elf(const void *data, uint64_t size);
bool image_is_linux(const void *data, uint64_t size);

/**
 * Read a RISC-V Image header (Linux Documentation/arch/riscv/boot-image-header.rst).
 *
 * The image owns round_up(image_size, 2 MiB) bytes from a 2 MiB-aligned base: image_size counts .bss.
 * @size  bytes of the file, which may be less than image_size (bss) but not more
 * Return: LB_OK; LB_EFORMAT no magic, or image_size 0 or below the file's; LB_EUNSUPPORTED header
 *         version below 0.2, or big-endian; LB_ERANGE sizes overflow.
 */
LB_MUST_CHECK enum lb_err image_read_linux(const void *data, uint64_t size, struct image *image,
					   struct diag *diag);

/**
 * Read an ELF64 little-endian RISC-V executable: its PT_LOAD segments by p_paddr.
 *
 * ET_EXEC: fixed. ET_DYN: base free, aligned to the largest p_align (at least a page); addresses are
 * relative to the lowest segment's, rounded down to that alignment, so that they keep it. e_entry is
 * translated from p_vaddr to p_paddr where it lies in a segment; if it lies in none it may be a physical
 * address already. Segments without memory and program headers of other types (PT_INTERP, ...) are ignored.
 * @size  bytes of the file: every segment's bytes lie inside
 * Return: LB_OK; LB_EFORMAT no ELF, truncated, overlapping segments, a p_align that is no power of two,
 *         no segment, or the entry odd or outside every segment's file bytes; LB_EUNSUPPORTED wrong
 *         class, machine, type, or more than IMAGE_SEGMENT_MAX segments; LB_ERANGE an address overflows.
 *         On error @image is undefined.
 */
LB_MUST_CHECK enum lb_err image_read_elf(const void *data, uint64_t size, struct image *image,
					 struct diag *diag);

/**
 * Describe a flat binary of @size bytes that wants to be at @load and be entered at @entry.
 *
 * Return: LB_OK; LB_EFORMAT empty, or @entry odd or outside it; LB_ERANGE runs past 2^64 - 1.
 */
LB_MUST_CHECK enum lb_err image_make_raw(uint64_t size, paddr_t load, paddr_t entry, struct image *image,
					 struct diag *diag);

#endif
