// SPDX-License-Identifier: BSD-2-Clause
/* ELF64 executables for RISC-V: their PT_LOAD segments, by physical address. */
#include "kexec/image/image.h"

#include <inttypes.h>
#include <string.h>

#include "base/elf.h"

static const uint8_t elf_magic[4] = {0x7f, 'E', 'L', 'F'};
/* Bytes 4 to 6 of ident: ELFCLASS64, ELFDATA2LSB, EV_CURRENT. */
static const uint8_t elf_flavour[3] = {2, 1, 1};

bool image_is_elf(const void *data, uint64_t size)
{
	return size >= sizeof(elf_magic) && memcmp(data, elf_magic, sizeof(elf_magic)) == 0;
}

static enum lb_err check_header(const struct elf_header *header, uint64_t size, struct diag *diag)
{
	if (memcmp(header->ident + sizeof(elf_magic), elf_flavour, sizeof(elf_flavour)) != 0)
		return diag_fail(diag, LB_EUNSUPPORTED, "kernel: this ELF is not 64-bit little-endian");
	if (header->machine != ELF_MACHINE_RISCV)
		return diag_fail(diag, LB_EUNSUPPORTED, "kernel: this ELF is for machine %u, not RISC-V (%u)",
				 header->machine, ELF_MACHINE_RISCV);
	if (header->type != ELF_TYPE_EXEC && header->type != ELF_TYPE_DYN)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "kernel: this ELF (type %u) is no executable: link it first", header->type);
	if (header->phnum == ELF_PHNUM_ESCAPE)
		return diag_fail(diag, LB_EUNSUPPORTED, "kernel: this ELF has too many program headers");
	if (header->phnum != 0 && header->phentsize != sizeof(struct elf_phdr))
		return diag_fail(diag, LB_EFORMAT, "kernel: ELF program headers of %u bytes, not %u",
				 header->phentsize, (unsigned)sizeof(struct elf_phdr));
	if (!range_fits(header->phoff, header->phnum * sizeof(struct elf_phdr), size))
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: ELF program headers at 0x%" PRIx64
				 " lie beyond the file's end at 0x%" PRIx64 ": it is truncated",
				 header->phoff, size);
	return LB_OK;
}

static enum lb_err read_header(const void *data, uint64_t size, struct elf_header *header, struct diag *diag)
{
	if (!image_is_elf(data, size))
		return diag_fail(diag, LB_EFORMAT, "kernel: no ELF magic");
	if (size < sizeof(*header))
		return diag_fail(diag, LB_EFORMAT, "kernel: an ELF of %" PRIu64 " bytes is truncated", size);
	memcpy(header, data, sizeof(*header));
	return check_header(header, size, diag);
}

static struct elf_phdr get_phdr(const void *data, const struct elf_header *header, unsigned index)
{
	struct elf_phdr phdr;

	memcpy(&phdr, (const uint8_t *)data + header->phoff + index * sizeof(phdr), sizeof(phdr));
	return phdr;
}

static enum lb_err check_segment(const struct elf_phdr *phdr, unsigned index, uint64_t size,
				 struct diag *diag)
{
	if (!range_fits(phdr->offset, phdr->filesz, size))
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: ELF segment %u (0x%" PRIx64 " bytes at 0x%" PRIx64
				 ") lies beyond the file's end at 0x%" PRIx64 ": it is truncated",
				 index, phdr->filesz, phdr->offset, size);
	if (phdr->filesz > phdr->memsz)
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: ELF segment %u has more bytes in the file than in memory", index);
	if (!range_is_valid(phdr->paddr, phdr->memsz))
		return diag_fail(diag, LB_ERANGE,
				 "kernel: ELF segment %u (0x%" PRIx64 " bytes at 0x%" PRIx64
				 ") runs past the end of memory",
				 index, phdr->memsz, phdr->paddr);
	if (phdr->align != 0 && !is_power_of_two(phdr->align))
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: ELF segment %u has the alignment 0x%" PRIx64 ", no power of two",
				 index, phdr->align);
	return LB_OK;
}

/* Keep the segments sorted. They number few, and most linkers write them in order. */
static enum lb_err insert_segment(struct image *image, const struct elf_phdr *phdr, struct diag *diag)
{
	size_t i = image->segment_count;

	if (i == IMAGE_SEGMENT_MAX)
		return diag_fail(diag, LB_EUNSUPPORTED, "kernel: this ELF has more than %d segments to load",
				 IMAGE_SEGMENT_MAX);
	for (; i > 0 && image->segment[i - 1].address > phdr->paddr; i--)
		image->segment[i] = image->segment[i - 1];
	image->segment[i] = (struct image_segment){
		.offset = phdr->offset,
		.file_size = phdr->filesz,
		.mem_size = phdr->memsz,
		.address = phdr->paddr,
	};
	image->segment_count++;
	return LB_OK;
}

static enum lb_err read_segments(const void *data, uint64_t size, const struct elf_header *header,
				 struct image *image, struct diag *diag)
{
	unsigned i;

	for (i = 0; i < header->phnum; i++) {
		struct elf_phdr phdr = get_phdr(data, header, i);
		enum lb_err err;

		if (phdr.type != ELF_PHDR_LOAD)
			continue;
		err = check_segment(&phdr, i, size, diag);
		if (err == LB_OK && phdr.memsz != 0)
			err = insert_segment(image, &phdr, diag);
		if (err)
			return err;
		if (phdr.align > image->align)
			image->align = phdr.align;
	}
	if (image->segment_count == 0)
		return diag_fail(diag, LB_EFORMAT, "kernel: this ELF has no segment to load");
	return LB_OK;
}

static enum lb_err check_disjoint(const struct image *image, struct diag *diag)
{
	size_t i;

	for (i = 1; i < image->segment_count; i++) {
		const struct image_segment *low = &image->segment[i - 1];
		const struct image_segment *high = &image->segment[i];

		if (high->address - low->address < low->mem_size)
			return diag_fail(diag, LB_EFORMAT,
					 "kernel: ELF segments at 0x%" PRIx64 " and 0x%" PRIx64 " overlap",
					 low->address, high->address);
	}
	return LB_OK;
}

/*
 * Where in memory the entry is. e_entry is a virtual address by the ABI; a program that was linked at
 * a high address for use with paging off may give the physical one instead. Behind a segment's file
 * bytes there are only zeros, so that is no place to start.
 */
static bool translate_entry(const void *data, const struct elf_header *header, paddr_t *entry)
{
	bool found = false;
	unsigned i;

	for (i = 0; i < header->phnum; i++) {
		struct elf_phdr phdr = get_phdr(data, header, i);

		if (phdr.type != ELF_PHDR_LOAD)
			continue;
		if (header->entry - phdr.vaddr < phdr.filesz) {
			*entry = phdr.paddr + (header->entry - phdr.vaddr);
			return true;
		}
		if (header->entry - phdr.paddr < phdr.filesz) {
			*entry = header->entry;
			found = true;
		}
	}
	return found;
}

/* Count all addresses from the place that the lowest byte's alignment block begins at. */
static void make_relative(struct image *image)
{
	paddr_t base = align_down(image->segment[0].address, image->align);
	size_t i;

	for (i = 0; i < image->segment_count; i++)
		image->segment[i].address -= base;
	image->entry -= base;
}

enum lb_err image_read_elf(const void *data, uint64_t size, struct image *image, struct diag *diag)
{
	const struct image_segment *last;
	struct elf_header header = {0};
	enum lb_err err = read_header(data, size, &header, diag);

	if (err)
		return err;
	*image = (struct image){
		.kind = IMAGE_ELF,
		.fixed = header.type == ELF_TYPE_EXEC,
		.zero_fill = true,
		.align = PAGE_SIZE,
	};
	err = read_segments(data, size, &header, image, diag);
	if (err == LB_OK)
		err = check_disjoint(image, diag);
	if (err)
		return err;
	if (!translate_entry(data, &header, &image->entry) || !is_aligned(image->entry, 2))
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: the ELF's entry 0x%" PRIx64 " is odd or outside its segments",
				 header.entry);
	if (!image->fixed)
		make_relative(image);
	last = &image->segment[image->segment_count - 1];
	image->mem_size = last->address + last->mem_size - (image->fixed ? image->segment[0].address : 0);
	return LB_OK;
}
