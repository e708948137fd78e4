// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/bundle/bundle.c on real FITs: what is read from those that mkimage makes, and which are refused.
 *
 * They come from make_fits.py, in the directory that LIFEBOAT_FITS names. Where a payload lies in a FIT is
 * found by searching for its bytes.
 */
#include "tests/unit/bundle_check.h"

static void assert_blob(struct file file, const struct bundle_blob *blob, const char *node,
			const char *payload)
{
	assert_string_equal(blob->node, node);
	assert_int_equal(blob->offset, find_payload(file, payload));
	assert_int_equal(blob->size, payload_size(payload));
}

static void embedded_and_external_data_are_found_where_they_lie(void **state)
{
	static const char *const names[] = {"embedded", "external", "external-tight", "position"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file file = load_fit(names[i]);
		struct bundle_config config;
		struct diag diag;

		assert_true(bundle_probe(file.bytes, file.size) && is_fit(file));
		assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
		assert_string_equal(config.name, "conf");
		assert_string_equal(config.bootargs, "console=hvc0 quiet");
		assert_string_equal(config.fdt[0].node, "board");
		assert_blob(file, &config.kernel, "kernel", "linux.bin");
		assert_blob(file, &config.ramdisk[0], "ramdisk", "ramdisk.bin");
		assert_false(config.in_place);
		assert_int_equal(config.image.kind, IMAGE_LINUX);
		assert_false(config.image.fixed); /* load and entry do not matter to a Linux Image */
		assert_int_equal(config.image.mem_size, 0x400000);
		assert_int_equal(config.image.segment[0].file_size, payload_size("linux.bin"));
		free(file.bytes);
	}
}

static void a_noload_kernel_may_stay_in_place_and_needs_no_ramdisk(void **state)
{
	struct file file = load_fit("noload");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, "conf", &config, &diag), LB_OK);
	assert_true(config.in_place);
	assert_int_equal(config.image.kind, IMAGE_LINUX);
	assert_int_equal(config.ramdisk[0].size, 0);
	assert_null(config.bootargs);
	assert_int_equal(config.fdt[0].size, 0);
	assert_blob(file, &config.kernel, "kernel", "linux.bin");
	assert_int_equal(config.kernel.offset % 0x1000, 0);
	free(file.bytes);
}

static void a_raw_binary_goes_where_the_bundle_says(void **state)
{
	static const struct {
		const char *fit;
		uint64_t load, entry;
	} cases[] = {
		{"raw", 0x80400000, 0x80400010},
		{"raw-two-cells", 0x180400000, 0x180400010},
		{"raw-no-entry", 0x80400000, 0x80400000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		struct bundle_config config;
		struct diag diag;

		assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
		assert_int_equal(config.image.kind, IMAGE_RAW);
		assert_true(config.image.fixed);
		assert_int_equal(config.image.segment[0].address, cases[i].load);
		assert_int_equal(config.image.segment[0].file_size, payload_size("raw.bin"));
		assert_int_equal(config.image.entry, cases[i].entry);
		free(file.bytes);
	}
}

static void an_elf_needs_no_load_address(void **state)
{
	struct file file = load_fit("elf");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_int_equal(config.image.kind, IMAGE_ELF);
	assert_true(config.image.fixed);
	assert_int_equal(config.image.segment[0].address, 0x80400000);
	assert_int_equal(config.image.entry, 0x80400078);
	assert_blob(file, &config.kernel, "kernel", "elf.bin");
	free(file.bytes);
}

static void a_packed_kernel_is_described_and_read_later(void **state)
{
	struct file file = load_fit("gzip"), image = load_file("linux.bin");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_ptr_equal(config.packed.by, &decompress_gzip);
	assert_int_equal(config.packed.offset, 0);
	assert_int_equal(config.packed.size, payload_size("linux.gz"));
	assert_blob(file, &config.kernel, "kernel", "linux.gz");
	assert_int_equal(config.image.segment_count, 0);
	assert_int_equal(bundle_read_payload(image.bytes, image.size, &config, &diag), LB_OK);
	assert_int_equal(config.image.kind, IMAGE_LINUX);
	assert_int_equal(bundle_read_payload("no kernel", 9, &config, &diag), LB_EFORMAT);
	assert_says(&diag, "is neither a Linux Image nor an ELF");
	free(image.bytes);
	free(file.bytes);
}

static void ramdisks_and_loadables_are_lists(void **state)
{
	struct file file = load_fit("two-ramdisks");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_blob(file, &config.ramdisk[0], "ramdisk", "ramdisk.bin");
	assert_blob(file, &config.ramdisk[1], "more", "board.bin");
	assert_int_equal(config.ramdisk[2].size, 0);
	assert_ptr_equal(bundle_config_blob(&config, 2), &config.ramdisk[1]);
	assert_null(bundle_config_blob(&config, 3));
	free(file.bytes);
	file = load_fit("loadables");
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_blob(file, &config.loadable[0], "extra", "raw.bin");
	assert_int_equal(config.loadable[0].load, 0x90000000);
	free(file.bytes);
}

static void each_of_several_configurations_can_be_asked_for(void **state)
{
	static const struct {
		const char *asked, *got, *bootargs, *kernel;
		bool ramdisk;
	} cases[] = {
		{NULL, "second", "two", "linux2.bin", true},
		{"first", "first", "one", "linux.bin", false},
		{"second", "second", "two", "linux2.bin", true},
		{"crash", "crash", "three", "linux.bin", true},
	};
	struct file file = load_fit("several");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(read_config(file, cases[i].asked, &config, &diag), LB_OK);
		assert_string_equal(config.name, cases[i].got);
		assert_string_equal(config.bootargs, cases[i].bootargs);
		assert_int_equal(config.kernel.offset, find_payload(file, cases[i].kernel));
		assert_int_equal(config.ramdisk[0].size, cases[i].ramdisk ? payload_size("ramdisk.bin") : 0);
	}
	assert_int_equal(read_config(file, "third", &config, &diag), LB_ENOENT);
	assert_says(&diag, "the configuration 'third' is not there");
	assert_int_equal(read_config(file, "cras", &config, &diag), LB_ENOENT);
	assert_int_equal(read_config(file, "", &config, &diag), LB_ENOENT);
	free(file.bytes);
}

static void what_has_its_place_already_is_no_loadable(void **state)
{
	struct bundle_config config;
	struct diag diag;
	struct file file = load_fit("two-roles");

	(void)state;
	assert_int_equal(read_config(file, "conf", &config, &diag), LB_OK);
	assert_string_equal(config.loadable[0].node, "extra");
	assert_int_equal(config.loadable[1].size, 0);
	free(file.bytes);
	file = load_fit("auto");
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_string_equal(config.kernel.node, "kernel-1");
	assert_string_equal(config.kernel.compression, "gzip");
	assert_string_equal(config.fdt[0].node, "fdt-1");
	assert_int_equal(config.loadable[0].size, 0);
	free(file.bytes);
}

static void without_a_default_the_first_configuration_is_it(void **state)
{
	struct file file = load_fit("no-default");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_string_equal(config.name, "conf");
	free(file.bytes);
}

static void a_unit_address_is_part_of_the_name(void **state)
{
	struct file file = load_fit("unit-address");
	struct bundle_config config;
	struct diag diag;

	(void)state;
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_blob(file, &config.kernel, "kernel@2", "linux2.bin");
	assert_int_equal(read_config(file, "short", &config, &diag), LB_ENOENT);
	assert_says(&diag, "no image 'kernel'");
	free(file.bytes);
}

static void what_this_build_can_not_start_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *fit;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{"raw-no-load", LB_EFORMAT, "image 'kernel' is neither a Linux Image nor an ELF"},
		{"raw-noload", LB_EUNSUPPORTED, "can not be kernel_noload"},
		{"bzip2", LB_EUNSUPPORTED, "image 'kernel' has the compression 'bzip2'"},
		{"gzip-ramdisk", LB_EUNSUPPORTED, "image 'ramdisk' has the compression 'gzip'"},
		{"wrong-arch", LB_EUNSUPPORTED, "image 'kernel' is for the arch 'arm64'"},
		{"wrong-type", LB_EUNSUPPORTED, "type 'flat_dt', which can not serve as a kernel"},
		{"bad-default", LB_ENOENT, "the configuration 'con' is not there"},
		{"missing-kernel", LB_ENOENT, "there is no image 'kernel' to serve as the kernel"},
		{"missing-ramdisk", LB_ENOENT, "there is no image 'ramdisk' to serve as the ramdisk"},
		{"no-kernel", LB_ENOENT, "configuration 'conf' has no kernel"},
		{"loadable-without-load", LB_EFORMAT, "loadable 'ramdisk' has no load address"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		struct bundle_config config;
		struct diag diag;
		enum lb_err err = read_config(file, NULL, &config, &diag);

		if (err != cases[i].expected)
			print_message("%s: %s\n", cases[i].fit, diag.text);
		assert_int_equal(err, cases[i].expected);
		assert_says(&diag, cases[i].says);
		free(file.bytes);
	}
}

static void a_bundle_is_as_long_as_what_its_images_refer_to(void **state)
{
	static const struct {
		const char *fit, *last;
	} cases[] = {
		{"embedded", NULL}, /* all of the file is the tree */
		{"raw", NULL},
		{"external", "board.bin"},
		{"external-tight", "board.bin"},
		{"position", "board.bin"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		size_t expected = file.size;
		uint8_t *longer = calloc(1, file.size + 5000);
		uint64_t total = 0;
		struct diag diag;

		if (cases[i].last)
			expected = find_payload(file, cases[i].last) + payload_size(cases[i].last);
		memcpy(longer, file.bytes, file.size);
		assert_int_equal(read_size((struct file){longer, file.size + 5000}, &total, &diag), LB_OK);
		assert_int_equal(total, expected);
		assert_int_equal(read_size((struct file){longer, expected}, &total, &diag), LB_OK);
		assert_int_equal(total, expected);
		total = 77;
		assert_int_equal(read_size((struct file){longer, expected - 1}, &total, &diag), LB_EFORMAT);
		assert_says(&diag, "truncated, copy it again");
		assert_int_equal(total, 77);
		free(longer);
		free(file.bytes);
	}
}

static void a_bare_image_or_elf_is_described_and_nothing_else(void **state)
{
	static const struct {
		const char *payload;
		enum lb_err expected;
		enum image_kind kind;
	} cases[] = {
		{"linux.bin", LB_OK, IMAGE_LINUX},
		{"elf.bin", LB_OK, IMAGE_ELF},
		{"raw.bin", LB_EFORMAT, IMAGE_RAW},
		{"linux.gz", LB_OK, IMAGE_LINUX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_file(cases[i].payload);
		struct bundle_config config;
		struct diag diag = {""};
		enum lb_err err = read_config(file, "any name", &config, &diag);
		const bool packed = strcmp(cases[i].payload, "linux.gz") == 0;

		assert_false(is_fit(file));
		assert_int_equal(bundle_probe(file.bytes, file.size), !err && !packed);
		assert_int_equal(bundle_is_packed(file.bytes, file.size), packed);
		assert_int_equal(err, cases[i].expected);
		if (err == LB_OK) {
			assert_int_equal(config.packed.by != NULL, packed);
			assert_int_equal(config.image.kind, cases[i].kind);
			assert_string_equal(config.name, "bare");
			assert_int_equal(config.kernel.offset, 0);
			assert_int_equal(config.kernel.size, file.size);
			assert_int_equal(config.ramdisk[0].size, 0);
			assert_null(config.bootargs);
			assert_false(config.in_place);
		}
		free(file.bytes);
	}
}

static void bare_data_shorter_than_any_header_is_refused(void **state)
{
	struct file file = load_file("linux.bin");

	(void)state;
	for (size_t size = 0; size < 64; size++) {
		struct file part = cut(file, size);
		struct bundle_config config;
		struct diag diag;

		assert_int_equal(read_config(part, NULL, &config, &diag), LB_EFORMAT);
		assert_false(bundle_probe(part.bytes, size));
		free(part.bytes);
	}
	free(file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(embedded_and_external_data_are_found_where_they_lie),
		cmocka_unit_test(a_noload_kernel_may_stay_in_place_and_needs_no_ramdisk),
		cmocka_unit_test(a_raw_binary_goes_where_the_bundle_says),
		cmocka_unit_test(an_elf_needs_no_load_address),
		cmocka_unit_test(a_packed_kernel_is_described_and_read_later),
		cmocka_unit_test(ramdisks_and_loadables_are_lists),
		cmocka_unit_test(each_of_several_configurations_can_be_asked_for),
		cmocka_unit_test(what_has_its_place_already_is_no_loadable),
		cmocka_unit_test(without_a_default_the_first_configuration_is_it),
		cmocka_unit_test(a_unit_address_is_part_of_the_name),
		cmocka_unit_test(what_this_build_can_not_start_is_refused_with_its_reason),
		cmocka_unit_test(a_bundle_is_as_long_as_what_its_images_refer_to),
		cmocka_unit_test(a_bare_image_or_elf_is_described_and_nothing_else),
		cmocka_unit_test(bare_data_shorter_than_any_header_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
