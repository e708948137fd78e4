// SPDX-License-Identifier: BSD-2-Clause
/* Which configurations are firmware: by their role, or by what their kernel is. */
#include "tests/unit/fit_build.h"

#include "kexec/bundle/firmware.h"
#include "kexec/bundle/policy.h"

static struct diag diag;

/* A FIT with one image, "k", and the configurations "linux" and "other", whose properties are these. */
static struct file bundle_with(const struct hostile_property *image, const struct hostile_property *other,
			       const struct hostile_property *crash)
{
	struct builder b = begin_tree();

	ok(fdt_begin_node(b.fdt, "images"));
	add_node(b, "k", image);
	add_node(b, "Image", PROPERTIES(STRING("type", "kernel"), STRING("os", "linux")));
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_node(b, "linux", PROPERTIES(STRING("kernel", "Image")));
	add_node(b, "other", other);
	add_node(b, "crash", crash);
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

/* Is "other" firmware? "linux" and "crash" never are. */
static bool is_firmware(const struct hostile_property *image, const struct hostile_property *other)
{
	struct file file = bundle_with(image, other, PROPERTIES(STRING("kernel", "Image")));
	struct bundle bundle;
	int node;
	bool is;

	assert_int_equal(open_bundle(file, &bundle, &diag), LB_OK);
	assert_int_equal(fit_find_child(&bundle.fit, bundle.fit.configurations, "linux", &node, NULL), LB_OK);
	assert_false(bundle_is_firmware(&bundle.fit, node));
	assert_int_equal(fit_find_child(&bundle.fit, bundle.fit.configurations, "other", &node, NULL), LB_OK);
	is = bundle_is_firmware(&bundle.fit, node);
	assert_true(bundle_has_firmware(&bundle.fit) == is);
	free(file.bytes);
	return is;
}

static void the_role_says_so_whatever_the_kernel_is(void **state)
{
	const struct hostile_property *const image =
		PROPERTIES(STRING("type", "standalone"), STRING("os", "linux"));

	(void)state;
	assert_true(
		is_firmware(image, PROPERTIES(STRING("kernel", "k"), STRING("lifeboat,role", "firmware"))));
	assert_true(is_firmware(image, PROPERTIES(STRING("lifeboat,role", "firmware"))));
	assert_false(is_firmware(image, PROPERTIES(STRING("kernel", "k"), STRING("lifeboat,role", "crash"))));
	assert_false(
		is_firmware(image, PROPERTIES(STRING("kernel", "k"), BYTES("lifeboat,role", "firmware"))));
}

static void so_does_the_kind_of_the_kernel(void **state)
{
	static const struct {
		const char *type, *os;
		bool is;
	} rows[] = {
		{"firmware", "u-boot", true}, {"firmware", "linux", true},     {"kernel", "u-boot", true},
		{"kernel", "efi", true},      {"kernel", "linux", false},      {"kernel", "elf", false},
		{"standalone", "efi", false}, {"standalone", "u-boot", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct hostile_property image[] = {
			{"type", rows[i].type, (int)strlen(rows[i].type) + 1},
			{"os", rows[i].os, (int)strlen(rows[i].os) + 1},
			{NULL, NULL, 0},
		};

		assert_true(is_firmware(image, PROPERTIES(STRING("kernel", "k"))) == rows[i].is);
	}
}

static void what_is_damaged_is_none(void **state)
{
	const struct hostile_property *const image = PROPERTIES(STRING("type", "firmware"));

	(void)state;
	assert_true(is_firmware(image, PROPERTIES(STRING("kernel", "k"))));
	assert_false(is_firmware(image, PROPERTIES(STRING("kernel", "none"))));
	assert_false(is_firmware(image, PROPERTIES(BYTES("kernel", "k"))));
	assert_false(is_firmware(image, PROPERTIES(STRING("note", "no kernel"))));
	assert_false(is_firmware(PROPERTIES(BYTES("type", "firmware")), PROPERTIES(STRING("kernel", "k"))));
}

static bool captures(const struct hostile_property *image, const struct hostile_property *crash)
{
	struct file file = bundle_with(image, PROPERTIES(STRING("kernel", "k")), crash);
	struct bundle_crash found;
	struct bundle bundle;

	assert_int_equal(open_bundle(file, &bundle, &diag), LB_OK);
	assert_int_equal(bundle_read_crash(&bundle, "crash", &found, &diag), LB_OK);
	assert_true(found.beside_firmware == bundle_has_firmware(&bundle.fit));
	free(file.bytes);
	return found.capture_unknown;
}

/* Firmware resets by itself, at its prompt or when it finds no OS. */
static void beside_firmware_an_unknown_end_is_no_crash_unless_the_bundle_says_so(void **state)
{
	const struct hostile_property *const uboot = PROPERTIES(STRING("type", "firmware"));
	const struct hostile_property *const elf = PROPERTIES(STRING("type", "kernel"), STRING("os", "elf"));
	const struct hostile_property *const says = PROPERTIES(STRING("lifeboat,unknown-end", "capture"));

	(void)state;
	assert_true(captures(elf, PROPERTIES(STRING("note", "nothing said"))));
	assert_false(captures(uboot, PROPERTIES(STRING("note", "nothing said"))));
	assert_true(captures(uboot, says));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_role_says_so_whatever_the_kernel_is),
		cmocka_unit_test(so_does_the_kind_of_the_kernel),
		cmocka_unit_test(what_is_damaged_is_none),
		cmocka_unit_test(beside_firmware_an_unknown_end_is_no_crash_unless_the_bundle_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
