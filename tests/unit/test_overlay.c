// SPDX-License-Identifier: BSD-2-Clause
/*
 * Overlays out of a bundle: what they do, what they can't do, and that one whose fixups point elsewhere is
 * refused before libfdt follows them. Every image ends where its heap block ends.
 */
#include "tests/unit/fdt_board.h"

#define MEMORY	RAM("/memory@80000000")
#define KEPT	FIRMWARE " reg 0 0x80000000 0 0x40000\n" FIRMWARE " no-map\n"
#define BOARD	ROOT MEMORY RESERVED KEPT "/soc/uart phandle 7\n/soc/uart status =disabled\n"
#define SYMBOLS "/__symbols__ uart =/soc/uart\n"
#define BODY	"/f@0/__overlay__"
#define TARGET	"/f@0 target 0xffffffff\n/__fixups__ uart =/f@0:target:0\n"

/* Copy @base into a block of @room bytes and lay @overlay over it. The caller frees it. */
static void *lay_over(const void *base, const void *overlay, size_t room, enum lb_err *err)
{
	void *out = malloc(room), *copy = exact_copy(overlay, fdt_totalsize(overlay));
	bool is_overlay;

	*err = fdt_check_image(copy, fdt_totalsize(overlay), "over", &is_overlay, &diag);
	if (!*err)
		*err = fdt_merge_begin(base, out, room, &diag);
	if (!*err)
		*err = fdt_merge_overlay(out, copy, base, "over", &diag);
	free(copy);
	return out;
}

static enum lb_err try(const char *base, const char *overlay)
{
	void *below = tree_make(base), *above = tree_make(overlay);
	enum lb_err err;

	free(lay_over(below, above, TREE_ROOM, &err));
	free(below);
	free(above);
	return err;
}

static const struct {
	const char *what, *base, *overlay, *want;
} good[] = {
	{
		"by label: a property, a node with a phandle, what refers to that, a symbol",
		BOARD SYMBOLS,
		TARGET BODY " status =okay\n" BODY "/child phandle 1\n" BODY " child-of 0 1\n"
			    "/__local_fixups__/f@0/__overlay__ child-of 4\n"
			    "/__symbols__ child =/f@0/__overlay__/child\n",
		ROOT MEMORY RESERVED KEPT
		"/soc/uart phandle 7\n/soc/uart status =okay\n/soc/uart child-of 0 8\n"
		"/soc/uart/child phandle 8\n"
		"/__symbols__ uart =/soc/uart\n/__symbols__ child =/soc/uart/child\n",
	},
	{
		"by path: a list, the last of which is a label's; less RAM is a wish",
		BOARD SYMBOLS,
		"/f@0 target-path =/\n" BODY " list 1 2 3\n/__fixups__ uart =/f@0/__overlay__:list:8 "
		"=/f@0/__overlay__:list:0\n" BODY "/memory@80000000 reg 0 0x80000000 0 0x10000000\n",
		ROOT "/memory@80000000 device_type =memory\n/memory@80000000 reg 0 0x80000000 0 "
		     "0x10000000\n" RESERVED KEPT "/soc/uart phandle 7\n/soc/uart status =disabled\n"
		     "/ list 7 2 7\n" SYMBOLS,
	},
	{
		"a reservation that it takes away comes back",
		BOARD,
		"/f@0 target-path =/reserved-memory\n" BODY "/fw@80000000 status =disabled\n",
		BOARD "/reserved-memory/fw@80000000 status =disabled\n"
		      "/reserved-memory/fw-2@80000000 reg 0 0x80000000 0 0x40000\n"
		      "/reserved-memory/fw-2@80000000 no-map\n",
	},
};

static void a_good_overlay_does_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		void *base = tree_make(good[i].base), *overlay = tree_make(good[i].overlay), *out;
		enum lb_err err;

		print_message("           %s\n", good[i].what);
		out = lay_over(base, overlay, TREE_ROOM, &err);
		assert_string_equal(err ? diag.text : "", "");
		assert_tree(out, good[i].want);
		assert_int_equal(fdt_check_full(out, TREE_ROOM), 0);
		free(out);
		free(base);
		free(overlay);
	}
}

static void every_room_that_is_too_small_is_told_as_that(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		void *base = tree_make(good[i].base), *overlay = tree_make(good[i].overlay);
		enum lb_err err = LB_ENOSPC;
		size_t room = 0;

		for (; err; room++) {
			free(lay_over(base, overlay, room, &err));
			assert_true(err == LB_OK || err == LB_ENOSPC);
		}
		assert_true(room > fdt_totalsize(base) &&
			    room < fdt_totalsize(base) + fdt_totalsize(overlay));
		free(base);
		free(overlay);
	}
}

#define LOCAL  "/__local_fixups__"
#define PATH   "/f@0 target-path =/\n"
#define ELEVEN BODY " r 0x11223344 0x55667788 0x99aabb00\n"

/* Each but the first would have libfdt leave the overlay, or change what was checked. */
static const char *const damaged[] = {
	PATH BODY "/a r 0\n" LOCAL BODY "/a r 0x1000000\n", /* found by fuzzing */
	PATH ELEVEN LOCAL BODY " r 9\n",
	PATH ELEVEN LOCAL BODY " r 0 4 12\n",
	PATH ELEVEN LOCAL BODY " r 0xfffffffe\n",
	PATH ELEVEN LOCAL BODY " s 0\n",
	PATH ELEVEN LOCAL "/f@0/other r 0\n",
	PATH BODY " phandle 1\n" LOCAL BODY " phandle 0\n",
	PATH BODY " linux,phandle 1\n" LOCAL BODY " linux,phandle 0\n",
	PATH BODY " x\n" LOCAL "/f@0 target-path 0\n",
	PATH ELEVEN LOCAL BODY " r 0\n" LOCAL LOCAL BODY " r 0\n",
	PATH BODY " x\n" LOCAL "/__fixups__ uart 0\n/__fixups__ uart =/f@0:target:0\n/f@0 target 0\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r:9\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r:4294967294\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r:-2\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r:0x0\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r:\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r\n",
	PATH ELEVEN "/__fixups__ uart =" BODY "\n",
	PATH ELEVEN "/__fixups__ uart =" BODY "::0\n",
	PATH ELEVEN "/__fixups__ uart =:r:0\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":s:0\n",
	PATH ELEVEN "/__fixups__ uart =/f@1:r:0\n",
	PATH ELEVEN "/ r 0\n/__fixups__ uart =//:r:0\n",
	PATH ELEVEN LOCAL BODY " r 0\n/__fixups__ uart =" LOCAL BODY ":r:0\n",
	PATH ELEVEN "/aliases a =" BODY "\n/__fixups__ uart =a:r:0\n",
	PATH ELEVEN LOCAL BODY " r 0\n/__fixups__ uart =//__local_fixups__" BODY ":r:0\n",
	PATH BODY " x\n/__fixups__ uart =/f@0:target-path:0\n/f@0 target-path =/0123456\n",
	PATH BODY " phandle 1\n/__fixups__ uart =" BODY ":phandle:0\n",
	PATH ELEVEN "/__fixups__ uart =" BODY ":r:0 =x\n",
	PATH ELEVEN "/__fixups__ uart 0x2f66403a\n",
	PATH ELEVEN "/__fixups__ uart\n",
	"/f@0 target-path 0x2f736f63\n" BODY " x\n",
};

static void fixups_that_point_elsewhere_are_refused(void **state)
{
	(void)state;
	assert_int_equal(try(BOARD SYMBOLS, PATH ELEVEN LOCAL BODY " r 8\n/__fixups__ uart =" BODY ":r:8\n"),
			 LB_OK);
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		if (try(BOARD SYMBOLS, damaged[i]) != LB_EFORMAT ||
		    strcmp(diag.text, "fdt: 'over' is damaged: its fixups are damaged") != 0)
			fail_msg("number %zu ends with '%s'", i, diag.text);
	}
}

static void an_overlay_for_another_fdt_is_told_what_is_missing(void **state)
{
	static const struct {
		const char *base, *overlay, *said;
	} rows[] = {
		{BOARD, TARGET BODY " x\n", "no label 'uart': make that with dtc -@"},
		{BOARD "/__symbols__ led =/soc/led\n", TARGET BODY " x\n",
		 "no label 'uart': make that with dtc -@"},
		{BOARD "/__symbols__ uart 0x2f736f63\n", TARGET BODY " x\n",
		 "no label 'uart': make that with dtc -@"},
		{BOARD "/__symbols__ uart =/soc/uart@1\n", TARGET BODY " x\n", "what it needs is missing"},
		{BOARD, "/f@0 target-path =/nowhere\n" BODY " x\n", "what it needs is missing"},
		{BOARD, BODY " x\n", "its fixups are damaged"},
		{BOARD "/x phandle 0xfffffff0\n", PATH BODY " phandle 0x20\n", "libfdt refuses it"},
	};
	char said[sizeof(diag.text)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(try(rows[i].base, rows[i].overlay), LB_EFORMAT);
		snprintf(said, sizeof(said), "fdt: 'over' is no overlay for this FDT: %s", rows[i].said);
		assert_string_equal(diag.text, said);
	}
}

/* Put a number, or another number's place, into one of the values of a tree. */
static void damage(void *fdt, uint64_t *random)
{
	static const uint32_t words[] = {0,	    1,		3,	    4,		8,
					 0x1000000, 0x7fffffff, 0xfffffffe, 0xffffffff, 0x3a3a3000};
	uint64_t left = 1 + next_random(random) % 12;

	while (left) {
		for (int at = 0, next; left && fdt_next_tag(fdt, at, &next) != FDT_END; at = next) {
			int size;
			char *value = (char *)(uintptr_t)fdt_getprop_by_offset(fdt, at, NULL, &size);

			if (fdt_next_tag(fdt, at, &next) != FDT_PROP || size < 4 || --left)
				continue;
			fdt32_st(value + next_random(random) % (uint64_t)(size - 3),
				 words[next_random(random) % ARRAY_SIZE(words)]);
		}
	}
}

static void no_damage_to_values_makes_libfdt_leave_the_overlay(void **state)
{
	static const char rich[] =
		TARGET ELEVEN BODY "/child phandle 1\n" BODY " child-of 0 1\n" LOCAL BODY
				   " child-of 4\n/f@1 target-path =/soc\n/f@1/__overlay__ a 1\n"
				   "/__symbols__ child =/f@0/__overlay__/child\n";
	void *base = tree_make(BOARD SYMBOLS "/aliases serial0 =/soc/uart\n");
	size_t applied = 0, refused = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
		void *overlay = tree_make(rich), *below = exact_copy(base, fdt_totalsize(base)), *out;
		enum lb_err err;

		damage(overlay, &random);
		if (seed % 4 == 0)
			damage(below, &random);
		out = lay_over(below, overlay, fdt_totalsize(base) + 2048, &err);
		applied += err == LB_OK;
		refused += err == LB_EFORMAT;
		assert_true(err == LB_OK || err == LB_EFORMAT);
		assert_true(err || !fdt_check_full(out, fdt_totalsize(base) + 2048));
		free(out);
		free(below);
		free(overlay);
	}
	free(base);
	assert_true(applied > 500 && refused > 5000);
}

/* ---- An image by itself ---- */

static enum lb_err look(const void *blob, size_t size, bool *overlay)
{
	void *copy = exact_copy(blob, size);
	enum lb_err err = fdt_check_image(copy, size, "over", overlay, &diag);

	free(copy);
	return err;
}

static void an_image_is_told_from_noise(void **state)
{
	void *base = tree_make(BOARD), *overlay = tree_make(PATH BODY " x\n");
	const size_t size = fdt_totalsize(base);
	bool is_overlay;

	(void)state;
	assert_int_equal(look(base, size, &is_overlay), LB_OK);
	assert_false(is_overlay);
	assert_int_equal(look(overlay, fdt_totalsize(overlay), &is_overlay), LB_OK);
	assert_true(is_overlay);
	assert_int_equal(look(base, 39, &is_overlay), LB_EFORMAT);
	assert_int_equal(look(base, size - 1, &is_overlay), LB_EFORMAT);
	assert_string_equal(diag.text, "fdt: 'over' is no whole FDT: it is cut off");
	assert_int_equal(fdt_check_image(base, FDT_SIZE_MAX + 1, "over", &is_overlay, &diag), LB_EFORMAT);
	fdt_set_off_dt_struct(base, fdt_off_dt_struct(base) + 2); /* as a fuzzer found */
	assert_int_equal(look(base, size, &is_overlay), LB_EFORMAT);
	assert_string_equal(diag.text, "fdt: 'over' is no whole FDT: its blocks are misaligned");
	fdt_set_magic(base, 0);
	assert_int_equal(look(base, size, &is_overlay), LB_EFORMAT);
	assert_string_equal(diag.text, "fdt: 'over' is no whole FDT: it has no FDT's magic");
	free(base);
	free(overlay);
}

static void a_tree_is_refused_when_it_is_deeper_than_the_stack(void **state)
{
	char path[200] = "";
	bool is_overlay;

	(void)state;
	for (int depth = 1; depth <= 33; depth++) {
		char lines[256];
		void *fdt;

		strcat(path, "/n");
		snprintf(lines, sizeof(lines), "%s\n", path);
		fdt = tree_make(lines);
		assert_int_equal(look(fdt, fdt_totalsize(fdt), &is_overlay), depth > 32 ? LB_EFORMAT : LB_OK);
		free(fdt);
	}
	assert_string_equal(diag.text, "fdt: 'over' has nodes nested more than 32 deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_overlay_does_what_it_says),
		cmocka_unit_test(every_room_that_is_too_small_is_told_as_that),
		cmocka_unit_test(fixups_that_point_elsewhere_are_refused),
		cmocka_unit_test(an_overlay_for_another_fdt_is_told_what_is_missing),
		cmocka_unit_test(no_damage_to_values_makes_libfdt_leave_the_overlay),
		cmocka_unit_test(an_image_is_told_from_noise),
		cmocka_unit_test(a_tree_is_refused_when_it_is_deeper_than_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
