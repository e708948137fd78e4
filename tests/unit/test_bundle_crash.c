// SPDX-License-Identifier: BSD-2-Clause
/* The crash configuration of a bundle: which one it is, its defaults, and what makes no sense. */
#include "tests/unit/fit_build.h"

#include "kexec/bundle/choices.h"
#include "kexec/bundle/policy.h"

static struct diag diag;
static struct machine machine;

/* A FIT whose /configurations has what @add puts there. */
static struct file bundle_with(void (*add)(struct builder b, const struct hostile_property *properties),
			       const struct hostile_property *properties)
{
	struct builder b = begin_tree();

	add_node(b, "images", PROPERTIES(STRING("note", "none")));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add(b, properties);
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

/* All that there are, best first. */
static enum lb_err list(struct file file, struct bundle *bundle, struct choices *choices)
{
	enum lb_err err = open_bundle(file, bundle, &diag);

	return err ? err : choices_read_crash(bundle, &machine, choices, &diag);
}

/* What the first one wants. */
static enum lb_err find(struct file file, struct bundle_crash *crash)
{
	struct choices choices;
	struct bundle bundle;
	enum lb_err err = list(file, &bundle, &choices);

	return err ? err : bundle_read_crash(&bundle, choices.name[0], crash, &diag);
}

static void add_crash(struct builder b, const struct hostile_property *properties)
{
	add_node(b, "primary", PROPERTIES(STRING("kernel", "k")));
	add_node(b, "crash", properties);
}

static enum lb_err find_with(const struct hostile_property *properties, struct bundle_crash *crash)
{
	struct file file = bundle_with(add_crash, properties);
	enum lb_err err = find(file, crash);

	if (!err)
		assert_in_range((uintptr_t)crash->name, (uintptr_t)file.bytes,
				(uintptr_t)file.bytes + file.size);
	free(file.bytes);
	return err;
}

static void a_configuration_named_crash_has_these_defaults(void **state)
{
	struct file file = bundle_with(add_crash, PROPERTIES(STRING("kernel", "k")));
	struct bundle_crash crash;

	(void)state;
	memset(&crash, 0xa5, sizeof(crash));
	assert_int_equal(find(file, &crash), LB_OK);
	assert_string_equal(crash.name, "crash");
	assert_int_equal(crash.region_size, 0);
	assert_int_equal(crash.kept_size, 0);
	assert_true(crash.has_kernel);
	assert_int_equal(crash.attempts, 1);
	assert_true(crash.capture_unknown);
	free(file.bytes);
}

static void add_role(struct builder b, const struct hostile_property *properties)
{
	add_node(b, "primary", PROPERTIES(STRING("lifeboat,role", "primary")));
	add_node(b, "crasher", PROPERTIES(STRING("lifeboat,role", "crash!")));
	add_node(b, "cut", PROPERTIES(BYTES("lifeboat,role", "crash")));
	add_node(b, "rescue", properties);
	add_node(b, "second", PROPERTIES(STRING("lifeboat,role", "crash")));
}

static void otherwise_the_first_with_the_role_is_it(void **state)
{
	struct file file = bundle_with(add_role, PROPERTIES(STRING("lifeboat,role", "crash"),
							    CELL("lifeboat,attempts", "\0\0\0\3")));
	struct bundle_crash crash;

	(void)state;
	assert_int_equal(find(file, &crash), LB_OK);
	assert_string_equal(crash.name, "rescue");
	assert_int_equal(crash.attempts, 3);
	free(file.bytes);
}

static void add_none(struct builder b, const struct hostile_property *properties)
{
	(void)properties;
	add_node(b, "primary", PROPERTIES(STRING("kernel", "crash")));
	add_node(b, "crash-2", PROPERTIES(STRING("kernel", "crash")));
	add_node(b, "crash@1", PROPERTIES(STRING("kernel", "crash")));
}

static void a_name_that_only_begins_with_crash_is_none(void **state)
{
	struct file file = bundle_with(add_none, NULL);
	struct bundle_crash crash;

	(void)state;
	assert_int_equal(find(file, &crash), LB_ENOENT);
	free(file.bytes);
}

static void a_bundle_without_configurations_has_none(void **state)
{
	struct builder b = begin_tree();
	struct bundle_crash crash;
	struct file file;

	(void)state;
	add_node(b, "images", PROPERTIES(STRING("note", "none")));
	file = end_tree(b, 0);
	assert_int_equal(find(file, &crash), LB_ENOENT);
	free(file.bytes);
}

static void the_size_may_have_one_cell_or_two(void **state)
{
	struct bundle_crash crash;

	(void)state;
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,region-size", "\x08\0\0\0")), &crash), LB_OK);
	assert_int_equal(crash.region_size, 0x08000000);
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,region-size", "\0\0\0\1\x40\0\0\0")), &crash),
			 LB_OK);
	assert_int_equal(crash.region_size, UINT64_C(0x140000000));
	assert_int_equal(find_with(PROPERTIES(BYTES("lifeboat,region-size", "\1\2\3")), &crash), LB_EFORMAT);
	assert_int_equal(find_with(PROPERTIES(STRING("lifeboat,region-size", "128M")), &crash), LB_EFORMAT);
}

static void it_may_only_reserve_a_region_and_room_to_load_into(void **state)
{
	struct bundle_crash crash;

	(void)state;
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,kept-size", "\4\0\0\0")), &crash), LB_OK);
	assert_false(crash.has_kernel);
	assert_int_equal(crash.kept_size, 0x04000000);
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,kept-size", "\0\0\0\1\0\0\0\0")), &crash),
			 LB_OK);
	assert_int_equal(crash.kept_size, UINT64_C(0x100000000));
	assert_int_equal(find_with(PROPERTIES(BYTES("lifeboat,kept-size", "\1\2\3")), &crash), LB_EFORMAT);
}

static void it_may_lend_the_rest_where_userspace_brings_the_kernel(void **state)
{
	struct bundle_crash crash;

	(void)state;
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,kept-size", "\4\0\0\0")), &crash), LB_OK);
	assert_false(crash.lent);
	assert_int_equal(find_with(PROPERTIES(STRING("lifeboat,region", "lent")), &crash), LB_OK);
	assert_true(crash.lent);
	assert_int_equal(find_with(PROPERTIES(STRING("lifeboat,region", "len")), &crash), LB_EFORMAT);
	assert_int_equal(find_with(PROPERTIES(BYTES("lifeboat,region", "")), &crash), LB_EFORMAT);
	assert_int_equal(find_with(PROPERTIES(STRING("kernel", "k"), STRING("lifeboat,region", "lent")),
				   &crash),
			 LB_EFORMAT);
}

static void attempts_are_1_to_16(void **state)
{
	static const struct hostile_property rows[] = {
		CELL("lifeboat,attempts", "\0\0\0\0"),
		CELL("lifeboat,attempts", "\0\0\0\x11"),
		CELL("lifeboat,attempts", "\xff\xff\xff\xff"),
		CELL("lifeboat,attempts", "\0\0\0\1\0\0\0\1"), /* must not be cut to 1 */
		BYTES("lifeboat,attempts", "\1"),
	};
	struct bundle_crash crash;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(find_with(PROPERTIES(rows[i]), &crash), LB_EFORMAT);
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,attempts", "\0\0\0\1")), &crash), LB_OK);
	assert_int_equal(crash.attempts, 1);
	assert_int_equal(find_with(PROPERTIES(CELL("lifeboat,attempts", "\0\0\0\x10")), &crash), LB_OK);
	assert_int_equal(crash.attempts, 16);
}

static void an_unknown_end_is_captured_or_booted_and_nothing_else(void **state)
{
	static const struct hostile_property bad[] = {
		STRING("lifeboat,unknown-end", "reboot"),	 STRING("lifeboat,unknown-end", ""),
		BYTES("lifeboat,unknown-end", "boot"),		 BYTES("lifeboat,unknown-end", ""),
		STRING("lifeboat,unknown-end", "capture\0boot"),
	};
	struct bundle_crash crash;

	(void)state;
	assert_int_equal(find_with(PROPERTIES(STRING("lifeboat,unknown-end", "capture")), &crash), LB_OK);
	assert_true(crash.capture_unknown);
	assert_int_equal(find_with(PROPERTIES(STRING("lifeboat,unknown-end", "boot")), &crash), LB_OK);
	assert_false(crash.capture_unknown);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(find_with(PROPERTIES(bad[i]), &crash), LB_EFORMAT);
}

static void a_bundle_cut_short_anywhere_is_refused(void **state)
{
	struct file file = bundle_with(add_crash, PROPERTIES(STRING("lifeboat,role", "crash"),
							     CELL("lifeboat,attempts", "\0\0\0\2")));
	struct bundle_crash crash;

	(void)state;
	for (size_t size = 0; size < file.size; size++) {
		struct file part = cut(file, size);

		assert_int_not_equal(find(part, &crash), LB_OK);
		free(part.bytes);
	}
	free(file.bytes);
}

static void add_two_boards(struct builder b, const struct hostile_property *properties)
{
	(void)properties;
	add_node(b, "any", PROPERTIES(STRING("lifeboat,role", "crash")));
	add_node(b, "crash", PROPERTIES(STRING("compatible", "acme,other")));
	add_node(b, "mine", PROPERTIES(STRING("lifeboat,role", "crash"), STRING("compatible", "acme,board")));
}

static void of_several_this_boards_is_taken_and_of_equals_the_first(void **state)
{
	static const struct {
		const char *compatible, *name;
	} rows[] = {{"acme,board", "mine"}, {"acme,other", "crash"}, {"acme,new", "any"}, {NULL, "any"}};
	struct file file = bundle_with(add_two_boards, NULL);
	struct bundle_crash crash;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		machine.compatible = rows[i].compatible;
		machine.compatible_size = rows[i].compatible ? strlen(rows[i].compatible) + 1 : 0;
		assert_int_equal(find(file, &crash), LB_OK);
		assert_string_equal(crash.name, rows[i].name);
	}
	machine = (struct machine){.compatible = NULL};
	free(file.bytes);
}

/* So that the caller can go on to the next when one is no good: nothing of any is looked at before. */
static void all_of_them_are_there_in_order(void **state)
{
	struct file file = bundle_with(add_two_boards, NULL);
	struct bundle_crash crash;
	struct choices choices;
	struct bundle bundle;

	(void)state;
	machine.compatible = "acme,board";
	machine.compatible_size = sizeof("acme,board");
	assert_int_equal(list(file, &bundle, &choices), LB_OK);
	assert_int_equal(choices.count, 3);
	assert_string_equal(choices.name[0], "mine");
	assert_string_equal(choices.name[1], "any");
	assert_string_equal(choices.name[2], "crash");
	assert_int_equal(bundle_read_crash(&bundle, "nobody", &crash, &diag), LB_ENOENT);
	machine = (struct machine){.compatible = NULL};
	free(file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_several_this_boards_is_taken_and_of_equals_the_first),
		cmocka_unit_test(all_of_them_are_there_in_order),
		cmocka_unit_test(a_configuration_named_crash_has_these_defaults),
		cmocka_unit_test(otherwise_the_first_with_the_role_is_it),
		cmocka_unit_test(a_name_that_only_begins_with_crash_is_none),
		cmocka_unit_test(a_bundle_without_configurations_has_none),
		cmocka_unit_test(the_size_may_have_one_cell_or_two),
		cmocka_unit_test(it_may_only_reserve_a_region_and_room_to_load_into),
		cmocka_unit_test(it_may_lend_the_rest_where_userspace_brings_the_kernel),
		cmocka_unit_test(attempts_are_1_to_16),
		cmocka_unit_test(an_unknown_end_is_captured_or_booted_and_nothing_else),
		cmocka_unit_test(a_bundle_cut_short_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
