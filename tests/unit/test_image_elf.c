// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/image/elf.c: what becomes of good ELFs, and that bad ones never get through. The headers are
 * built here by the host's <elf.h>.
 */
#include <elf.h>

#include "tests/unit/image_check.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_executable_elf_is_fixed_at_its_physical_addresses),
		cmocka_unit_test(a_dynamic_elf_is_relative_and_keeps_its_largest_alignment),
		cmocka_unit_test(an_elf_with_small_alignments_is_aligned_to_a_page),
		cmocka_unit_test(segments_in_any_order_come_out_sorted),
		cmocka_unit_test(a_bad_elf_is_refused_field_by_field),
		cmocka_unit_test(an_elf_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(the_seventeenth_segment_is_one_too_many),
		cmocka_unit_test(random_elves_never_break_the_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
