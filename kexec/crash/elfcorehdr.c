// SPDX-License-Identifier: BSD-2-Clause
/* The core header for /proc/vmcore: notes, the kernel's mapping and RAM as ELF64 program headers. */
#include "kexec/crash/elfcorehdr.h"

#include <inttypes.h>
#include <string.h>

#include "base/elf.h"
#include "kexec/dead/note.h"

#define ENTRIES_MAX (ELFCOREHDR_NOTES_MAX + 1 + REGION_SET_MAX + 1)
_Static_assert(ENTRIES_MAX < ELF_PHNUM_ESCAPE, "Linux knows no other way to count them");
_Static_assert(sizeof(struct elf_header) + ENTRIES_MAX * sizeof(struct elf_phdr) <= ELFCOREHDR_SIZE_MAX,
	       "a caller may reserve the maximum and never look");

/* Where Linux's linear map ends at the latest: modules and the kernel come behind it. */
#define LINEAR_MAP_END (LINUX_KERNEL_LINK_ADDR - 2 * GIB)

/* A note's name and its contents are padded to words. Both sizes are 32-bit, so a sum of two can't wrap. */
#define NOTE_PAD(size) (((uint64_t)(size) + 3) & ~UINT64_C(3))

static bool knows_linear_map(const struct elfcorehdr_request *request)
{
	return request->page_offset && is_aligned(request->phys_ram_base, PAGE_SIZE);
}

/* How much of @pages lies before the linear map begins, if some lies behind; else 0. */
static uint64_t bytes_before_linear_map(const struct elfcorehdr_request *request, struct region pages)
{
	paddr_t begin = request->phys_ram_base;

	if (!knows_linear_map(request) || begin <= pages.base || begin >= region_end(pages))
		return 0;
	return begin - pages.base;
}

static uint64_t linear_va(const struct elfcorehdr_request *request, struct region pages)
{
	uint64_t end;

	if (!knows_linear_map(request) || pages.base < request->phys_ram_base)
		return 0;
	if (__builtin_add_overflow(request->page_offset, region_end(pages) - request->phys_ram_base, &end) ||
	    end > LINEAR_MAP_END)
		return 0;
	return end - pages.size;
}

/* Program headers, one after the other; with no place to put them they are counted. */
struct writer {
	uint8_t *out;
	uint16_t count;
};

static void put(struct writer *writer, uint32_t type, uint64_t va, struct region range)
{
	const struct elf_phdr phdr = {
		.type = type,
		.flags = type == ELF_PHDR_LOAD ? ELF_PHDR_RWX : 0,
		.offset = range.base,
		.vaddr = va,
		.paddr = range.base,
		.filesz = range.size,
		.memsz = range.size,
		.align = type == ELF_PHDR_NOTE ? sizeof(uint32_t) : 0,
	};

	if (writer->out)
		memcpy(writer->out + writer->count * sizeof(phdr), &phdr, sizeof(phdr));
	writer->count++;
}

static void put_ram(struct writer *writer, const struct elfcorehdr_request *request, struct region pages)
{
	uint64_t before = bytes_before_linear_map(request, pages);

	if (before) {
		put(writer, ELF_PHDR_LOAD, 0, (struct region){pages.base, before});
		pages = (struct region){pages.base + before, pages.size - before};
	}
	if (pages.size)
		put(writer, ELF_PHDR_LOAD, linear_va(request, pages), pages);
}

/* All entries in Linux's order. @out may be NULL. Return: their number. */
static uint16_t put_all(const struct elfcorehdr_request *request, uint8_t *out)
{
	struct writer writer = {.out = out};

	for (size_t i = 0; i < request->note_count && i < ELFCOREHDR_NOTES_MAX; i++)
		put(&writer, ELF_PHDR_NOTE, 0, (struct region){request->note[i].pa, request->note[i].size});
	if (request->kernel.size)
		put(&writer, ELF_PHDR_LOAD, request->kernel_va, request->kernel);
	for (size_t i = 0; i < request->ram->count; i++)
		put_ram(&writer, request, region_pages_inside(request->ram->region[i]));
	return writer.count;
}

static enum lb_err check_notes(const struct elfcorehdr_request *request, struct diag *diag)
{
	if (!request->note_count || request->note_count > ELFCOREHDR_NOTES_MAX)
		return diag_fail(diag, LB_EINVAL, "core header: %zu notes, not 1 to %u", request->note_count,
				 ELFCOREHDR_NOTES_MAX);
	for (size_t i = 0; i < request->note_count; i++) {
		struct elfcorehdr_note note = request->note[i];

		if (is_aligned(note.pa, sizeof(uint32_t)) && note.size >= sizeof(struct elf_note) &&
		    range_is_valid(note.pa, note.size))
			continue;
		return diag_fail(diag, LB_EINVAL,
				 "core header: no note can fill 0x%" PRIx64 " bytes at 0x%" PRIx64, note.size,
				 note.pa);
	}
	return LB_OK;
}

/* Linux reads all pages that the entry touches: inside whole pages of RAM it stays in RAM. */
static enum lb_err check_kernel(const struct elfcorehdr_request *request, struct diag *diag)
{
	struct region kernel = request->kernel;

	if (!kernel.size)
		return LB_OK;
	if (!range_is_valid(kernel.base, kernel.size) || !range_is_valid(request->kernel_va, kernel.size))
		return diag_fail(diag, LB_ERANGE,
				 "core header: the dead kernel's 0x%" PRIx64 " bytes at 0x%" PRIx64
				 ", mapped at 0x%" PRIx64 ", wrap around",
				 kernel.size, kernel.base, request->kernel_va);
	for (size_t i = 0; i < request->ram->count; i++) {
		if (region_contains(region_pages_inside(request->ram->region[i]), kernel))
			return LB_OK;
	}
	return diag_fail(diag, LB_ERANGE,
			 "core header: the dead kernel's image, 0x%" PRIx64 " bytes at 0x%" PRIx64
			 ", is not all in its RAM",
			 kernel.size, kernel.base);
}

/* A header with @count entries, in whole pages. */
static uint64_t size_with(uint16_t count)
{
	return align_down(sizeof(struct elf_header) + count * sizeof(struct elf_phdr) + PAGE_SIZE - 1,
			  PAGE_SIZE);
}

uint64_t elfcorehdr_size(const struct elfcorehdr_request *request)
{
	return size_with(put_all(request, NULL));
}

enum lb_err elfcorehdr_write(const struct elfcorehdr_request *request, void *out, uint64_t size,
			     struct diag *diag)
{
	struct elf_header header = {
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, ELF_VERSION}, /* ELFCLASS64, ELFDATA2LSB */
		.type = ELF_TYPE_CORE,
		.machine = ELF_MACHINE_RISCV,
		.version = ELF_VERSION,
		.phoff = sizeof(header),
		.ehsize = sizeof(header),
		.phentsize = sizeof(struct elf_phdr),
	};
	uint64_t needed = elfcorehdr_size(request);
	enum lb_err err = check_notes(request, diag);

	if (!err)
		err = check_kernel(request, diag);
	if (err)
		return err;
	if (size < needed)
		return diag_fail(diag, LB_ENOSPC, "core header: needs %" PRIu64 " bytes, has %" PRIu64,
				 needed, size);
	memset(out, 0, size);
	header.phnum = put_all(request, (uint8_t *)out + sizeof(header));
	memcpy(out, &header, sizeof(header));
	return LB_OK;
}

/* ---- Another's header ---- */

static bool is_core_header(const struct elf_header *header)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, ELF_VERSION};

	return !memcmp(header->ident, ident, sizeof(ident)) && header->type == ELF_TYPE_CORE &&
	       header->machine == ELF_MACHINE_RISCV && header->phentsize == sizeof(struct elf_phdr);
}

enum lb_err elfcorehdr_read_notes(const void *data, uint64_t size, struct elfcorehdr_note *note,
				  size_t *count, struct diag *diag)
{
	const struct elf_header *header = data;
	const uint8_t *entries;

	if (size < sizeof(*header) || !is_core_header(header))
		return diag_fail(diag, LB_EFORMAT, "core header: none for a 64-bit RISC-V machine is there");
	if (!range_fits(header->phoff, (uint64_t)header->phnum * sizeof(struct elf_phdr), size))
		return diag_fail(diag, LB_EFORMAT,
				 "core header: cut off: %u entries do not fit %" PRIu64 " bytes",
				 (unsigned)header->phnum, size);
	entries = (const uint8_t *)data + header->phoff;
	*count = 0;
	for (size_t i = 0; i < header->phnum && *count < ELFCOREHDR_NOTES_MAX; i++) {
		struct elf_phdr phdr;

		memcpy(&phdr, entries + i * sizeof(phdr), sizeof(phdr));
		if (phdr.type == ELF_PHDR_NOTE)
			note[(*count)++] = (struct elfcorehdr_note){.pa = phdr.offset, .size = phdr.memsz};
	}
	return LB_OK;
}

bool elfcorehdr_notes_end(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;
	uint64_t at = 0;

	while (size - at >= sizeof(struct elf_note)) {
		struct elf_note note;

		memcpy(&note, bytes + at, sizeof(note));
		if (!note.name_size)
			return at != 0;
		at += sizeof(note) + NOTE_PAD(note.name_size) + NOTE_PAD(note.desc_size);
		if (at > size)
			return false;
	}
	return false;
}
