// SPDX-License-Identifier: BSD-2-Clause
/* The platforms' data: well-formed, found by their names, no name claimed twice, and each with its notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/platforms.h"

#define PLATFORM(name) &platform_##name##_notes,
static const struct platform_notes *const notes[] = {
#include "platforms.inc"
};
#undef PLATFORM

static struct machine machine;

static const struct platform *find(const char *compatible, size_t size)
{
	machine.compatible = compatible;
	machine.compatible_size = size;
	return platform_find(&machine);
}

static void a_board_is_found_by_each_of_its_names_wherever_it_stands(void **state)
{
	size_t names = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		const struct platform *platform = notes[i]->platform;

		for (const char *name = platform->compatible; *name; name += strlen(name) + 1, names++) {
			char list[128] = "nobody,knows-this";
			size_t first = strlen(list) + 1;

			assert_true(strchr(name, ',') || !strcmp(name, "riscv-virtio"));
			strcpy(list + first, name);
			assert_ptr_equal(find(list, first + strlen(name) + 1), platform);
			assert_ptr_equal(find(name, strlen(name) + 1), platform);
			/* Not by a part of a name. */
			assert_ptr_equal(find(list, first), &platform_generic);
			list[first + strlen(name) - 1] = '\0';
			assert_ptr_equal(find(list, first + strlen(name)), &platform_generic);
		}
	}
	assert_true(names > ARRAY_SIZE(notes));
}

static void a_machine_that_nobody_names_is_generic(void **state)
{
	(void)state;
	assert_ptr_equal(find(NULL, 0), &platform_generic);
	assert_ptr_equal(find("sipeed,lichee-pi-5a\0thead,th1520x", 34), &platform_generic);
}

/* Text that fills its array has no NUL. */
static bool is_text(const char *text, size_t room)
{
	return *text && memchr(text, '\0', room);
}

static void lost_memory_is_in_order_and_says_by_whom(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		const struct platform *platform = notes[i]->platform;
		uint32_t end = 0;

		assert_true(!platform->lost == !platform->lost_count);
		for (size_t j = 0; j < platform->lost_count; j++, rows++) {
			const struct platform_lost *lost = &platform->lost[j];

			assert_true(lost->size_mib && lost->base_mib >= end);
			assert_true(is_text(lost->by, sizeof(lost->by)));
			end = lost->base_mib + lost->size_mib;
		}
	}
	assert_true(rows > 10);
}

static void registers_and_flash_are_where_such_things_can_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		const struct platform *platform = notes[i]->platform;

		assert_true(is_aligned(platform->llc_flush, 8));
		if (!platform->flash)
			continue;
		assert_true(is_aligned(platform->flash->base | platform->flash->size, PAGE_SIZE));
		assert_true(platform->flash->base && platform->flash->size);
	}
}

static void notes_say_how_a_board_wants_us_and_where_each_quirk_is_known_from(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		const struct platform_notes *note = notes[i];

		assert_true(is_aligned(note->load, PAGE_SIZE) && note->load);
		assert_true(is_text(note->previous, sizeof(note->previous)));
		assert_true(is_text(note->watchdog, sizeof(note->watchdog)));
		for (size_t j = 0; j < ARRAY_SIZE(note->quirk) && *note->quirk[j].name; j++) {
			const struct platform_quirk *quirk = &note->quirk[j];

			assert_true(is_text(quirk->name, sizeof(quirk->name)));
			assert_true(is_text(quirk->what, sizeof(quirk->what)));
			assert_true(is_text(quirk->source, sizeof(quirk->source)));
		}
		for (size_t other = 0; other < i; other++) {
			assert_string_not_equal(note->platform->name, notes[other]->platform->name);
			assert_ptr_not_equal(note->platform, notes[other]->platform);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_is_found_by_each_of_its_names_wherever_it_stands),
		cmocka_unit_test(a_machine_that_nobody_names_is_generic),
		cmocka_unit_test(lost_memory_is_in_order_and_says_by_whom),
		cmocka_unit_test(registers_and_flash_are_where_such_things_can_be),
		cmocka_unit_test(notes_say_how_a_board_wants_us_and_where_each_quirk_is_known_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
