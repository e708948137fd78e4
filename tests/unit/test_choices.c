// SPDX-License-Identifier: BSD-2-Clause
/* Which configurations may be the primary, in which order. */
#include "tests/unit/fit_build.h"

#include "kexec/bundle/choices.h"

#define CHECK(row, condition)                                                \
	do {                                                                 \
		if (!(condition))                                            \
			fail_msg("row %u: %s", (unsigned)(row), #condition); \
	} while (0)

static struct diag diag;
static struct bundle bundle;
static struct choices choices;

static struct file bundle_with(const struct hostile_property *policy, const char *const *names)
{
	struct builder b = begin_tree();

	add_node(b, "images", PROPERTIES(STRING("note", "none")));
	ok(fdt_begin_node(b.fdt, "configurations"));
	add_properties(b, policy);
	for (; *names; names++)
		add_node(b, *names, PROPERTIES(STRING("kernel", "k")));
	add_node(b, "saver", PROPERTIES(STRING("kernel", "k"), STRING("lifeboat,role", "crash")));
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

static enum lb_err read(struct file file)
{
	memset(&choices, 0xa5, sizeof(choices));
	assert_int_equal(open_bundle(file, &bundle, &diag), LB_OK);
	return choices_read(&bundle, &choices, &diag);
}

static void names_are(const char *const *names)
{
	for (size_t i = 0; i < choices.count; i++)
		assert_string_equal(choices.name[i], names[i]);
	assert_null(names[choices.count]);
}

static void the_default_comes_first_then_the_bundles_order_without_the_crash_kernels(void **state)
{
	static const char *const in[] = {"b", "crash", "a", "c", NULL}, *const out[] = {"a", "b", "c", NULL},
				 *const plain[] = {"b", "a", "c", NULL};
	struct file file = bundle_with(PROPERTIES(STRING("default", "a")), in);

	(void)state;
	assert_int_equal(read(file), LB_OK);
	names_are(out);
	assert_int_equal(choices.more, 0);
	free(file.bytes);
	file = bundle_with(PROPERTIES(STRING("note", "no default")), in);
	assert_int_equal(read(file), LB_OK);
	names_are(plain);
	free(file.bytes);
}

static void a_default_that_is_not_there_is_still_what_was_meant(void **state)
{
	static const char *const in[] = {"b", NULL}, *const out[] = {"gone", "b", NULL};
	struct file file = bundle_with(PROPERTIES(STRING("default", "gone")), in);

	(void)state;
	assert_int_equal(read(file), LB_OK);
	names_are(out);
	free(file.bytes);
}

static void of_several_defaults_the_first_counts(void **state)
{
	static const char *const in[] = {"b", "a", NULL}, *const out[] = {"a", "b", NULL};
	struct file file = bundle_with(PROPERTIES(BYTES("default", "a\0b\0")), in);

	(void)state;
	assert_int_equal(read(file), LB_OK);
	names_are(out);
	free(file.bytes);
}

static void nothing_but_a_crash_kernel_is_nothing(void **state)
{
	static const char *const in[] = {"crash", NULL};
	struct file file = bundle_with(PROPERTIES(STRING("note", "none")), in);

	(void)state;
	assert_int_equal(read(file), LB_ENOENT);
	free(file.bytes);
	file = bundle_with(PROPERTIES(BYTES("default", "a")), in);
	assert_int_equal(read(file), LB_EFORMAT);
	free(file.bytes);
}

static void the_table_is_bounded_and_says_so(void **state)
{
	static const char *const in[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", NULL},
				 *const out[] = {"a", "0", "1", "2", "3", "4", "5", "6", "7", NULL};
	struct file file = bundle_with(PROPERTIES(STRING("default", "a")), in);

	(void)state;
	assert_int_equal(read(file), LB_OK);
	names_are(out);
	assert_int_equal(choices.more, 2);
	assert_int_equal(choices_find(&bundle, &choices, "9", 1), CHOICES_MAX);
	assert_string_equal(choices.name[CHOICES_MAX], "9");
	assert_int_equal(choices_find(&bundle, &choices, "saver", 5), CHOICES_MAX);
	assert_int_equal(choices_find(&bundle, &choices, "3 quiet", 1), 4);
	assert_int_equal(choices_find(&bundle, &choices, "save", 4), CHOICES_NONE);
	assert_int_equal(choices_find(&bundle, &choices, "", 0), CHOICES_NONE);
	free(file.bytes);
}

static void a_bare_payload_is_the_one_choice(void **state)
{
	uint8_t *bytes = aligned_alloc(8, 8); /* not a byte more may be looked at */
	struct file file = {.bytes = bytes, .size = 5};

	(void)state;
	memset(bytes, 'x', 8);
	assert_int_equal(read(file), LB_OK);
	assert_int_equal(choices.count, 1);
	assert_string_equal(choices.name[0], "bare");
	assert_int_equal(choices_find(&bundle, &choices, "other", 5), CHOICES_NONE);
	free(bytes);
}

static void the_wanted_is_tried_first_and_the_demoted_last(void **state)
{
	static const struct {
		size_t count, wanted;
		uint32_t demoted;
		const char *order;
	} rows[] = {
		{3, CHOICES_NONE, 0, "012"},
		{3, CHOICES_NONE, 1, "120"},
		{3, CHOICES_NONE, 5, "102"},
		{3, CHOICES_NONE, 7, "012"},
		{3, 2, 0, "201"},
		{3, 0, 1, "012"},
		{3, 2, 1, "210"},
		{3, CHOICES_MAX, 2, "9021"},
		{1, CHOICES_NONE, 0, "0"},
		{9, 4, 0x101, "412356708"},
	};
	size_t order[CHOICES_MAX + 1];

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
		const struct choices some = {.count = rows[row].count};
		size_t count = choices_order(&some, rows[row].wanted, rows[row].demoted, order);

		CHECK(row, count == strlen(rows[row].order));
		for (size_t i = 0; i < count; i++)
			CHECK(row, order[i] == (size_t)(rows[row].order[i] - '0'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_comes_first_then_the_bundles_order_without_the_crash_kernels),
		cmocka_unit_test(a_default_that_is_not_there_is_still_what_was_meant),
		cmocka_unit_test(of_several_defaults_the_first_counts),
		cmocka_unit_test(nothing_but_a_crash_kernel_is_nothing),
		cmocka_unit_test(the_table_is_bounded_and_says_so),
		cmocka_unit_test(a_bare_payload_is_the_one_choice),
		cmocka_unit_test(the_wanted_is_tried_first_and_the_demoted_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
