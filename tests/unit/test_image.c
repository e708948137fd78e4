// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/image/linux.c and kexec/image/raw.c: what becomes of good headers, and that bad ones never get
 * through. The headers are built here by the offsets of the kernel's document.
 */
#include "tests/unit/image_check.h"

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
		cmocka_unit_test(a_raw_binary_is_taken_only_where_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
