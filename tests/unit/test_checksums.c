// SPDX-License-Identifier: BSD-2-Clause
/* FNV-1a and CRC-32: values that everybody has, since they are kept in memory that outlives a reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/checksum.h"
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

static uint32_t crc_bit_by_bit(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t bit = 0; bit < 8 * size; bit++) {
		crc ^= data[bit / 8] >> bit % 8 & 1;
		crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void crc32_of_what_is_long_is_the_same_from_every_place(void **state)
{
	static _Alignas(8) uint8_t data[4200];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 ^ i >> 3);
	for (size_t from = 0; from < 8; from++) {
		for (size_t size = 4080; size < 4120; size++)
			assert_int_equal(crc32_update(0, data + from, size),
					 crc_bit_by_bit(data + from, size));
	}
}

/* As docs/abi.md has it, a byte or a pair at a time. */
static uint64_t fold(uint64_t x, uint64_t y)
{
	const unsigned __int128 product = (unsigned __int128)x * y;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static uint32_t sum_of(const uint8_t *data, size_t size)
{
	uint64_t sum = UINT64_C(0x9e3779b97f4a7c15) ^ size, pair[2];
	size_t at = 0, end;

	for (; at < size && (uintptr_t)(data + at) % 8; at++)
		sum = fold(sum ^ data[at], UINT64_C(0xd1b54a32d192ed03));
	for (end = at + (size - at) / 64 * 64; at < end; at += 16) {
		memcpy(pair, data + at, 16);
		sum = fold(sum ^ pair[0], pair[1] ^ UINT64_C(0xd1b54a32d192ed03));
	}
	for (; at < size; at++)
		sum = fold(sum ^ data[at], UINT64_C(0xd1b54a32d192ed03));
	sum ^= sum >> 32;
	return (uint32_t)sum ? (uint32_t)sum : 1;
}

enum { SUMMED = 300 };
static _Alignas(8) uint8_t summed[SUMMED + 8];

static void the_checksum_is_what_abi_md_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(summed); i++)
		summed[i] = (uint8_t)(i * 37 ^ i >> 3);
	for (size_t from = 0; from < 8; from++) {
		for (size_t size = 0; size <= SUMMED; size++)
			assert_int_equal(checksum(summed + from, size), sum_of(summed + from, size));
	}
}

static void the_checksum_finds_each_flipped_bit_and_the_same_flip_in_two_words(void **state)
{
	const uint32_t sum = checksum(summed, SUMMED);

	(void)state;
	assert_int_not_equal(sum, checksum(summed, SUMMED - 1));
	for (size_t bit = 0; bit < 8 * SUMMED; bit++) {
		summed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(sum, checksum(summed, SUMMED));
		for (size_t again = bit + 64; again < 8 * SUMMED; again += 64) {
			summed[again / 8] ^= (uint8_t)(1 << again % 8);
			assert_int_not_equal(sum, checksum(summed, SUMMED));
			summed[again / 8] ^= (uint8_t)(1 << again % 8);
		}
		summed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fnv_has_its_published_values),
		cmocka_unit_test(fnv_goes_on_from_where_it_was),
		cmocka_unit_test(crc32_has_its_published_value_in_one_go_and_in_two),
		cmocka_unit_test(crc32_of_what_is_long_is_the_same_from_every_place),
		cmocka_unit_test(the_checksum_is_what_abi_md_says),
		cmocka_unit_test(the_checksum_finds_each_flipped_bit_and_the_same_flip_in_two_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
