// SPDX-License-Identifier: BSD-2-Clause
/*
 * Damaged FDTs: whatever the bytes are, the reader stays inside them, and what it accepts makes sense and
 * can be handed on. The sanitizers are half of this test: every blob ends where its heap block ends.
 */
#include "tests/unit/fdt_sense.h"

#include "fdt/merge.h"
#include "fdt/read.h"
#include "fdt/sound.h"

#define RANDOM_ROUNDS 4000

static struct machine machine;
static size_t accepted, refused;
static uint64_t current_seed; /* 0 while none is at work */

/* The seed that a test failed with. */
static int tell_seed(void **state)
{
	(void)state;
	if (current_seed)
		print_error("seed %llu of words_that_break_arithmetic\n", (unsigned long long)current_seed);
	current_seed = 0;
	return 0;
}

/* libfdt's own check of the whole tree is the oracle of ours. */
static void check_sound(const struct blob *blob)
{
	if (blob->size < sizeof(struct fdt_header) || sound_header(blob->data))
		return;
	assert_int_equal(!sound_tree(blob->data, blob->size), !fdt_check_full(blob->data, blob->size));
}

static enum lb_err try(const struct blob *blob)
{
	struct diag diag = {""};
	enum lb_err err = fdt_read_machine(blob->data, blob->size, &machine, &diag);

	check_sound(blob);
	if (err) {
		refused++;
		assert_memory_equal(diag.text, "fdt: ", 5);
	} else {
		accepted++;
		check_sense(blob, &machine);
		check_payload(blob);
	}
	return err;
}

static void check_truncated(const struct blob *blob)
{
	if (blob->size > 4200) /* the larger ones have nothing that these do not */
		return;
	for (size_t size = 0; size < blob->size; size++) {
		struct blob cut = {.data = exact_copy(blob->data, size), .size = size};

		assert_int_not_equal(try(&cut), LB_OK);
		if (size >= sizeof(struct fdt_header)) {
			fdt_set_totalsize(cut.data, (uint32_t)size);
			(void)try(&cut);
		}
		free(cut.data);
	}
}

static void a_truncated_fdt_is_refused_at_every_byte(void **state)
{
	(void)state;
	for_each_blob(check_truncated);
}

static const char *const samples[] = {"one-cell", "reservations", "harts", "mixed-cells", "opensbi-spike-2"};

static void every_byte_changed_in_turn_does_no_harm(void **state)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff};

	(void)state;
	accepted = refused = 0;
	for (size_t s = 0; s < ARRAY_SIZE(samples); s++) {
		struct blob blob = load_blob(samples[s]);

		for (size_t at = 0; at < blob.size * ARRAY_SIZE(flips); at++) {
			uint8_t flip = flips[at % ARRAY_SIZE(flips)];

			blob.data[at / ARRAY_SIZE(flips)] ^= flip;
			(void)try(&blob);
			blob.data[at / ARRAY_SIZE(flips)] ^= flip;
		}
		assert_int_equal(try(&blob), LB_OK); /* all put back */
		free(blob.data);
	}
	assert_true(accepted > 1000 && refused > 1000);
}

/* A word that breaks arithmetic, at a word of the blob. */
static void mutate(struct blob *blob, uint64_t *random)
{
	static const uint32_t words[] = {0,	     1,		 2,	     3,		 4,	     9,
					 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xffffffff, 40};
	size_t at = next_random(random) % (blob->size / 4) * 4;
	uint32_t word = words[next_random(random) % ARRAY_SIZE(words)];

	if (next_random(random) % 4 == 0)
		word = (uint32_t)(next_random(random) % (2 * blob->size));
	*(fdt32_t *)(void *)(blob->data + at) = cpu_to_fdt32(word);
}

static void words_that_break_arithmetic_do_no_harm(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= RANDOM_ROUNDS; seed++) {
		struct blob blob = load_blob(samples[seed % ARRAY_SIZE(samples)]);
		uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);

		current_seed = seed;
		for (uint64_t count = next_random(&random) % 4 + 1; count; count--)
			mutate(&blob, &random);
		(void)try(&blob);
		free(blob.data);
	}
	current_seed = 0;
}

/* Damage that has a name: a word at a header field, or at the property of a node. */

static void refuse_with_header_word(size_t field, uint32_t word)
{
	struct blob blob = load_blob("opensbi-spike-2");

	((fdt32_t *)(void *)blob.data)[field] = cpu_to_fdt32(word);
	assert_int_not_equal(try(&blob), LB_OK);
	free(blob.data);
}

static void blocks_that_are_misaligned_or_elsewhere_are_refused(void **state)
{
	struct blob blob = load_blob("opensbi-spike-2");
	enum { OFF_STRUCT = 2, OFF_STRINGS, OFF_MEM_RSVMAP, SIZE_STRINGS = 8, SIZE_STRUCT };
	static const size_t offsets[] = {OFF_STRUCT, OFF_STRINGS, OFF_MEM_RSVMAP, SIZE_STRINGS, SIZE_STRUCT};
	uint32_t structure = fdt_off_dt_struct(blob.data), map = fdt_off_mem_rsvmap(blob.data);

	(void)state;
	refuse_with_header_word(OFF_STRUCT, structure + 1);
	refuse_with_header_word(OFF_STRUCT, structure + 2);
	refuse_with_header_word(OFF_MEM_RSVMAP, map + 4);
	refuse_with_header_word(SIZE_STRUCT, 0);
	refuse_with_header_word(SIZE_STRINGS, 0);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
		for (unsigned int bit = 16; bit < 32; bit++)
			refuse_with_header_word(offsets[i], UINT32_C(1) << bit);
	free(blob.data);
}

/* Try a blob that is in order, but for its blocks being these numbers of bytes further back. */
static enum lb_err try_shifted(uint32_t map_by, uint32_t rest_by)
{
	struct blob old = load_blob("opensbi-spike-2");
	uint32_t map = fdt_off_mem_rsvmap(old.data), structure = fdt_off_dt_struct(old.data);
	struct blob new = {.size = old.size + rest_by, .data = calloc(1, old.size + rest_by)};
	struct diag diag;
	enum lb_err err;
	bool overlay;

	memcpy(new.data, old.data, map);
	memcpy(new.data + map + map_by, old.data + map, structure - map);
	memcpy(new.data + structure + rest_by, old.data + structure, old.size - structure);
	fdt_set_totalsize(new.data, (uint32_t) new.size);
	fdt_set_off_mem_rsvmap(new.data, map + map_by);
	fdt_set_off_dt_struct(new.data, structure + rest_by);
	fdt_set_off_dt_strings(new.data, fdt_off_dt_strings(old.data) + rest_by);
	err = try(&new);
	/* An FDT out of a bundle is held to the same. */
	assert_int_equal(fdt_check_image(new.data, new.size, "board", &overlay, &diag), err);
	free(old.data);
	free(new.data);
	return err;
}

static void blocks_at_odd_offsets_are_refused_though_all_is_there(void **state)
{
	(void)state;
	assert_int_equal(try_shifted(0, 0), LB_OK);
	assert_int_equal(try_shifted(0, 4), LB_OK);
	assert_int_equal(try_shifted(8, 12), LB_OK);
	assert_int_equal(try_shifted(0, 2), LB_EFORMAT);
	assert_int_equal(try_shifted(0, 1), LB_EFORMAT);
	assert_int_equal(try_shifted(4, 4), LB_EFORMAT);
}

static void an_fdt_at_an_odd_address_is_refused(void **state)
{
	struct blob blob = load_blob("one-cell");
	uint8_t *block = malloc(blob.size + 8);

	(void)state;
	for (size_t shift = 1; shift < 8; shift++) {
		memcpy(block + shift, blob.data, blob.size);
		assert_int_equal(fdt_read_machine(block + shift, blob.size, &machine, NULL), LB_EFORMAT);
	}
	free(block);
	free(blob.data);
}

static void a_string_that_nothing_ends_counts_as_absent(void **state)
{
	struct blob blob = load_blob("one-cell");
	int chosen = fdt_path_offset(blob.data, "/chosen"), length;
	char *value = fdt_getprop_w(blob.data, chosen, "bootargs", &length);

	(void)state;
	assert_non_null(value);
	value[length - 1] = 'x';
	assert_int_equal(try(&blob), LB_OK);
	assert_string_equal(machine.bootargs, "");
	free(blob.data);
}

static void a_wanted_size_above_what_is_mapped_is_refused_and_more_is_fine(void **state)
{
	struct blob blob = load_blob("one-cell");

	(void)state;
	assert_int_equal(fdt_read_machine(blob.data, blob.size - 1, &machine, NULL), LB_EFORMAT);
	assert_int_equal(fdt_read_machine(blob.data, 0, &machine, NULL), LB_EFORMAT);
	assert_int_equal(fdt_read_machine(blob.data, SIZE_MAX, &machine, NULL), LB_OK);
	free(blob.data);
}

/* The header. */

static uint8_t *header(uint32_t magic, uint32_t total, uint32_t version, uint32_t last_compatible)
{
	uint8_t *block = calloc(1, sizeof(struct fdt_header)); /* peeking must read no further */

	fdt_set_magic(block, magic);
	fdt_set_totalsize(block, total);
	fdt_set_version(block, version);
	fdt_set_last_comp_version(block, last_compatible);
	return block;
}

static void a_header_tells_the_size_only_of_an_fdt_that_can_be_read(void **state)
{
	static const struct {
		uint32_t magic, total, version, last_compatible;
		enum lb_err err;
	} rows[] = {
		{FDT_MAGIC, 40, 17, 16, LB_OK},
		{FDT_MAGIC, 39, 17, 16, LB_ERANGE},
		{FDT_MAGIC, 2 << 20, 17, 16, LB_OK},
		{FDT_MAGIC, (2 << 20) + 1, 17, 16, LB_ERANGE},
		{FDT_MAGIC, 0xffffffff, 17, 16, LB_ERANGE},
		{FDT_MAGIC, 0, 17, 16, LB_ERANGE},
		{FDT_MAGIC, 4096, 16, 16, LB_EFORMAT},
		{FDT_MAGIC, 4096, 18, 17, LB_OK},
		{FDT_MAGIC, 4096, 18, 18, LB_EFORMAT},
		{~FDT_MAGIC, 4096, 17, 16, LB_EFORMAT},
		{0, 4096, 17, 16, LB_EFORMAT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *block =
			header(rows[i].magic, rows[i].total, rows[i].version, rows[i].last_compatible);
		uint64_t size = 77;

		assert_int_equal(fdt_peek_size(block, &size, NULL), rows[i].err);
		assert_int_equal(size, rows[i].err ? 77 : rows[i].total);
		free(block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_truncated_fdt_is_refused_at_every_byte),
		cmocka_unit_test(every_byte_changed_in_turn_does_no_harm),
		cmocka_unit_test_teardown(words_that_break_arithmetic_do_no_harm, tell_seed),
		cmocka_unit_test(blocks_that_are_misaligned_or_elsewhere_are_refused),
		cmocka_unit_test(blocks_at_odd_offsets_are_refused_though_all_is_there),
		cmocka_unit_test(an_fdt_at_an_odd_address_is_refused),
		cmocka_unit_test(a_string_that_nothing_ends_counts_as_absent),
		cmocka_unit_test(a_wanted_size_above_what_is_mapped_is_refused_and_more_is_fine),
		cmocka_unit_test(a_header_tells_the_size_only_of_an_fdt_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
