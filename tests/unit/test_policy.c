// SPDX-License-Identifier: BSD-2-Clause
/* What a bundle says of primaries that come to nothing, and the number by which the record knows it again. */
#include "tests/unit/fit_build.h"

#include "kexec/bundle/policy.h"

/* A bundle with this in /configurations. */
static struct file tree_with(const struct hostile_property *policy)
{
	struct builder b = begin_tree();

	add_node(b, "images", PROPERTIES(STRING("note", "none")));
	add_node(b, "configurations", policy);
	return end_tree(b, 0);
}

static struct boot_policy read_policy(struct file file, struct diag *warning)
{
	struct boot_policy policy;
	struct bundle bundle;

	assert_int_equal(open_bundle(file, &bundle, warning), LB_OK);
	strcpy(warning->text, "stale");
	bundle_policy(&bundle, &policy, warning);
	return policy;
}

static void the_policy_is_read_and_nonsense_warned_of(void **state)
{
	static const struct {
		struct hostile_property property[3];
		uint32_t limit, seconds;
		bool warns;
	} rows[] = {
		{{STRING("note", "none")}, 0, 60, false},
		{{CELL("lifeboat,boot-limit", "\0\0\0\3"), CELL("lifeboat,boot-seconds", "\0\0\0\x5a")},
		 3,
		 90,
		 false},
		{{CELL("lifeboat,boot-limit", "\0\0\0\0\0\0\0\x64")}, 100, 60, false},
		{{CELL("lifeboat,boot-limit", "\0\0\0\x65")}, 0, 60, true},
		{{CELL("lifeboat,boot-limit", "\0\0\3")}, 0, 60, true},
		{{CELL("lifeboat,boot-seconds", "\0\0\x0e\x10")}, 0, 3600, false},
		{{CELL("lifeboat,boot-seconds", "\0\0\x0e\x11")}, 0, 60, true},
		{{CELL("lifeboat,boot-seconds", "\0\0\0\1\0\0\0\1")}, 0, 60, true},
		{{CELL("lifeboat,boot-limit", "\0\0\0\3"), CELL("lifeboat,boot-limit", "\0\0\0\3")},
		 0,
		 60,
		 true},
	};
	struct boot_policy policy;
	struct diag warning;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct file file = tree_with(rows[i].property);

		policy = read_policy(file, &warning);
		if (policy.limit != rows[i].limit || policy.seconds != rows[i].seconds ||
		    !!*warning.text != rows[i].warns)
			fail_msg("row %zu: %u, %u, '%s'", i, policy.limit, policy.seconds, warning.text);
		free(file.bytes);
	}
}

static uint64_t id_of(struct file file)
{
	struct diag diag;
	struct bundle bundle;

	assert_int_equal(open_bundle(file, &bundle, &diag), LB_OK);
	return bundle_identify(&bundle);
}

static void another_bundle_has_another_id_and_the_same_one_the_same(void **state)
{
	struct file one = tree_with(PROPERTIES(CELL("timestamp", "\0\0\0\1"))),
		    other = tree_with(PROPERTIES(CELL("timestamp", "\0\0\0\2")));
	uint8_t *bare = aligned_alloc(8, 8); /* not a byte more may be looked at */

	(void)state;
	assert_int_not_equal(id_of(one), id_of(other));
	assert_int_equal(id_of(one), id_of(one));
	memset(bare, 'x', 8);
	assert_int_not_equal(id_of((struct file){.bytes = bare, .size = 7}),
			     id_of((struct file){.bytes = bare, .size = 8}));
	free(bare);
	free(one.bytes);
	free(other.bytes);
}

static void only_the_word_reset_resets_when_all_are_bad(void **state)
{
	static const struct {
		struct hostile_property property[2];
		bool reset;
	} rows[] = {
		{{STRING("note", "none")}, false},
		{{STRING("lifeboat,all-bad", "reset")}, true},
		{{STRING("lifeboat,all-bad", "shutdown")}, false},
		{{STRING("lifeboat,all-bad", "Reset")}, false},
		{{BYTES("lifeboat,all-bad", "reset")}, false},
		{{BYTES("lifeboat,all-bad", "reset\0reset\0")}, false},
	};

	struct diag warning;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct file file = tree_with(rows[i].property);

		if (read_policy(file, &warning).reset_when_all_bad != rows[i].reset)
			fail_msg("row %zu", i);
		free(file.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_is_read_and_nonsense_warned_of),
		cmocka_unit_test(another_bundle_has_another_id_and_the_same_one_the_same),
		cmocka_unit_test(only_the_word_reset_resets_when_all_are_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
