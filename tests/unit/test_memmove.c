// SPDX-License-Identifier: BSD-2-Clause
/* The stage's own memmove() and memcpy(): every alignment of both sides, every distance that overlaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define memmove stage_memmove
#define memcpy	stage_memcpy
#include "subprojects/packagefiles/picolibc/lifeboat/memmove.c"
#undef memmove
#undef memcpy

/* (Words are read whole, so the arrays are.) */
enum { ROOM = 512, SIZES = 230 };

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 37 ^ i >> 3);
}

/* A move within one array, checked byte by byte: what was not to be written is as before. */
static void check(size_t to, size_t from, size_t size)
{
	static _Alignas(8) uint8_t room[ROOM];

	for (size_t i = 0; i < ROOM; i++)
		room[i] = pattern(i);
	assert_ptr_equal(stage_memmove(room + to, room + from, size), room + to);
	for (size_t i = 0; i < ROOM; i++)
		assert_int_equal(room[i], i - to < size ? pattern(i - to + from) : pattern(i));
}

static void it_moves_from_every_place_to_every_place(void **state)
{
	(void)state;
	for (size_t to = 0; to < 8; to++) {
		for (size_t from = 256; from < 264; from++) {
			for (size_t size = 0; size <= SIZES; size++)
				check(to, from, size);
		}
	}
}

static void what_overlaps_arrives_whole(void **state)
{
	static const size_t sizes[] = {1, 7, 8, 31, 32, 33, 64, 97, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t to = 64; to < 240; to++) {
			for (size_t from = 128; from < 136; from++)
				check(to, from, sizes[i]);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_moves_from_every_place_to_every_place),
		cmocka_unit_test(what_overlaps_arrives_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
