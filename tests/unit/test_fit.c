// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec/bundle/bundle.c and fdt/fit/fit.c on hostile trees, which mkimage would not make: wrong cells,
 * offsets and sizes, no strings, doubled names. libfdt's sequential writer builds them here.
 */
#include "tests/unit/fit_build.h"

#define RAW_LOAD CELL("load", "\x80\x40\x00\x00")

/* A tree with one configuration "c", whose kernel "k" has @properties. */
static struct file tree_of_kernel(const struct hostile_property *properties, size_t behind)
{
	struct builder b = begin_tree();

	ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", properties);
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", PROPERTIES(STRING("kernel", "k")));
	ok(fdt_end_node(b.fdt));
	return end_tree(b, behind);
}

/* A tree with one good kernel "k", and one configuration "c" with @properties. */
static struct file tree_of_config(const struct hostile_property *properties)
{
	struct builder b = begin_tree();

	ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", PROPERTIES(STRING("type", "kernel"), BYTES("data", "payload!"), RAW_LOAD));
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", properties);
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

static void assert_refused(struct file file, enum lb_err expected, const char *says)
{
	struct bundle_config config;
	struct diag diag;
	enum lb_err err = read_config(file, NULL, &config, &diag);

	if (err != expected)
		print_message("got: %s\n", diag.text);
	assert_int_equal(err, expected);
	if (says)
		assert_says(&diag, says);
	free(file.bytes);
}

#define KERNEL_TYPE STRING("type", "kernel")

static void a_plain_tree_from_this_builder_is_good(void **state)
{
	(void)state;
	assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"))), LB_OK, NULL);
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!"), RAW_LOAD), 0), LB_OK,
		       NULL);
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, CELL("data-offset", "\0\0\0\x10"),
						 CELL("data-size", "\0\0\0\x10"), RAW_LOAD),
				      32),
		       LB_OK, NULL);
}

static void external_data_outside_the_bundle_is_refused(void **state)
{
	static const struct {
		struct hostile_property place, size;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{CELL("data-offset", "\0\0\0\x00"), CELL("data-size", "\0\0\0\x20"), LB_OK, NULL},
		{CELL("data-offset", "\0\0\0\x1f"), CELL("data-size", "\0\0\0\x01"), LB_OK, NULL},
		{CELL("data-offset", "\0\0\0\x00"), CELL("data-size", "\0\0\0\x21"), LB_EFORMAT, "truncated"},
		{CELL("data-offset", "\0\0\0\x20"), CELL("data-size", "\0\0\0\x01"), LB_EFORMAT, "truncated"},
		{CELL("data-offset", "\0\0\0\x20"), CELL("data-size", "\0\0\0\x00"), LB_EFORMAT, "empty"},
		{CELL("data-offset", "\xff\xff\xff\xff"), CELL("data-size", "\0\0\0\x01"), LB_EFORMAT,
		 "truncated"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("data-size", "\xff\xff\xff\xff"), LB_EFORMAT,
		 "truncated"},
		{CELL("data-offset", "\xff\xff\xff\xff\xff\xff\xff\xff"), CELL("data-size", "\0\0\0\x01"),
		 LB_ERANGE, "absurd"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("data-size", "\xff\xff\xff\xff\xff\xff\xff\xff"),
		 LB_ERANGE, "absurd"},
		{CELL("data-position", "\xff\xff\xff\xff\xff\xff\xff\xff"), CELL("data-size", "\0\0\0\x01"),
		 LB_ERANGE, "absurd"},
		{CELL("data-position", "\0\0\0\x00"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "inside"},
		{CELL("data-position", "\0\0\0\x40"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "inside"},
		{CELL("data-position", "\0\xff\0\0"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT,
		 "truncated"},
		{BYTES("data-offset", ""), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "cells"},
		{BYTES("data-offset", "\0\0\0"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "cells"},
		{BYTES("data-offset", "\0\0\0\x08\0"), CELL("data-size", "\0\0\0\x08"), LB_EFORMAT, "cells"},
		{CELL("data-offset", "\0\0\0\x08"), BYTES("data-size", "\0\0\0\0\0\0\0\0\0\0\0\x08"),
		 LB_EFORMAT, "cells"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("size", "\0\0\0\x08"), LB_EFORMAT, "no data-size"},
		{CELL("data-offset", "\0\0\0\x08"), BYTES("data", "payload!"), LB_EFORMAT, "more than once"},
		{CELL("data-offset", "\0\0\0\x08"), CELL("data-position", "\0\0\x10\0"), LB_EFORMAT,
		 "more than once"},
		{CELL("offset", "\0\0\0\x08"), CELL("data-size", "\0\0\0\x08"), LB_ENOENT, "has no data"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(
			tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, cases[i].place, cases[i].size), 32),
			cases[i].expected, cases[i].says);
	}
}

static void data_offset_counts_from_the_trees_end_rounded_up_to_a_cell(void **state)
{
	(void)state;
	for (size_t odd = 0; odd < 8; odd++) {
		struct file file =
			tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, CELL("data-offset", "\0\0\0\x04"),
						  CELL("data-size", "\0\0\0\x05")),
				       64);
		uint32_t tree = tree_size(file) + (uint32_t)odd;
		struct bundle_config config;
		struct diag diag;

		fdt_set_totalsize(file.bytes, tree);
		assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
		assert_int_equal(config.kernel.offset, (tree + 3) / 4 * 4 + 4);
		assert_int_equal(config.kernel.size, 5);
		free(file.bytes);
	}
}

static void a_kernel_node_with_a_bad_property_is_refused(void **state)
{
	static const struct {
		struct hostile_property property; /* besides type, load and data */
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{STRING("arch", "riscv"), LB_OK, NULL},
		{STRING("arch", "riscv64"), LB_EUNSUPPORTED, "arch"},
		{STRING("arch", ""), LB_EUNSUPPORTED, "arch"},
		{BYTES("arch", ""), LB_EFORMAT, "'arch' of 'k' is not a string"},
		{BYTES("arch", "riscv"), LB_EFORMAT, "'arch' of 'k' is not a string"},
		{STRING("arch", "riscv\0arm"), LB_EUNSUPPORTED, "several"},
		{STRING("compression", "none"), LB_OK, NULL},
		{STRING("compression", "lz4"), LB_OK, NULL},
		{STRING("compression", "lz"), LB_EUNSUPPORTED, "'lz'"},
		{BYTES("compression", "none"), LB_EFORMAT, "not a string"},
		{BYTES("entry", ""), LB_EFORMAT, "'entry' of 'k' must be 1 or 2 cells, but has 0 bytes"},
		{BYTES("entry", "\0\0\0"), LB_EFORMAT, "has 3 bytes"},
		{BYTES("entry", "\0\0\0\0\0\0"), LB_EFORMAT, "has 6 bytes"},
		{BYTES("entry", "\0\0\0\0\0\0\0\0\0\0\0\0"), LB_EFORMAT, "has 12 bytes"},
		{CELL("entry", "\0\0\0\0"), LB_OK, NULL},
		{CELL("entry", "\x80\x40\x00\x06"), LB_OK, NULL},
		{CELL("entry", "\x80\x40\x00\x08"), LB_EFORMAT, "entry"},
		{CELL("entry", "\0\0\0\0\x80\x40\x00\x06"), LB_OK, NULL},
		{CELL("entry", "\0\0\0\1\x80\x40\x00\x06"), LB_EFORMAT, "entry"},
		{STRING("type", "kernel"), LB_EFORMAT, "'k' has the property 'type' twice"},
		{BYTES("data", "pay-load"), LB_EFORMAT, "'data' twice"},
		{CELL("load", "\x80\x20\0\0"), LB_EFORMAT, "'load' twice"},
		{STRING("description", "said twice"), LB_OK, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!"),
							 STRING("description", "once"), cases[i].property),
					      0),
			       cases[i].expected, cases[i].says);
	}
}

static void a_kernel_needs_a_type_and_bytes_and_a_load_that_fits(void **state)
{
	(void)state;
	assert_refused(tree_of_kernel(PROPERTIES(RAW_LOAD, BYTES("data", "payload!")), 0), LB_EFORMAT,
		       "image 'k' has no type");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD), 0), LB_ENOENT,
		       "image 'k' has no data");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "")), 0), LB_EFORMAT,
		       "image 'k' is empty");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!")), 0), LB_EFORMAT,
		       "needs a load address");
	assert_refused(
		tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!"), CELL("load", "\0\0\0\0")),
			       0),
		LB_EFORMAT, "needs a load address");
	assert_refused(tree_of_kernel(PROPERTIES(KERNEL_TYPE, BYTES("data", "payload!"),
						 CELL("load", "\xff\xff\xff\xff\xff\xff\xff\xf8")),
				      0),
		       LB_ERANGE, "past the end of memory");
}

static void a_configuration_with_a_bad_property_is_refused(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{STRING("kernel", "k"), LB_OK, NULL},
		{STRING("kernel", ""), LB_ENOENT, "no image ''"},
		{STRING("kernel", "k@1"), LB_ENOENT, "no image 'k@1'"},
		{STRING("kernel", "kk"), LB_ENOENT, "no image 'kk'"},
		{STRING("kernel", "/images/k"), LB_ENOENT, "no image"},
		{BYTES("kernel", "k"), LB_EFORMAT, "'kernel' of 'c' is not a string"},
		{BYTES("kernel", ""), LB_EFORMAT, "'kernel' of 'c' is not a string"},
		{STRING("kernel", "k\0k"), LB_EUNSUPPORTED, "'kernel' of 'c' lists several"},
		{BYTES("bootargs", "quiet"), LB_EFORMAT, "'bootargs' of 'c' is not a string"},
		{STRING("bootargs", "quiet\0loud"), LB_EUNSUPPORTED, "'bootargs' of 'c' lists several"},
		{STRING("firmware", "k"), LB_EUNSUPPORTED, "'firmware'"},
		{STRING("fpga", "k"), LB_EUNSUPPORTED, "'fpga'"},
		{STRING("description", "no kernel"), LB_ENOENT, "configuration 'c' has no kernel"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_config(PROPERTIES(cases[i].property)), cases[i].expected,
			       cases[i].says);
	}
	assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"), STRING("ramdisk", "k"))),
		       LB_EUNSUPPORTED, "type 'kernel', which can not serve as a ramdisk");
	assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"), STRING("kernel", "l"))), LB_EFORMAT,
		       "twice");
}

static void every_image_of_a_list_must_be_there_and_fit(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
		const char *says;
	} cases[] = {
		{STRING("fdt", "base\0overlay"), LB_ENOENT, "no image 'base' to serve as the fdt"},
		{STRING("fdt", "k"), LB_EUNSUPPORTED, "type 'kernel', which can not serve as a fdt"},
		{BYTES("fdt", "board"), LB_EFORMAT, "'fdt' of 'c' is not a string"},
		{BYTES("ramdisk", "r"), LB_EFORMAT, "'ramdisk' of 'c' is not a string"},
		{STRING("loadables", "k"), LB_OK, NULL},
		{STRING("loadables", "k\0k\0k\0k\0k\0k\0k\0k"), LB_OK, NULL},
		{STRING("loadables", "k\0k\0k\0k\0k\0k\0k\0k\0k"), LB_EUNSUPPORTED, "more than 8 images"},
		{STRING("loadables", "k\0l"), LB_ENOENT, "no image 'l' to serve as the loadable"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_config(PROPERTIES(STRING("kernel", "k"), cases[i].property)),
			       cases[i].expected, cases[i].says);
	}
}

/* Two children with these names under /images; the configuration asks for the first. */
static struct file tree_of_two_images(const char *wanted, const char *other, bool other_first)
{
	struct builder b = begin_tree();
	struct hostile_property kernel = {"kernel", wanted, (int)strlen(wanted) + 1};

	ok(fdt_begin_node(b.fdt, "images"));
	for (int i = 0; i < 2; i++) {
		const char *name = (i == 0) == other_first ? other : wanted;

		add_node(b, name, PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
	}
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", PROPERTIES(kernel));
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

static void names_that_libfdt_would_confuse_are_refused(void **state)
{
	static const struct {
		const char *wanted, *other;
		enum lb_err expected;
	} cases[] = {
		{"k", "k", LB_EFORMAT},	 {"k", "k@1", LB_EFORMAT}, {"k@1", "k@1", LB_EFORMAT},
		{"k@1", "k", LB_OK},	 {"k@1", "k@2", LB_OK},	   {"k", "kk", LB_OK},
		{"kk", "k", LB_OK},	 {"k", "kernel@1", LB_OK}, {"k@1", "k@11", LB_OK},
		{"k@1", "k@1@1", LB_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		print_message("case %zu\n", i);
		assert_refused(tree_of_two_images(cases[i / 2].wanted, cases[i / 2].other, i % 2),
			       cases[i / 2].expected, cases[i / 2].expected ? "several nodes" : NULL);
	}
}

static void main_nodes_that_are_doubled_are_refused(void **state)
{
	static const char *const names[][3] = {
		{"images", "images", "configurations"},
		{"images", "images@1", "configurations"},
		{"configurations", "configurations", "images"},
		{"configurations@0", "configurations", "images"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct builder b = begin_tree();

		for (size_t n = 0; n < 3; n++)
			add_node(b, names[i][n], PROPERTIES(STRING("description", "empty")));
		assert_refused(end_tree(b, 0), LB_EFORMAT, "several nodes");
	}
}

static void trees_without_their_main_nodes_are_refused(void **state)
{
	struct builder b = begin_tree();
	struct file file = end_tree(b, 0);

	(void)state;
	assert_false(is_fit(file));
	assert_refused(file, LB_EFORMAT, "neither a FIT nor");

	b = begin_tree();
	add_node(b, "images@1", PROPERTIES(STRING("description", "no")));
	file = end_tree(b, 0);
	assert_false(is_fit(file));
	assert_refused(file, LB_EFORMAT, "neither a FIT nor");

	b = begin_tree();
	add_node(b, "images", PROPERTIES(STRING("description", "alone")));
	file = end_tree(b, 0);
	assert_true(is_fit(file));
	assert_refused(file, LB_ENOENT, "no /configurations");

	b = begin_tree();
	add_node(b, "images", PROPERTIES(STRING("description", "empty")));
	add_node(b, "configurations", PROPERTIES(STRING("description", "empty")));
	assert_refused(end_tree(b, 0), LB_ENOENT, "no primary");
}

static void nodes_below_an_image_are_not_images(void **state)
{
	struct builder b = begin_tree();

	(void)state;
	ok(fdt_begin_node(b.fdt, "images"));
	ok(fdt_begin_node(b.fdt, "outer"));
	for (int depth = 0; depth < 100; depth++)
		ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
	for (int depth = 0; depth < 102; depth++)
		ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "c", PROPERTIES(STRING("kernel", "k")));
	ok(fdt_end_node(b.fdt));
	assert_refused(end_tree(b, 0), LB_ENOENT, "no image 'k'");
}

static void what_was_blanked_out_of_a_tree_is_not_there(void **state)
{
	static const char *const junk[] = {"/junk", "/images/junk", "/images/k@1", "/configurations/junk"};
	struct builder b = begin_tree();
	struct bundle_config config;
	struct diag diag;
	struct file file;

	(void)state;
	add_node(b, "junk", PROPERTIES(STRING("kernel", "k")));
	ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "junk", PROPERTIES(STRING("kernel", "k")));
	add_node(b, "k", PROPERTIES(STRING("arch", "arm"), KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
	add_node(b, "k@1", PROPERTIES(STRING("kernel", "k")));
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "junk", PROPERTIES(STRING("kernel", "k")));
	add_node(b, "c", PROPERTIES(STRING("loadables", "k"), STRING("kernel", "k")));
	ok(fdt_end_node(b.fdt));
	file = end_tree(b, 0);
	for (size_t i = 0; i < ARRAY_SIZE(junk); i++)
		ok(fdt_nop_node(file.bytes, fdt_path_offset(file.bytes, junk[i])));
	ok(fdt_nop_property(file.bytes, fdt_path_offset(file.bytes, "/images/k"), "arch"));
	ok(fdt_nop_property(file.bytes, fdt_path_offset(file.bytes, "/configurations/c"), "loadables"));
	assert_true(is_fit(file));
	assert_int_equal(read_config(file, NULL, &config, &diag), LB_OK);
	assert_string_equal(config.name, "c");
	assert_string_equal(config.kernel.node, "k");
	free(file.bytes);
}

static void a_default_that_is_no_name_is_refused_and_of_several_the_first_counts(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
	} cases[] = {
		{STRING("default", "c"), LB_OK},    {STRING("default", "c@1"), LB_ENOENT},
		{STRING("default", ""), LB_ENOENT}, {BYTES("default", "c"), LB_EFORMAT},
		{BYTES("default", ""), LB_EFORMAT}, {STRING("default", "c\0d"), LB_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct builder b = begin_tree();

		ok(fdt_begin_node(b.fdt, "images"));
		add_node(b, "k", PROPERTIES(KERNEL_TYPE, RAW_LOAD, BYTES("data", "payload!")));
		ok(fdt_end_node(b.fdt));
		ok(fdt_begin_node(b.fdt, "configurations"));
		add_properties(b, PROPERTIES(cases[i].property));
		add_node(b, "c", PROPERTIES(STRING("kernel", "k")));
		ok(fdt_end_node(b.fdt));
		assert_refused(end_tree(b, 0), cases[i].expected, NULL);
	}
}

static void a_bad_header_is_refused_before_the_tree_is_read(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *says;
	} cases[] = {
		{offsetof(struct fdt_header, magic), 0xd00dfeee, "neither a FIT nor"},
		{offsetof(struct fdt_header, totalsize), 0, "header is damaged"},
		{offsetof(struct fdt_header, totalsize), 39, "header is damaged"},
		{offsetof(struct fdt_header, totalsize), 0x80000000, "header is damaged"},
		{offsetof(struct fdt_header, totalsize), 0x7fffffff, "truncated"},
		{offsetof(struct fdt_header, version), 16, "header is damaged"},
		{offsetof(struct fdt_header, version), 0, "header is damaged"},
		{offsetof(struct fdt_header, last_comp_version), 18, "header is damaged"},
		{offsetof(struct fdt_header, off_dt_struct), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, off_dt_struct), 0x3a, "header is damaged"},
		{offsetof(struct fdt_header, off_mem_rsvmap), 0x2c, "header is damaged"},
		{offsetof(struct fdt_header, off_dt_strings), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, size_dt_struct), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, size_dt_strings), 0xffffffff, "header is damaged"},
		{offsetof(struct fdt_header, size_dt_struct), 8, "neither a FIT nor"},
		{offsetof(struct fdt_header, size_dt_strings), 1, "structure is damaged"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = tree_of_config(PROPERTIES(STRING("kernel", "k")));
		fdt32_t word = cpu_to_fdt32(cases[i].value);

		print_message("case %zu\n", i);
		memcpy(file.bytes + cases[i].offset, &word, sizeof(word));
		assert_refused(file, LB_EFORMAT, cases[i].says);
	}
}

static void an_image_that_nobody_uses_may_lack_data_but_not_lie_outside(void **state)
{
	static const struct {
		struct hostile_property property;
		enum lb_err expected;
	} cases[] = {
		{STRING("description", "only"), LB_OK},
		{CELL("data-position", "\0\0\x20\0"), LB_EFORMAT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct builder b = begin_tree();
		uint64_t total = 0;
		struct diag diag;
		struct file file;

		ok(fdt_begin_node(b.fdt, "images"));
		add_node(b, "unused", PROPERTIES(cases[i].property, CELL("data-size", "\0\0\0\x08")));
		ok(fdt_end_node(b.fdt));
		file = end_tree(b, 16);
		assert_int_equal(read_size(file, &total, &diag), cases[i].expected);
		if (cases[i].expected == LB_OK)
			assert_int_equal(total, tree_size(file));
		free(file.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_tree_from_this_builder_is_good),
		cmocka_unit_test(external_data_outside_the_bundle_is_refused),
		cmocka_unit_test(data_offset_counts_from_the_trees_end_rounded_up_to_a_cell),
		cmocka_unit_test(a_kernel_node_with_a_bad_property_is_refused),
		cmocka_unit_test(a_kernel_needs_a_type_and_bytes_and_a_load_that_fits),
		cmocka_unit_test(a_configuration_with_a_bad_property_is_refused),
		cmocka_unit_test(every_image_of_a_list_must_be_there_and_fit),
		cmocka_unit_test(names_that_libfdt_would_confuse_are_refused),
		cmocka_unit_test(main_nodes_that_are_doubled_are_refused),
		cmocka_unit_test(trees_without_their_main_nodes_are_refused),
		cmocka_unit_test(nodes_below_an_image_are_not_images),
		cmocka_unit_test(what_was_blanked_out_of_a_tree_is_not_there),
		cmocka_unit_test(a_default_that_is_no_name_is_refused_and_of_several_the_first_counts),
		cmocka_unit_test(a_bad_header_is_refused_before_the_tree_is_read),
		cmocka_unit_test(an_image_that_nobody_uses_may_lack_data_but_not_lie_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
