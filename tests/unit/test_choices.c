// SPDX-License-Identifier: BSD-2-Clause
/* Which configurations may be the primary, in which order. */
#include "tests/unit/fit_build.h"

#include "kexec/bundle/board.h"
#include "kexec/bundle/choices.h"

#define CHECK(row, condition)                                                \
	do {                                                                 \
		if (!(condition))                                            \
			fail_msg("row %u: %s", (unsigned)(row), #condition); \
	} while (0)

static struct diag diag;
static struct bundle bundle;
static struct choices choices;
static struct machine machine;

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
	return choices_read(&bundle, &machine, &choices, &diag);
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

/* ---- Boards ---- */

#define FDT_ROOM 256

/* What a configuration of the test's bundle says, each NULL if it does not. */
struct for_board {
	const char *name, *compatible, *fdt;
};

/* An FDT of a board, in @blob; its size. */
static int make_fdt(char blob[FDT_ROOM], const char *board)
{
	ok(fdt_create(blob, FDT_ROOM));
	ok(fdt_finish_reservemap(blob));
	ok(fdt_begin_node(blob, ""));
	if (*board)
		ok(fdt_property_string(blob, "compatible", board));
	ok(fdt_end_node(blob));
	ok(fdt_finish(blob));
	return (int)fdt_totalsize(blob);
}

/* The FDT image of each configuration is called as it is; @cut bytes of it are missing. */
static struct file bundle_for_boards(const char *by_default, const struct for_board *boards, int cut_off)
{
	struct builder b = begin_tree();

	ok(fdt_begin_node(b.fdt, "images"));
	for (const struct for_board *c = boards; c->name; c++) {
		_Alignas(8) char blob[FDT_ROOM];

		if (!c->fdt)
			continue;
		ok(fdt_begin_node(b.fdt, c->name));
		ok(fdt_property(b.fdt, "data", blob, make_fdt(blob, c->fdt) - cut_off));
		ok(fdt_end_node(b.fdt));
	}
	ok(fdt_end_node(b.fdt));
	ok(fdt_begin_node(b.fdt, "configurations"));
	if (by_default)
		ok(fdt_property_string(b.fdt, "default", by_default));
	for (const struct for_board *c = boards; c->name; c++) {
		ok(fdt_begin_node(b.fdt, c->name));
		if (c->compatible)
			ok(fdt_property_string(b.fdt, "compatible", c->compatible));
		if (c->fdt)
			ok(fdt_property_string(b.fdt, "fdt", c->name));
		ok(fdt_end_node(b.fdt));
	}
	ok(fdt_end_node(b.fdt));
	return end_tree(b, 0);
}

static const char *order_of(const char *by_default, const struct for_board *boards, int cut_off)
{
	static char order[CHOICES_MAX + 1];
	struct file file = bundle_for_boards(by_default, boards, cut_off);

	assert_int_equal(read(file), LB_OK);
	for (size_t i = 0; i < choices.count; i++)
		order[i] = choices.name[i][0];
	order[choices.count] = '\0';
	free(file.bytes);
	return order;
}

static const char special[] = "acme,special\0acme,board";

static void what_is_for_this_board_comes_first(void **state)
{
	static const struct {
		const char *by_default, *order;
		struct for_board boards[5];
	} rows[] = {
		/* No default: the best match, then what is for any, then what is for others. */
		{NULL, "ba", {{"a", "acme,other", NULL}, {"b", "acme,board", NULL}}},
		{NULL, "cba", {{"a", "x", NULL}, {"b", "acme,board", NULL}, {"c", "acme,special", NULL}}},
		{NULL, "cba", {{"a", "x", NULL}, {"b", NULL, NULL}, {"c", NULL, "acme,board"}}},
		{NULL, "bca", {{"a", NULL, "x"}, {"b", NULL, ""}, {"c", NULL, NULL}}},
		{NULL, "abc", {{"a", "x", NULL}, {"b", "y", NULL}, {"c", NULL, "z"}}},
		{NULL, "ba", {{"a", "acme,boards", NULL}, {"b", "acme,board", NULL}}},
		/* Its own word outranks its FDT's. */
		{NULL, "ba", {{"a", "x", "acme,special"}, {"b", "acme,board", "x"}}},
		/* The default: first of its equals; after a better match; before what is for others, too. */
		{"b", "ba", {{"a", "acme,board", NULL}, {"b", "acme,board", NULL}}},
		{"b", "ab", {{"a", "acme,special", NULL}, {"b", "acme,board", NULL}}},
		{"b", "ab", {{"a", "acme,board", NULL}, {"b", NULL, "x"}}},
		{"b", "bca", {{"a", "x", NULL}, {"b", "x", NULL}, {"c", NULL, NULL}}},
		/* One that says no board, or that is not there: behind all that is for this one. */
		{"b", "abc", {{"a", "acme,special", NULL}, {"b", NULL, NULL}, {"c", NULL, NULL}}},
		{"c", "acb", {{"a", NULL, "acme,board"}, {"b", NULL, NULL}, {"c", NULL, NULL}}},
		{"gone", "agb", {{"a", "acme,special", NULL}, {"b", NULL, NULL}}},
	};

	(void)state;
	machine = (struct machine){.compatible = special, .compatible_size = sizeof(special)};
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
		CHECK(row, !strcmp(order_of(rows[row].by_default, rows[row].boards, 0), rows[row].order));
	machine = (struct machine){.compatible = NULL};
	assert_string_equal(order_of(NULL, rows[0].boards, 0), "ab");
	assert_string_equal(order_of("b", rows[8].boards, 0), "ba");
}

static void an_fdt_that_is_none_is_for_any_board(void **state)
{
	static const struct for_board boards[] = {
		{"a", "x", NULL}, {"b", NULL, NULL}, {"c", NULL, "acme,board"}, {NULL, NULL, NULL}};

	(void)state;
	machine = (struct machine){.compatible = special, .compatible_size = sizeof(special)};
	for (int cut_off = 1; cut_off < 100; cut_off++)
		assert_string_equal(order_of(NULL, boards, cut_off), "bca");
	machine = (struct machine){.compatible = NULL};
}

static void this_boards_is_found_behind_more_than_the_table_holds(void **state)
{
	static struct for_board boards[14];
	static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m";

	(void)state;
	for (size_t i = 0; i < 13; i++)
		boards[i] = (struct for_board){&names[2 * i], i == 11 ? "acme,board" : "x", NULL};
	machine = (struct machine){.compatible = special, .compatible_size = sizeof(special)};
	assert_string_equal(order_of(NULL, boards, 0), "labcdefgh");
	assert_int_equal(choices.more, 4);
	assert_string_equal(order_of("c", boards, 0), "lcabdefgh");
	machine = (struct machine){.compatible = NULL};
}

static void one_for_another_board_is_told(void **state)
{
	static const struct for_board boards[] = {
		{"own", "x", NULL},	      {"by-fdt", NULL, "y"}, {"fdt-too", "acme,board", "z"},
		{"good", "acme,board", NULL}, {"any", NULL, ""},     {NULL, NULL, NULL}};
	struct file file = bundle_for_boards(NULL, boards, 0);
	struct machine none = {.compatible = NULL};

	(void)state;
	machine = (struct machine){.compatible = special, .compatible_size = sizeof(special)};
	assert_int_equal(read(file), LB_OK);
	assert_string_equal(board_foreign(&bundle, "own", &machine), "x");
	assert_string_equal(board_foreign(&bundle, "by-fdt", &machine), "y");
	assert_string_equal(board_foreign(&bundle, "fdt-too", &machine), "z");
	assert_null(board_foreign(&bundle, "good", &machine));
	assert_null(board_foreign(&bundle, "any", &machine));
	assert_null(board_foreign(&bundle, "gone", &machine));
	assert_null(board_foreign(&bundle, "own", &none));
	machine = none;
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
		cmocka_unit_test(what_is_for_this_board_comes_first),
		cmocka_unit_test(an_fdt_that_is_none_is_for_any_board),
		cmocka_unit_test(this_boards_is_found_behind_more_than_the_table_holds),
		cmocka_unit_test(one_for_another_board_is_told),
		cmocka_unit_test(a_bare_payload_is_the_one_choice),
		cmocka_unit_test(the_wanted_is_tried_first_and_the_demoted_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
