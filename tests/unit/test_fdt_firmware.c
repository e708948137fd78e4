// SPDX-License-Identifier: BSD-2-Clause
/* What firmware as the primary is told of memory, looked at with libfdt. */
#include "tests/unit/fdt_blobs.h"

#include "fdt/fixup.h"

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
		cmocka_unit_test(nothing_that_is_reserved_is_mapped_by_firmware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
