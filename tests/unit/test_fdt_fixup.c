// SPDX-License-Identifier: BSD-2-Clause
/* The payload's FDT, looked at with libfdt alone: what was wished is there, and the rest is as it was. */
#include "tests/unit/fdt_blobs.h"

#include "fdt/fixup.h"
#include "fdt/read.h"

#define BUFFER_SIZE (3 << 20)

/* /chosen's properties that fixups set or remove; bootargs apart, which may be left alone. */
static const char *const replaced[] = {"linux,initrd-start", "linux,initrd-end"};
static const char *const removed[] = {"linux,elfcorehdr", "linux,usable-memory-range", "linux,dmcryptkeys",
				      "linux,kho-fdt",	  "linux,kho-scratch",	       "lifeboat,bundle"};

/*
 * The size that is told may exceed what is needed by so much: names that are there already, nodes, padding.
 */
#define MOST_SPARE 1536

static const struct fdt_wishes wishes[] = {
	{.bootargs = NULL},
	{.bootargs = ""},
	{.bootargs = "console=ttyS0 quiet", .initrd = {0x90000000, 0x1234567}},
	{.bootargs = "x"},
	{.initrd = {0x1234567890, 1}},
	{.bootargs = "root=/dev/vda", .initrd = {0, 0x8000000000000000}},
	{.bootargs = "1234567",
	 .initrd = {0xffffffffffffff00, 0xff}}, /* eight bytes with its NUL: no padding */
};

static struct diag diag;

/* The payload's FDT in a block of exactly the size that it is said to need. */
static uint8_t *make(const uint8_t *blob, const struct fdt_wishes *wish, uint64_t *size)
{
	uint8_t *out;

	assert_int_equal(fdt_payload_size(blob, wish, size, &diag), LB_OK);
	assert_int_equal(*size % 8, 0);
	out = malloc(*size);
	memset(out, 0xa5, *size);
	assert_int_equal(fdt_make_payload_fdt(blob, wish, out, *size, &diag), LB_OK);
	assert_int_equal(fdt_check_full(out, *size), 0);
	assert_in_range(*size - fdt_totalsize(out), 0, MOST_SPARE);
	*size = fdt_totalsize(out);
	return out;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool is_ours(const char *name)
{
	return strcmp(name, "bootargs") == 0 || is_one_of(name, replaced, ARRAY_SIZE(replaced)) ||
	       is_one_of(name, removed, ARRAY_SIZE(removed));
}

/* A place in a tree: the next tag that fixups must not have touched. */
struct place {
	const uint8_t *blob;
	int offset;
	int chosen; /* offset of the /chosen node that fixups work on, or negative */
	bool in_chosen;
};

static bool is_foreign(struct place *p, uint32_t tag)
{
	const char *name;

	if (tag == FDT_BEGIN_NODE) {
		p->in_chosen = p->offset == p->chosen;
		return true;
	}
	if (tag == FDT_END_NODE)
		p->in_chosen = false;
	if (tag != FDT_PROP)
		return true;
	assert_non_null(fdt_getprop_by_offset(p->blob, p->offset, &name, NULL));
	return !p->in_chosen || !is_ours(name);
}

static uint32_t next_foreign(struct place *p, int *at)
{
	uint32_t tag;
	int next;

	for (;; p->offset = next) {
		tag = fdt_next_tag(p->blob, p->offset, &next);
		assert_true(next > 0);
		*at = p->offset;
		if (!is_foreign(p, tag))
			continue;
		p->offset = next;
		return tag;
	}
}

static void check_same_property(const uint8_t *a, int at_a, const uint8_t *b, int at_b)
{
	const char *name_a, *name_b;
	int size_a, size_b;
	const void *value_a = fdt_getprop_by_offset(a, at_a, &name_a, &size_a);
	const void *value_b = fdt_getprop_by_offset(b, at_b, &name_b, &size_b);

	assert_string_equal(name_a, name_b);
	assert_int_equal(size_a, size_b);
	assert_memory_equal(value_a, value_b, (size_t)size_a);
}

static void check_same_reservations(const uint8_t *a, const uint8_t *b)
{
	assert_int_equal(fdt_num_mem_rsv(a), fdt_num_mem_rsv(b));
	for (int i = 0; i < fdt_num_mem_rsv(a); i++) {
		uint64_t base[2], size[2];

		assert_int_equal(fdt_get_mem_rsv(a, i, &base[0], &size[0]), 0);
		assert_int_equal(fdt_get_mem_rsv(b, i, &base[1], &size[1]), 0);
		assert_int_equal(base[0], base[1]);
		assert_int_equal(size[0], size[1]);
	}
}

/* Are two trees the same but for our properties of /chosen? Both must have one. */
static void check_rest_is_same(const uint8_t *a, const uint8_t *b)
{
	struct place in_a = {.blob = a, .chosen = fdt_path_offset(a, "/chosen")};
	struct place in_b = {.blob = b, .chosen = fdt_path_offset(b, "/chosen")};
	uint32_t tag;

	check_same_reservations(a, b);
	assert_int_equal(fdt_boot_cpuid_phys(a), fdt_boot_cpuid_phys(b));
	do {
		int at_a, at_b;

		tag = next_foreign(&in_a, &at_a);
		assert_int_equal(tag, next_foreign(&in_b, &at_b));
		if (tag == FDT_PROP)
			check_same_property(a, at_a, b, at_b);
		if (tag == FDT_BEGIN_NODE)
			assert_string_equal(fdt_get_name(a, at_a, NULL), fdt_get_name(b, at_b, NULL));
	} while (tag != FDT_END);
}

static void check_number(const uint8_t *out, int chosen, const char *name, bool present, uint64_t number)
{
	int size;
	const fdt64_t *value = fdt_getprop(out, chosen, name, &size);

	assert_int_equal(value != NULL, present);
	if (!present)
		return;
	assert_int_equal(size, 8);
	assert_int_equal(fdt64_ld(value), number);
}

static void check_bootargs(const uint8_t *blob, const uint8_t *out, int chosen, const char *wish)
{
	int old_size = 0, size = 0;
	int old_chosen = fdt_path_offset(blob, "/chosen");
	const char *old = old_chosen < 0 ? NULL : fdt_getprop(blob, old_chosen, "bootargs", &old_size);
	const char *value = fdt_getprop(out, chosen, "bootargs", &size);

	if (wish) {
		old = *wish ? wish : NULL;
		old_size = (int)strlen(wish) + 1;
	}
	assert_int_equal(value != NULL, old != NULL);
	if (!old)
		return;
	assert_int_equal(size, old_size);
	assert_memory_equal(value, old, (size_t)size);
}

static void check_wish(const uint8_t *blob, const uint8_t *out, const struct fdt_wishes *wish)
{
	int chosen = fdt_path_offset(out, "/chosen");
	bool has_initrd = wish->initrd.size != 0;

	assert_true(chosen > 0);
	check_bootargs(blob, out, chosen, wish->bootargs);
	check_number(out, chosen, "linux,initrd-start", has_initrd, wish->initrd.base);
	check_number(out, chosen, "linux,initrd-end", has_initrd, wish->initrd.base + wish->initrd.size);
	for (size_t i = 0; i < ARRAY_SIZE(removed); i++)
		assert_null(fdt_getprop(out, chosen, removed[i], NULL));
}

/* A copy of the blob in a larger buffer, for libfdt to change. */
static uint8_t *open_copy(const uint8_t *blob)
{
	uint8_t *copy = malloc(BUFFER_SIZE);

	assert_int_equal(fdt_open_into(blob, copy, BUFFER_SIZE), 0);
	return copy;
}

/* The copy with a /chosen, as a tree whose rest must be that of the payload's. */
static uint8_t *with_chosen(const uint8_t *blob)
{
	uint8_t *copy = open_copy(blob);

	if (fdt_path_offset(copy, "/chosen") < 0)
		assert_true(fdt_add_subnode(copy, 0, "chosen") > 0);
	return copy;
}

static void check_all_wishes(const struct blob *blob)
{
	uint8_t *before = exact_copy(blob->data, blob->size);
	uint8_t *rest = with_chosen(blob->data);

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		uint64_t size;
		uint8_t *out = make(blob->data, &wishes[i], &size);

		check_wish(blob->data, out, &wishes[i]);
		check_rest_is_same(rest, out);
		free(out);
	}
	assert_memory_equal(blob->data, before, blob->size);
	free(before);
	free(rest);
}

static void every_wish_is_there_and_the_rest_is_as_the_firmware_made_it(void **state)
{
	(void)state;
	for_each_blob(check_all_wishes);
}

static void check_idempotent(const struct blob *blob)
{
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		uint64_t size, again_size;
		uint8_t *out = make(blob->data, &wishes[i], &size);
		uint8_t *again = make(out, &wishes[i], &again_size);

		assert_int_equal(size, again_size);
		assert_memory_equal(out, again, size);
		free(out);
		free(again);
	}
}

static void fixing_up_a_second_time_changes_no_byte(void **state)
{
	(void)state;
	for_each_blob(check_idempotent);
}

/* U-Boot does so before booti: bootargs, an initrd, and all that its boards add. */
static void check_grows_in_place(const struct blob *blob)
{
	static char text[FDT_SLACK - 64];

	memset(text, 'b', sizeof(text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		uint64_t size;
		uint8_t *out = make(blob->data, &wishes[i], &size), *grown = exact_copy(out, size);
		int chosen = fdt_path_offset(grown, "/chosen");

		assert_int_equal(fdt_setprop(grown, chosen, "more-bootargs", text, sizeof(text)), 0);
		assert_int_equal(fdt_pack(out), 0);
		assert_in_range(size - fdt_totalsize(out), FDT_SLACK, FDT_SLACK + 7);
		free(grown);
		free(out);
	}
}

static void the_result_is_packed_and_has_room_to_grow(void **state)
{
	(void)state;
	for_each_blob(check_grows_in_place);
}

static void check_short_buffers(const struct blob *blob)
{
	const struct fdt_wishes *wish = &wishes[2];
	uint64_t size;
	uint8_t *good = make(blob->data, wish, &size);

	for (uint64_t room = 0; room < size; room++) {
		uint8_t *out = exact_copy(good, room); /* a valid FDT was here before */

		assert_int_equal(fdt_make_payload_fdt(blob->data, wish, out, room, &diag), LB_ENOSPC);
		assert_true(room < 4 || fdt_magic(out) != FDT_MAGIC);
		free(out);
	}
	free(good);
}

static void every_smaller_buffer_fails_cleanly(void **state)
{
	(void)state;
	for_each_blob(check_short_buffers);
}

static void a_larger_buffer_gives_the_same_bytes(void **state)
{
	struct blob blob = load_blob("virt-1g-1");
	uint64_t size;
	uint8_t *good = make(blob.data, &wishes[2], &size);
	uint8_t *out = malloc(size + 5000);

	(void)state;
	memset(out, 0x5a, size + 5000);
	assert_int_equal(fdt_make_payload_fdt(blob.data, &wishes[2], out, size + 5000, &diag), LB_OK);
	assert_memory_equal(out, good, size);
	free(out);
	free(good);
	free(blob.data);
}

static void what_kexec_or_we_left_in_chosen_goes_and_seeds_stay(void **state)
{
	struct blob blob = load_blob("virt-1g-1");
	uint8_t *full = open_copy(blob.data);
	int chosen = fdt_path_offset(full, "/chosen");
	const uint8_t *seed = fdt_getprop(blob.data, fdt_path_offset(blob.data, "/chosen"), "rng-seed", NULL);
	uint64_t size;
	uint8_t *out;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(removed); i++)
		assert_int_equal(fdt_setprop_u64(full, chosen, removed[i], 0x1000), 0);
	assert_int_equal(fdt_setprop_u64(full, chosen, "kaslr-seed", 0x0123456789abcdef), 0);
	assert_int_equal(fdt_setprop_string(full, chosen, "linux,elfcorehdr-not", "stays"), 0);
	assert_int_equal(fdt_nop_property(full, chosen, "stdout-path"), 0);
	assert_int_equal(fdt_pack(full), 0);
	fdt_set_boot_cpuid_phys(full, 3);
	out = make(full, &wishes[2], &size);
	check_wish(full, out, &wishes[2]);
	check_rest_is_same(full, out);
	chosen = fdt_path_offset(out, "/chosen");
	assert_non_null(seed);
	assert_memory_equal(fdt_getprop(out, chosen, "rng-seed", NULL), seed, 32);
	check_number(out, chosen, "kaslr-seed", true, 0x0123456789abcdef);
	assert_non_null(fdt_getprop(out, chosen, "linux,elfcorehdr-not", NULL));
	free(out);
	free(full);
	free(blob.data);
}

static void slack_and_holes_in_the_firmwares_fdt_cost_no_room(void **state)
{
	struct blob blob = load_blob("opensbi-virt-4");
	uint8_t *slack = open_copy(blob.data);
	uint64_t size, slack_size;
	uint8_t *out, *of_slack;

	(void)state;
	fdt_set_totalsize(slack, 1 << 20);
	out = make(blob.data, &wishes[2], &size);
	of_slack = make(slack, &wishes[2], &slack_size);
	assert_int_equal(size, slack_size);
	assert_memory_equal(out, of_slack, size);
	free(out);
	free(of_slack);
	free(slack);
	free(blob.data);
}

static void blocks_in_another_order_are_put_in_the_usual_one(void **state)
{
	struct blob blob = load_blob("reservations");
	uint32_t structure = fdt_size_dt_struct(blob.data), strings = fdt_size_dt_strings(blob.data);
	uint32_t map = fdt_off_dt_struct(blob.data) - fdt_off_mem_rsvmap(blob.data);
	uint32_t total = 40 + structure + ((strings + 7) & ~7u) + map + 8;
	uint8_t *turned = calloc(1, total), *out;
	uint32_t map_at = (total - map) & ~7u;
	uint64_t size;

	(void)state;
	memcpy(turned, blob.data, 40);
	memcpy(turned + 40, blob.data + fdt_off_dt_strings(blob.data), strings);
	memcpy(turned + map_at - structure, blob.data + fdt_off_dt_struct(blob.data), structure);
	memcpy(turned + map_at, blob.data + fdt_off_mem_rsvmap(blob.data), map);
	fdt_set_off_dt_strings(turned, 40);
	fdt_set_off_dt_struct(turned, map_at - structure);
	fdt_set_off_mem_rsvmap(turned, map_at);
	fdt_set_totalsize(turned, total);
	assert_int_equal(fdt_check_full(turned, total), 0);
	out = make(turned, &wishes[2], &size);
	check_wish(turned, out, &wishes[2]);
	check_same_reservations(blob.data, out);
	assert_true(fdt_off_mem_rsvmap(out) < fdt_off_dt_struct(out));
	assert_true(fdt_off_dt_struct(out) < fdt_off_dt_strings(out));
	free(out);
	free(turned);
	free(blob.data);
}

static void bootargs_may_be_long_until_the_whole_is_longer_than_linux_takes(void **state)
{
	struct blob blob = load_blob("virt-1g-1");
	char *text = malloc(BUFFER_SIZE);
	struct fdt_wishes wish = {.bootargs = text};
	uint64_t size, lowest, left;
	uint8_t *out;

	(void)state;
	memset(text, 'x', BUFFER_SIZE);
	text[1000] = '\0';
	assert_int_equal(fdt_payload_size(blob.data, &wish, &lowest, &diag), LB_OK);
	left = FDT_SIZE_MAX - (lowest - FDT_SLACK); /* of which the last takes all */
	text[1000] = 'x';
	text[1000 + left] = '\0';
	out = make(blob.data, &wish, &size);
	assert_string_equal(fdt_getprop(out, fdt_path_offset(out, "/chosen"), "bootargs", NULL), text);
	free(out);
	text[1000 + left] = 'x';
	text[1000 + left + 8] = '\0';
	size = 77;
	out = malloc(FDT_SIZE_MAX);
	assert_int_equal(fdt_payload_size(blob.data, &wish, &size, &diag), LB_ERANGE);
	assert_int_equal(size, 77);
	assert_int_equal(fdt_make_payload_fdt(blob.data, &wish, out, FDT_SIZE_MAX, &diag), LB_ERANGE);
	assert_int_not_equal(fdt_magic(out), FDT_MAGIC);
	free(out);
	free(text);
	free(blob.data);
}

static void an_initrd_that_wraps_and_a_blob_that_is_none_are_refused(void **state)
{
	struct blob blob = load_blob("one-cell");
	struct fdt_wishes wish = {.initrd = {UINT64_MAX, 1}};
	uint8_t *out = malloc(4096);
	uint64_t size = 77;

	(void)state;
	assert_int_equal(fdt_payload_size(blob.data, &wish, &size, &diag), LB_ERANGE);
	assert_int_equal(fdt_make_payload_fdt(blob.data, &wish, out, 4096, &diag), LB_ERANGE);
	blob.data[0] ^= 1;
	assert_int_equal(fdt_payload_size(blob.data, &wishes[0], &size, &diag), LB_EFORMAT);
	memcpy(out, &(fdt32_t){cpu_to_fdt32(FDT_MAGIC)}, 4);
	assert_int_equal(fdt_make_payload_fdt(blob.data, &wishes[0], out, 4096, &diag), LB_EFORMAT);
	assert_int_not_equal(fdt_magic(out), FDT_MAGIC);
	assert_int_equal(size, 77);
	free(out);
	free(blob.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wish_is_there_and_the_rest_is_as_the_firmware_made_it),
		cmocka_unit_test(fixing_up_a_second_time_changes_no_byte),
		cmocka_unit_test(the_result_is_packed_and_has_room_to_grow),
		cmocka_unit_test(every_smaller_buffer_fails_cleanly),
		cmocka_unit_test(a_larger_buffer_gives_the_same_bytes),
		cmocka_unit_test(what_kexec_or_we_left_in_chosen_goes_and_seeds_stay),
		cmocka_unit_test(slack_and_holes_in_the_firmwares_fdt_cost_no_room),
		cmocka_unit_test(blocks_in_another_order_are_put_in_the_usual_one),
		cmocka_unit_test(bootargs_may_be_long_until_the_whole_is_longer_than_linux_takes),
		cmocka_unit_test(an_initrd_that_wraps_and_a_blob_that_is_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
