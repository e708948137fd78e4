// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/image_*.c: what the readers make of good headers, and that bad ones never get through.
 *
 * Headers are built here by the host's <elf.h> and by offsets from the kernel's document. Every image
 * lies in a heap block of exactly its size, so that the address sanitizer sees each byte read too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/image.h"

#define SEED 20240607u

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Begin a random test. Its seed stands in the output when the test fails. */
static uint32_t start_random(void)
{
	print_message("seed %u\n", SEED);
	return SEED;
}

static void put(uint8_t *bytes, size_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

static void *exact_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, data, size);
	return copy;
}

typedef enum lb_err reader(const void *data, uint64_t size, struct image *image, struct diag *diag);

/* Read from an exact heap block. A failure must come with one line for the person. */
static enum lb_err read_exactly(reader *read, const void *data, size_t size, struct image *image)
{
	void *copy = exact_copy(data, size);
	struct diag diag = {""};
	enum lb_err err = read(copy, size, image, &diag);

	if (err) {
		assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
		assert_null(strchr(diag.text, '\n'));
		assert_int_equal(read(copy, size, image, NULL), err);
	}
	free(copy);
	return err;
}

/* What every description must keep, whoever made it; said apart from the code under test. */
static void check_image(const struct image *image, uint64_t file_size)
{
	bool entry_found = false;

	assert_in_range(image->segment_count, 1, IMAGE_SEGMENT_MAX);
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segment[i];
		unsigned __int128 end = (unsigned __int128)s->address + s->mem_size;

		assert_true((unsigned __int128)s->offset + s->file_size <= file_size);
		assert_true(s->mem_size > 0 && s->file_size <= s->mem_size);
		assert_true(end <= UINT64_MAX);
		if (i + 1 < image->segment_count)
			assert_true(end <= image->segment[i + 1].address);
		if (!image->fixed)
			assert_true(end <= image->mem_size);
		if (image->entry >= s->address && image->entry - s->address < s->file_size)
			entry_found = true;
	}
	assert_true(entry_found);
	assert_int_equal(image->entry & 1, 0);
	if (!image->fixed)
		assert_true(image->align >= 4096 && (image->align & (image->align - 1)) == 0);
}

/* ---- the RISC-V Image header ---- */

#define LINUX_FILE 5000
#define LINUX_SIZE 0x301000

static void make_linux(uint8_t *bytes)
{
	memset(bytes, 0x5a, LINUX_FILE);
	memset(bytes, 0, 64);
	put(bytes, 0x00, 4, 0x106f5a4d);
	put(bytes, 0x08, 8, 0x200000);
	put(bytes, 0x10, 8, LINUX_SIZE);
	put(bytes, 0x20, 4, 2);
	memcpy(bytes + 0x30, "RISCV\0\0\0RSC\x05", 12);
}

static void a_linux_image_owns_whole_megapages_from_a_free_base(void **state)
{
	uint8_t bytes[LINUX_FILE];
	struct image image;

	(void)state;
	make_linux(bytes);
	assert_true(image_is_linux(bytes, sizeof(bytes)));
	assert_false(image_is_elf(bytes, sizeof(bytes)));
	assert_int_equal(read_exactly(image_read_linux, bytes, sizeof(bytes), &image), LB_OK);
	check_image(&image, sizeof(bytes));
	assert_int_equal(image.kind, IMAGE_LINUX);
	assert_false(image.fixed);
	assert_false(image.zero_fill);
	assert_int_equal(image.align, 0x200000);
	assert_int_equal(image.mem_size, 0x400000);
	assert_int_equal(image.entry, 0);
	assert_int_equal(image.segment_count, 1);
	assert_int_equal(image.segment[0].offset, 0);
	assert_int_equal(image.segment[0].address, 0);
	assert_int_equal(image.segment[0].file_size, LINUX_FILE);
	assert_int_equal(image.segment[0].mem_size, 0x400000);
}

static void a_bad_linux_header_is_refused_field_by_field(void **state)
{
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		enum lb_err expected;
		uint64_t mem_size;
	} cases[] = {
		{0x10, 8, LINUX_FILE, LB_OK, 0x200000},
		{0x10, 8, 0x200000, LB_OK, 0x200000},
		{0x10, 8, 0x200001, LB_OK, 0x400000},
		{0x10, 8, 0x7fffffffffffffff, LB_OK, 0x8000000000000000},
		{0x10, 8, 0xffffffffffe00000, LB_OK, 0xffffffffffe00000},
		{0x20, 4, 0x10000, LB_OK, 0x400000},
		{0x18, 8, 2, LB_OK, 0x400000},
		{0x10, 8, LINUX_FILE - 1, LB_EFORMAT, 0},
		{0x10, 8, 0, LB_EFORMAT, 0},
		{0x10, 8, 0xffffffffffe00001, LB_ERANGE, 0},
		{0x10, 8, UINT64_MAX, LB_ERANGE, 0},
		{0x18, 8, 1, LB_EUNSUPPORTED, 0},
		{0x20, 4, 1, LB_EUNSUPPORTED, 0},
		{0x20, 4, 0, LB_EUNSUPPORTED, 0},
		{0x38, 4, 0x05435353, LB_EFORMAT, 0},
		{0x38, 4, 0, LB_EFORMAT, 0},
		{0x3b, 1, 4, LB_EFORMAT, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[LINUX_FILE];
		struct image image;
		enum lb_err err;

		make_linux(bytes);
		put(bytes, cases[i].offset, cases[i].width, cases[i].value);
		err = read_exactly(image_read_linux, bytes, sizeof(bytes), &image);
		if (err != cases[i].expected)
			print_message("case %zu\n", i);
		assert_int_equal(err, cases[i].expected);
		if (err == LB_OK)
			assert_true(image.mem_size == cases[i].mem_size);
	}
}

static void a_linux_image_cut_in_its_header_is_refused(void **state)
{
	uint8_t bytes[LINUX_FILE];
	struct image image;

	(void)state;
	make_linux(bytes);
	for (size_t size = 0; size <= 100; size++) {
		void *copy = exact_copy(bytes, size);

		assert_int_equal(image_is_linux(copy, size), size >= 64);
		free(copy);
		assert_int_equal(read_exactly(image_read_linux, bytes, size, &image),
				 size >= 64 ? LB_OK : LB_EFORMAT);
	}
}

static void random_linux_headers_never_break_the_description(void **state)
{
	uint32_t random = start_random();
	unsigned good = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[LINUX_FILE];
		struct image image;
		unsigned changes = next_random(&random) % 3;

		make_linux(bytes);
		while (changes--)
			bytes[next_random(&random) % 64] = (uint8_t)next_random(&random);
		if (read_exactly(image_read_linux, bytes, sizeof(bytes), &image) == LB_OK) {
			check_image(&image, sizeof(bytes));
			good++;
		}
	}
	assert_in_range(good, 1000, 19000); /* both ways were taken, or this proves little */
}

/* ---- ELF ---- */

#define ELF_FILE 4096
#define PHOFF	 64
/* Offset in the file of a field of program header n. */
#define PH(n, field) (PHOFF + (n) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))
#define EH(field)    offsetof(Elf64_Ehdr, field)

static Elf64_Phdr load(uint64_t offset, uint64_t vaddr, uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offset,
		.p_vaddr = vaddr,
		.p_paddr = paddr,
		.p_filesz = filesz,
		.p_memsz = memsz,
		.p_align = 0x1000,
	};
}

static void make_elf(uint8_t *bytes, uint16_t type, uint64_t entry, const Elf64_Phdr *phdrs, size_t count)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = type,
		.e_machine = EM_RISCV,
		.e_version = EV_CURRENT,
		.e_entry = entry,
		.e_phoff = PHOFF,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)count,
	};

	assert_true(PHOFF + count * sizeof(*phdrs) <= ELF_FILE);
	memset(bytes, 0xa5, ELF_FILE);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + PHOFF, phdrs, count * sizeof(*phdrs));
}

/* The segments of most tests: text, data with bss behind it, and something that is not to be loaded. */
static const Elf64_Phdr usual[] = {
	{.p_type = PT_PHDR, .p_offset = 64, .p_filesz = UINT64_MAX},
	{.p_type = PT_LOAD,
	 .p_offset = 0x400,
	 .p_vaddr = 0xffffffff80000000,
	 .p_paddr = 0x80200000,
	 .p_filesz = 0x300,
	 .p_memsz = 0x300,
	 .p_align = 0x1000},
	{.p_type = PT_LOAD,
	 .p_offset = 0x800,
	 .p_vaddr = 0xffffffff80001000,
	 .p_paddr = 0x80201000,
	 .p_filesz = 0x200,
	 .p_memsz = 0x5000,
	 .p_align = 0x1000},
	{.p_type = PT_INTERP, .p_offset = UINT64_MAX, .p_filesz = 7, .p_align = 3},
};
#define USUAL_ENTRY 0xffffffff80000010

static void an_executable_elf_is_fixed_at_its_physical_addresses(void **state)
{
	uint8_t bytes[ELF_FILE];
	struct image image;

	(void)state;
	make_elf(bytes, ET_EXEC, USUAL_ENTRY, usual, ARRAY_SIZE(usual));
	assert_true(image_is_elf(bytes, sizeof(bytes)));
	assert_int_equal(read_exactly(image_read_elf, bytes, sizeof(bytes), &image), LB_OK);
	check_image(&image, sizeof(bytes));
	assert_int_equal(image.kind, IMAGE_ELF);
	assert_true(image.fixed);
	assert_true(image.zero_fill);
	assert_int_equal(image.entry, 0x80200010);
	assert_int_equal(image.segment_count, 2);
	assert_int_equal(image.segment[0].offset, 0x400);
	assert_int_equal(image.segment[0].address, 0x80200000);
	assert_int_equal(image.segment[0].file_size, 0x300);
	assert_int_equal(image.segment[0].mem_size, 0x300);
	assert_int_equal(image.segment[1].offset, 0x800);
	assert_int_equal(image.segment[1].address, 0x80201000);
	assert_int_equal(image.segment[1].file_size, 0x200);
	assert_int_equal(image.segment[1].mem_size, 0x5000);
}

static void a_dynamic_elf_is_relative_and_keeps_its_largest_alignment(void **state)
{
	/* The lowest byte lies 0x3010 behind a multiple of the largest alignment. */
	Elf64_Phdr phdrs[] = {
		load(0x400, 0x43010, 0x43010, 0x300, 0x300),
		load(0x800, 0x50000, 0x50000, 0x100, 0x2345),
	};
	uint8_t bytes[ELF_FILE];
	struct image image;

	(void)state;
	phdrs[1].p_align = 0x10000;
	make_elf(bytes, ET_DYN, 0x43020, phdrs, ARRAY_SIZE(phdrs));
	assert_int_equal(read_exactly(image_read_elf, bytes, sizeof(bytes), &image), LB_OK);
	check_image(&image, sizeof(bytes));
	assert_false(image.fixed);
	assert_int_equal(image.align, 0x10000);
	assert_int_equal(image.segment[0].address, 0x3010);
	assert_int_equal(image.segment[1].address, 0x10000);
	assert_int_equal(image.mem_size, 0x12345);
	assert_int_equal(image.entry, 0x3020);
}

static void an_elf_with_small_alignments_is_aligned_to_a_page(void **state)
{
	for (uint64_t align = 0; align <= 4; align = align ? align * 2 : 1) {
		Elf64_Phdr phdr = load(0x400, 0x1004, 0x1004, 8, 8);
		uint8_t bytes[ELF_FILE];
		struct image image;

		(void)state;
		phdr.p_align = align;
		make_elf(bytes, ET_DYN, 0x1004, &phdr, 1);
		assert_int_equal(read_exactly(image_read_elf, bytes, sizeof(bytes), &image), LB_OK);
		assert_int_equal(image.align, 4096);
		assert_int_equal(image.segment[0].address, 4);
		assert_int_equal(image.mem_size, 12);
	}
}

static void segments_in_any_order_come_out_sorted(void **state)
{
	uint32_t random = start_random();

	(void)state;
	for (int round = 0; round < 500; round++) {
		Elf64_Phdr phdrs[IMAGE_SEGMENT_MAX];
		uint8_t bytes[ELF_FILE];
		struct image image;

		for (size_t i = 0; i < ARRAY_SIZE(phdrs); i++)
			phdrs[i] = load(0x400 + i, 0x1000 * i, 0x1000 * i, 16, 0x1000);
		for (size_t i = ARRAY_SIZE(phdrs) - 1; i > 0; i--) {
			size_t other = next_random(&random) % (i + 1);
			Elf64_Phdr swap = phdrs[i];

			phdrs[i] = phdrs[other];
			phdrs[other] = swap;
		}
		make_elf(bytes, ET_EXEC, 0x3004, phdrs, ARRAY_SIZE(phdrs));
		assert_int_equal(read_exactly(image_read_elf, bytes, sizeof(bytes), &image), LB_OK);
		assert_int_equal(image.segment_count, ARRAY_SIZE(phdrs));
		for (size_t i = 0; i < ARRAY_SIZE(phdrs); i++) {
			assert_int_equal(image.segment[i].address, 0x1000 * i);
			assert_int_equal(image.segment[i].offset, 0x400 + i);
		}
		assert_int_equal(image.entry, 0x3004);
	}
}

static void a_bad_elf_is_refused_field_by_field(void **state)
{
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		enum lb_err expected;
	} cases[] = {
		{0, 1, 0x7e, LB_EFORMAT},
		{EI_CLASS, 1, ELFCLASS32, LB_EUNSUPPORTED},
		{EI_DATA, 1, ELFDATA2MSB, LB_EUNSUPPORTED},
		{EI_VERSION, 1, 0, LB_EUNSUPPORTED},
		{EI_OSABI, 1, ELFOSABI_LINUX, LB_OK},
		{EH(e_type), 2, ET_REL, LB_EUNSUPPORTED},
		{EH(e_type), 2, ET_CORE, LB_EUNSUPPORTED},
		{EH(e_type), 2, ET_DYN, LB_OK},
		{EH(e_machine), 2, EM_AARCH64, LB_EUNSUPPORTED},
		{EH(e_phentsize), 2, 32, LB_EFORMAT},
		{EH(e_phentsize), 2, 0, LB_EFORMAT},
		{EH(e_phentsize), 2, 64, LB_EFORMAT},
		{EH(e_phnum), 2, 0, LB_EFORMAT},
		{EH(e_phnum), 2, 1, LB_EFORMAT}, /* only the PT_PHDR is left */
		{EH(e_phnum), 2, 73, LB_EFORMAT},
		{EH(e_phnum), 2, 0xfffe, LB_EFORMAT},
		{EH(e_phnum), 2, 0xffff, LB_EUNSUPPORTED},
		{EH(e_phoff), 8, ELF_FILE - 4 * 56 + 1, LB_EFORMAT},
		{EH(e_phoff), 8, UINT64_MAX, LB_EFORMAT},
		{EH(e_phoff), 8, UINT64_MAX - 56 * 4 + 1, LB_EFORMAT},
		{EH(e_shoff), 8, UINT64_MAX, LB_OK},
		/* entry: first and last byte that will do, and what is around them */
		{EH(e_entry), 8, 0xffffffff80000000, LB_OK},
		{EH(e_entry), 8, 0xffffffff800002fe, LB_OK},
		{EH(e_entry), 8, 0xffffffff800011fe, LB_OK},
		{EH(e_entry), 8, 0x80200010, LB_OK},
		{EH(e_entry), 8, 0x802011fe, LB_OK},
		{EH(e_entry), 8, 0xffffffff80000011, LB_EFORMAT},
		{EH(e_entry), 8, 0xffffffff7ffffffe, LB_EFORMAT},
		{EH(e_entry), 8, 0xffffffff80000300, LB_EFORMAT},
		{EH(e_entry), 8, 0xffffffff80001200, LB_EFORMAT}, /* bss */
		{EH(e_entry), 8, 0x80200300, LB_EFORMAT},
		{EH(e_entry), 8, 0x801ffffe, LB_EFORMAT},
		{EH(e_entry), 8, 0, LB_EFORMAT},
		/* bytes in the file */
		{PH(2, p_offset), 8, ELF_FILE - 0x200, LB_OK},
		{PH(2, p_offset), 8, ELF_FILE - 0x1ff, LB_EFORMAT},
		{PH(2, p_offset), 8, ELF_FILE, LB_EFORMAT},
		{PH(2, p_offset), 8, UINT64_MAX, LB_EFORMAT},
		{PH(2, p_offset), 8, UINT64_MAX - 0x1ff, LB_EFORMAT},
		{PH(2, p_filesz), 8, ELF_FILE - 0x800, LB_OK},
		{PH(2, p_filesz), 8, ELF_FILE - 0x7ff, LB_EFORMAT},
		{PH(2, p_filesz), 8, UINT64_MAX - 0x7ff, LB_EFORMAT},
		{PH(2, p_filesz), 8, 0, LB_OK},
		/* bytes in memory */
		{PH(2, p_memsz), 8, 0x200, LB_OK},
		{PH(2, p_memsz), 8, 0x1ff, LB_EFORMAT},
		{PH(2, p_memsz), 8, 0, LB_EFORMAT},
		{PH(2, p_memsz), 8, UINT64_MAX - 0x80201000, LB_OK},
		{PH(2, p_memsz), 8, UINT64_MAX - 0x80200fff, LB_ERANGE},
		{PH(2, p_memsz), 8, UINT64_MAX, LB_ERANGE},
		{PH(2, p_paddr), 8, UINT64_MAX - 0x5000, LB_OK},
		{PH(2, p_paddr), 8, UINT64_MAX - 0x4fff, LB_ERANGE},
		{PH(2, p_paddr), 8, UINT64_MAX, LB_ERANGE},
		/* overlaps, from below and from above */
		{PH(2, p_paddr), 8, 0x80200300, LB_OK},
		{PH(2, p_paddr), 8, 0x802002ff, LB_EFORMAT},
		{PH(2, p_paddr), 8, 0x80200000, LB_EFORMAT},
		{PH(2, p_paddr), 8, 0x801fb000, LB_OK},
		{PH(2, p_paddr), 8, 0x801fb001, LB_EFORMAT},
		{PH(1, p_memsz), 8, 0x1001, LB_EFORMAT},
		/* alignment */
		{PH(1, p_align), 8, 0, LB_OK},
		{PH(1, p_align), 8, 1, LB_OK},
		{PH(1, p_align), 8, UINT64_C(1) << 63, LB_OK},
		{PH(1, p_align), 8, 3, LB_EFORMAT},
		{PH(1, p_align), 8, 0x1001, LB_EFORMAT},
		{PH(1, p_align), 8, UINT64_MAX, LB_EFORMAT},
		/* not loaded: nothing in it matters */
		{PH(2, p_type), 4, PT_NOTE, LB_OK},
		{PH(0, p_type), 4, PT_LOAD, LB_EFORMAT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[ELF_FILE];
		struct image image;
		enum lb_err err;

		make_elf(bytes, ET_EXEC, USUAL_ENTRY, usual, ARRAY_SIZE(usual));
		put(bytes, cases[i].offset, cases[i].width, cases[i].value);
		err = read_exactly(image_read_elf, bytes, sizeof(bytes), &image);
		if (err != cases[i].expected)
			print_message("case %zu\n", i);
		assert_int_equal(err, cases[i].expected);
		if (err == LB_OK)
			check_image(&image, sizeof(bytes));
	}
}

static void an_elf_that_is_cut_anywhere_is_refused(void **state)
{
	uint8_t bytes[ELF_FILE];
	struct image image;

	(void)state;
	make_elf(bytes, ET_EXEC, USUAL_ENTRY, usual, ARRAY_SIZE(usual));
	for (size_t size = 0; size < sizeof(bytes); size++) {
		enum lb_err err = read_exactly(image_read_elf, bytes, size, &image);

		assert_int_equal(err, size < 0xa00 ? LB_EFORMAT : LB_OK); /* the last segment ends there */
	}
}

static void the_seventeenth_segment_is_one_too_many(void **state)
{
	Elf64_Phdr phdrs[64];
	uint8_t bytes[ELF_FILE];
	struct image image;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phdrs); i++)
		phdrs[i] = load(0, 0x1000 * i, 0x1000 * i, 0x1000, 0x1000);
	for (size_t count = 1; count <= ARRAY_SIZE(phdrs); count++) {
		make_elf(bytes, ET_EXEC, 0, phdrs, count);
		assert_int_equal(read_exactly(image_read_elf, bytes, sizeof(bytes), &image),
				 count <= IMAGE_SEGMENT_MAX ? LB_OK : LB_EUNSUPPORTED);
	}
	/* Segments without memory do not count. */
	for (size_t i = IMAGE_SEGMENT_MAX; i < ARRAY_SIZE(phdrs); i++)
		phdrs[i].p_filesz = phdrs[i].p_memsz = 0;
	make_elf(bytes, ET_EXEC, 0, phdrs, ARRAY_SIZE(phdrs));
	assert_int_equal(read_exactly(image_read_elf, bytes, sizeof(bytes), &image), LB_OK);
	assert_int_equal(image.segment_count, IMAGE_SEGMENT_MAX);
}

static void random_elves_never_break_the_description(void **state)
{
	static const uint64_t odd[] = {0, 1, 0x1000, 0x80200000, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63};
	uint32_t random = start_random();
	unsigned good = 0;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t headers = PHOFF + sizeof(usual);
		uint8_t bytes[ELF_FILE];
		struct image image;
		unsigned changes = next_random(&random) % 4;
		size_t size = next_random(&random) % 8 ? ELF_FILE : next_random(&random) % ELF_FILE;

		make_elf(bytes, next_random(&random) % 2 ? ET_EXEC : ET_DYN, USUAL_ENTRY, usual,
			 ARRAY_SIZE(usual));
		while (changes--) {
			size_t where = next_random(&random) % headers;

			if (next_random(&random) % 2)
				put(bytes, where & ~7u, 8, odd[next_random(&random) % ARRAY_SIZE(odd)]);
			else
				bytes[where] = (uint8_t)next_random(&random);
		}
		if (read_exactly(image_read_elf, bytes, size, &image) == LB_OK) {
			check_image(&image, size);
			good++;
		}
	}
	assert_in_range(good, 5000, 45000); /* both ways were taken, or this proves little */
}

/* ---- raw ---- */

static void a_raw_binary_is_taken_only_where_it_fits(void **state)
{
	static const struct {
		uint64_t size, load, entry;
		enum lb_err expected;
	} cases[] = {
		{0x1000, 0x80200000, 0x80200000, LB_OK},
		{0x1000, 0x80200000, 0x80200ffe, LB_OK},
		{0x1000, 0, 0, LB_OK},
		{2, UINT64_MAX - 3, UINT64_MAX - 3, LB_OK},
		{UINT64_MAX, 0, 0x80200000, LB_OK},
		{0, 0x80200000, 0x80200000, LB_EFORMAT},
		{0x1000, 0x80200000, 0x80201000, LB_EFORMAT},
		{0x1000, 0x80200000, 0x801ffffe, LB_EFORMAT},
		{0x1000, 0x80200000, 0x80200001, LB_EFORMAT},
		{0x1000, 0x80200000, 0, LB_EFORMAT},
		{0x1000, 0x80200000, UINT64_MAX - 1, LB_EFORMAT},
		{0x1000, UINT64_MAX - 0xffe, UINT64_MAX - 1, LB_ERANGE},
		{0x1000, UINT64_MAX, UINT64_MAX, LB_ERANGE},
		{UINT64_MAX, 0x80200000, 0x80200000, LB_ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image image;
		struct diag diag = {""};
		enum lb_err err = image_make_raw(cases[i].size, cases[i].load, cases[i].entry, &image, &diag);

		if (err != cases[i].expected)
			print_message("case %zu: %s\n", i, diag.text);
		assert_int_equal(err, cases[i].expected);
		assert_int_equal(diag.text[0] != '\0', err != LB_OK);
		if (err)
			continue;
		check_image(&image, cases[i].size);
		assert_int_equal(image.kind, IMAGE_RAW);
		assert_true(image.fixed);
		assert_false(image.zero_fill);
		assert_int_equal(image.segment_count, 1);
		assert_true(image.segment[0].address == cases[i].load && image.entry == cases[i].entry);
		assert_true(image.segment[0].file_size == cases[i].size && image.segment[0].offset == 0);
		assert_true(image.segment[0].mem_size == cases[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_linux_image_owns_whole_megapages_from_a_free_base),
		cmocka_unit_test(a_bad_linux_header_is_refused_field_by_field),
		cmocka_unit_test(a_linux_image_cut_in_its_header_is_refused),
		cmocka_unit_test(random_linux_headers_never_break_the_description),
		cmocka_unit_test(an_executable_elf_is_fixed_at_its_physical_addresses),
		cmocka_unit_test(a_dynamic_elf_is_relative_and_keeps_its_largest_alignment),
		cmocka_unit_test(an_elf_with_small_alignments_is_aligned_to_a_page),
		cmocka_unit_test(segments_in_any_order_come_out_sorted),
		cmocka_unit_test(a_bad_elf_is_refused_field_by_field),
		cmocka_unit_test(an_elf_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(the_seventeenth_segment_is_one_too_many),
		cmocka_unit_test(random_elves_never_break_the_description),
		cmocka_unit_test(a_raw_binary_is_taken_only_where_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
