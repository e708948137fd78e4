// SPDX-License-Identifier: BSD-2-Clause
/* kexec/bundle/bundle.c on real FITs that were damaged: cut at every byte, bytes flipped, words replaced. */
#include "tests/unit/bundle_check.h"

#include "kexec/bundle/choices.h"
#include "kexec/bundle/policy.h"

static void a_fit_that_is_cut_anywhere_says_so(void **state)
{
	static const struct {
		const char *fit;
		const char *last; /* what the configuration needs that lies last; NULL: the tree holds all */
	} cases[] = {
		{"embedded", NULL}, {"external-tight", "board.bin"}, {"position", "board.bin"}, {"raw", NULL},
		{"elf", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file file = load_fit(cases[i].fit);
		size_t needed = file.size, used = file.size;

		if (cases[i].last) {
			used = find_payload(file, "board.bin") + payload_size("board.bin");
			needed = find_payload(file, cases[i].last) + payload_size(cases[i].last);
		}
		for (size_t size = 0; size < file.size; size++) {
			struct file part = cut(file, size);
			struct bundle_config config;
			struct diag diag = {""};
			enum lb_err err = read_config(part, NULL, &config, &diag);
			uint64_t total;

			assert_int_equal(err, size < needed ? LB_EFORMAT : LB_OK);
			if (size < needed)
				assert_says(&diag,
					    size < 4 ? "neither a FIT nor" : "truncated, copy it again");
			assert_int_equal(read_size(part, &total, &diag),
					 size < used && size >= 4 ? LB_EFORMAT : LB_OK);
			assert_int_equal(bundle_probe(part.bytes, size), size >= 4);
			free(part.bytes);
		}
		free(file.bytes);
	}
}

static void a_cut_image_is_named_with_both_ends(void **state)
{
	struct file file = load_fit("external");
	size_t kernel_end = find_payload(file, "linux.bin") + payload_size("linux.bin");
	struct file part = cut(file, 0x1800);
	struct bundle_config config;
	char expected[200];
	struct diag diag;

	(void)state;
	snprintf(expected, sizeof(expected),
		 "bundle: image 'kernel' ends at 0x%zx, beyond the bundle's end at 0x1800: "
		 "the bundle is truncated, copy it again",
		 kernel_end);
	assert_int_equal(read_config(part, NULL, &config, &diag), LB_EFORMAT);
	assert_string_equal(diag.text, expected);
	free(part.bytes);
	free(file.bytes);
}

/* Is @name a string of the bundle's? */
static void assert_inside(struct file file, const char *name)
{
	const uint8_t *at = (const void *)name, *end = (const uint8_t *)file.bytes + file.size;

	assert_true(at >= (const uint8_t *)file.bytes && at < end && memchr(at, 0, (size_t)(end - at)));
}

static void try_choosing(struct file file, const struct bundle *bundle)
{
	static struct machine machine = {.compatible = "b\0riscv-virtio", .compatible_size = 15};
	struct choices choices;
	struct boot_policy policy;
	struct diag diag = {""};
	size_t order[CHOICES_MAX + 1];
	enum lb_err err = choices_read(bundle, &machine, &choices, &diag);

	check_diag(err, &diag);
	bundle_policy(bundle, &policy, &diag);
	assert_in_range(policy.seconds, 0, 3600);
	if (err)
		return;
	assert_in_range(choices.count, 1, CHOICES_MAX);
	assert_int_equal(choices_order(&choices, CHOICES_NONE, 5, order), choices.count);
	for (size_t i = 0; i < choices.count && bundle->is_fit; i++)
		assert_inside(file, choices.name[i]);
	if (choices_find(bundle, &choices, "crash", 5) == CHOICES_MAX)
		assert_inside(file, choices.name[CHOICES_MAX]);
}

static void try_everything(struct file file)
{
	static const char *const names[] = {NULL, "conf", "first", "crash"};
	struct bundle bundle;
	struct diag diag = {""};
	uint64_t total = 0;
	enum lb_err err = open_bundle(file, &bundle, &diag);

	if (err) /* that it must be a FIT was found out before it was opened */
		assert_true(bundle_probe(file.bytes, file.size));
	else
		try_choosing(file, &bundle);
	err = read_size(file, &total, &diag);
	check_diag(err, &diag);
	if (err == LB_OK)
		assert_in_range(total, 40, file.size);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct bundle_config config;

		if (read_config(file, names[i], &config, &diag) == LB_OK && err == LB_OK)
			assert_true(config.kernel.offset + config.kernel.size <= total);
	}
}

static void flip_and_try(struct file file, size_t at, uint8_t flip)
{
	file.bytes[at] ^= flip;
	try_everything(file);
	file.bytes[at] ^= flip;
}

static const uint8_t flips[] = {0xff, 0x01, 0x80, 0x04, 0x40};

static void a_flipped_byte_in_the_tree_never_breaks_the_reader(void **state)
{
	static const char *const names[] = {"external-tight", "position", "several"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file file = load_fit(names[i]);

		for (size_t at = 0; at < tree_size(file); at++) {
			for (size_t f = 0; f < ARRAY_SIZE(flips); f++)
				flip_and_try(file, at, flips[f]);
		}
		free(file.bytes);
	}
}

static void a_flipped_byte_anywhere_never_breaks_the_reader(void **state)
{
	static const char *const names[] = {"embedded", "elf", "raw"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file file = load_fit(names[i]);

		for (size_t at = 0; at < file.size; at++)
			flip_and_try(file, at, flips[at % ARRAY_SIZE(flips)]);
		free(file.bytes);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void random_words_in_the_tree_never_break_the_reader(void **state)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0};
	uint32_t random = 20240608;
	struct file original = load_fit("external-tight");

	(void)state;
	print_message("seed %u\n", random);
	for (int round = 0; round < 5000; round++) {
		struct file file = cut(original, original.size);
		uint32_t tree = tree_size(original);

		for (uint32_t changes = 1 + next_random(&random) % 3; changes > 0; changes--) {
			fdt32_t word = cpu_to_fdt32(odd[next_random(&random) % ARRAY_SIZE(odd)]);

			memcpy(file.bytes + (next_random(&random) % (tree / 4)) * 4, &word, sizeof(word));
		}
		try_everything(file);
		free(file.bytes);
	}
	free(original.bytes);
}

static void a_bundle_at_an_odd_address_is_refused_not_read(void **state)
{
	struct file file = load_fit("raw");
	uint8_t *room = malloc(file.size + 8);

	(void)state;
	for (size_t shift = 1; shift < 8; shift++) {
		struct file moved = {.bytes = room + shift, .size = file.size};
		struct bundle_config config;
		uint64_t total;
		struct diag diag;

		memcpy(moved.bytes, file.bytes, file.size);
		assert_int_equal(read_config(moved, NULL, &config, &diag), LB_EINVAL);
		assert_int_equal(read_size(moved, &total, &diag), LB_EINVAL);
		assert_true(bundle_probe(moved.bytes, moved.size));
	}
	free(room);
	free(file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fit_that_is_cut_anywhere_says_so),
		cmocka_unit_test(a_cut_image_is_named_with_both_ends),
		cmocka_unit_test(a_flipped_byte_in_the_tree_never_breaks_the_reader),
		cmocka_unit_test(a_flipped_byte_anywhere_never_breaks_the_reader),
		cmocka_unit_test(random_words_in_the_tree_never_break_the_reader),
		cmocka_unit_test(a_bundle_at_an_odd_address_is_refused_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
