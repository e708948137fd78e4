// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random mutations of signed bundles: what is still accepted must be, in all that is used, the original.
 *
 * Used is: the configuration's name and bootargs, what its kernel is and each byte of it, its ramdisk, its
 * FDT's name, its version. Anything else of a bundle may change (a description of an image that nobody names,
 * the bytes between two images): the count of those is printed.
 *
 * LIFEBOAT_MUTATIONS says how many there are of each kind and bundle.
 */
#include "tests/unit/signed_damage.h"

#define MUTATIONS_DEFAULT 500 /* 10,000 in all */

static uint32_t random_state = 20251125;

static uint32_t below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

/* ---- The test ---- */

static bool try_one(const struct original *o, void (*mutate)(struct file *f))
{
	struct file f = cut(o->file, o->file.size);
	struct bundle_config config;
	bool accepted;

	mutate(&f);
	/* In a block of exactly its size, for the sanitizer. */
	f.bytes = realloc(f.bytes, f.size ? f.size : 1);
	accepted = accept(o->scene, f, &config);
	if (accepted)
		assert_same(f, &config, o);
	free(f.bytes);
	return accepted;
}

static void no_mutation_is_accepted_that_changes_anything(void **state)
{
	static const char *const embedded[] = {"rsa2048-embedded", "rsa3072"};
	static const char *const external[] = {"rsa2048-tight", "rsa2048-pss", "two-configs"};
	static const struct {
		const char *what;
		void (*mutate)(struct file *f);
		const char *const *bundles;
		size_t count;
	} kinds[] = {
		{"bits anywhere", flip_bits, external, ARRAY_SIZE(external)},
		{"bits of the tree", flip_bits_in_tree, external, ARRAY_SIZE(external)},
		{"a word of the tree", replace_word, external, ARRAY_SIZE(external)},
		{"a run copied", copy_run, external, ARRAY_SIZE(external)},
		{"two words swapped", swap_words, external, ARRAY_SIZE(external)},
		{"cut short", cut_short, external, ARRAY_SIZE(external)},
		{"nodes and properties", edit_tree, embedded, ARRAY_SIZE(embedded)},
	};
	const char *wanted = getenv("LIFEBOAT_MUTATIONS");
	const int count = wanted ? atoi(wanted) : MUTATIONS_DEFAULT;

	(void)state;
	print_message("seed %u\n", random_state);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int tried = 0, accepted = 0;

		for (size_t b = 0; b < kinds[k].count; b++) {
			struct original o = load_original(kinds[k].bundles[b]);

			for (int i = 0; i < count; i++, tried++)
				accepted += try_one(&o, kinds[k].mutate);
			scene_free(o.scene);
			free(o.file.bytes);
		}
		print_message("%-20s %5d tried, %4d changed nothing that is used\n", kinds[k].what, tried,
			      accepted);
		assert_true(accepted < tried);
	}
}

/* Nothing can be said of what comes out, but that it comes. */
static void a_damaged_control_fdt_breaks_nothing(void **state)
{
	struct file bundle = load_signed_file("rsa2048-tight", ".itb");
	struct file original = load_signed_file("rsa2048-tight", ".dtb");
	int opened = 0, held = 0;

	(void)state;
	for (int i = 0; i < 4 * MUTATIONS_DEFAULT; i++) {
		struct file control = cut(original, original.size);
		struct scene *s = scene_make(NULL);

		(i % 2 ? flip_bits : replace_word)(&control);
		if (keyring_open(control.bytes, control.size, &s->ring[0], &s->diag) == LB_OK) {
			s->policy.ring = s->ring;
			s->policy.ring_count = 1;
			opened++;
			held += scene_check(s, bundle, "conf") == LB_OK;
		}
		free(control.bytes);
		free(s);
	}
	free(original.bytes);
	free(bundle.bytes);
	print_message("%d of %d could be opened, %d were content\n", opened, 4 * MUTATIONS_DEFAULT, held);
	assert_true(opened > held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mutation_is_accepted_that_changes_anything),
		cmocka_unit_test(a_damaged_control_fdt_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
