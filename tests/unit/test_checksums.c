// SPDX-License-Identifier: BSD-2-Clause
/* FNV-1a and CRC-32: values that everybody has, since they are kept in memory that outlives a reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/fnv.h"

static void fnv_has_its_published_values(void **state)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} rows[] = {
		{"", UINT64_C(0xcbf29ce484222325)},
		{"a", UINT64_C(0xaf63dc4c8601ec8c)},
		{"foobar", UINT64_C(0x85944171f73967e8)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(fnv_update_bytes(FNV_BASIS, rows[i].text, strlen(rows[i].text)),
				 rows[i].hash);
}

static void fnv_goes_on_from_where_it_was(void **state)
{
	const uint64_t half = fnv_update_bytes(FNV_BASIS, "foo", 3);

	(void)state;
	assert_int_equal(fnv_update_bytes(half, "bar", 3), UINT64_C(0x85944171f73967e8));
	assert_int_equal(fnv_update(FNV_BASIS, 'a'), UINT64_C(0xaf63dc4c8601ec8c));
}

static void crc32_has_its_published_value_in_one_go_and_in_two(void **state)
{
	const char text[] = "123456789";

	(void)state;
	assert_int_equal(crc32_update(0, text, 9), 0xcbf43926);
	for (size_t cut = 0; cut <= 9; cut++)
		assert_int_equal(crc32_update(crc32_update(0, text, cut), text + cut, 9 - cut), 0xcbf43926);
	assert_int_equal(crc32_update(0, text, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fnv_has_its_published_values),
		cmocka_unit_test(fnv_goes_on_from_where_it_was),
		cmocka_unit_test(crc32_has_its_published_value_in_one_go_and_in_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
