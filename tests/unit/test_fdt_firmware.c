// SPDX-License-Identifier: BSD-2-Clause
/* What firmware as the primary is told of memory: by libfdt, and as the stage itself would read it. */
#include "tests/unit/fdt_blobs.h"

#include "fdt/fixup.h"
#include "fdt/read.h"

#define RAM    UINT64_C(0x80000000)
#define HIDDEN UINT64_C(0x400000)

static const struct fdt_reservation reservations[] = {
	{.name = "lifeboat-crash", .range = {0xac000000, 0x10000000}, .no_map = true},
	{.name = "lifeboat-lost", .range = {0x80200000, 0x82000}},
};

static struct diag diag;

/* The FDT, and the same once more: a stage behind that firmware would do it again. */
static uint8_t *make(const uint8_t *blob, const struct fdt_wishes *wish)
{
	uint8_t *out, *again;
	uint64_t size, again_size;

	assert_int_equal(fdt_payload_size(blob, wish, &size, &diag), LB_OK);
	out = malloc(size);
	assert_int_equal(fdt_make_payload_fdt(blob, wish, out, size, &diag), LB_OK);
	assert_int_equal(fdt_check_full(out, size), 0);
	assert_int_equal(fdt_payload_size(out, wish, &again_size, &diag), LB_OK);
	again = malloc(again_size);
	assert_int_equal(fdt_make_payload_fdt(out, wish, again, again_size, &diag), LB_OK);
	assert_memory_equal(out, again, fdt_totalsize(out));
	free(again);
	return out;
}

static struct machine *read_machine(const uint8_t *fdt)
{
	static struct machine machine;

	assert_int_equal(fdt_read_machine(fdt, fdt_totalsize(fdt), &machine, &diag), LB_OK);
	return &machine;
}

static void the_start_of_a_bank_can_be_hidden(void **state)
{
	static const char *const names[] = {"virt-1g-1", "opensbi-virt-4", "one-cell"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct blob blob = load_blob(names[i]);
		const struct region bank = read_machine(blob.data)->ram.region[0];
		const struct fdt_wishes wish = {.hidden = {bank.base, HIDDEN}};
		uint8_t *out = make(blob.data, &wish);
		const struct region_set *ram = &read_machine(out)->ram;

		assert_int_equal(ram->region[0].base, bank.base + HIDDEN);
		assert_int_equal(ram->region[0].size, bank.size - HIDDEN);
		free(out);
		free(blob.data);
	}
}

/* Two ranges in one reg, and what @hidden leaves of them. */
static void check_hidden(struct region hidden, paddr_t first, uint64_t first_size)
{
	const uint64_t reg[] = {cpu_to_fdt64(RAM), cpu_to_fdt64(GIB), cpu_to_fdt64(4 * GIB),
				cpu_to_fdt64(2 * GIB)};
	const struct fdt_wishes wish = {.hidden = hidden};
	struct blob blob = load_blob("virt-1g-1");
	uint8_t *firmware = malloc(65536), *out;
	const struct region_set *ram;

	assert_int_equal(fdt_open_into(blob.data, firmware, 65536), 0);
	assert_int_equal(fdt_setprop(firmware, fdt_path_offset(firmware, "/memory@80000000"), "reg", reg,
				     sizeof(reg)),
			 0);
	out = make(firmware, &wish);
	ram = &read_machine(out)->ram;
	assert_int_equal(ram->count, 2);
	assert_int_equal(ram->region[0].base, first);
	assert_int_equal(ram->region[0].size, first_size);
	assert_int_equal(ram->region[1].base, 4 * GIB);
	assert_int_equal(ram->region[1].size, 2 * GIB);
	free(out);
	free(firmware);
	free(blob.data);
}

static void of_several_ranges_only_that_one(void **state)
{
	(void)state;
	check_hidden((struct region){RAM, HIDDEN}, RAM + HIDDEN, GIB - HIDDEN);
	check_hidden((struct region){0, 0}, RAM, GIB);
	check_hidden((struct region){RAM + HIDDEN, HIDDEN}, RAM, GIB);
	/* Nothing would be left. */
	check_hidden((struct region){RAM, GIB}, RAM, GIB);
}

static void nothing_that_is_reserved_is_mapped_by_firmware(void **state)
{
	struct blob blob = load_blob("virt-1g-1");

	(void)state;
	for (int firmware = 0; firmware < 2; firmware++) {
		const struct fdt_wishes wish = {
			.reservation = reservations,
			.reservation_count = ARRAY_SIZE(reservations),
			.no_map_at_all = firmware,
		};
		uint8_t *out = make(blob.data, &wish);
		int lost = fdt_path_offset(out, "/reserved-memory/lifeboat-lost@80200000");
		int crash = fdt_path_offset(out, "/reserved-memory/lifeboat-crash@ac000000");

		assert_true(lost > 0 && crash > 0);
		assert_int_equal(!!fdt_getprop(out, lost, "no-map", NULL), firmware);
		assert_non_null(fdt_getprop(out, crash, "no-map", NULL));
		free(out);
	}
	free(blob.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_start_of_a_bank_can_be_hidden),
		cmocka_unit_test(of_several_ranges_only_that_one),
		cmocka_unit_test(nothing_that_is_reserved_is_mapped_by_firmware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
