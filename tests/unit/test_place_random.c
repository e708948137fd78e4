// SPDX-License-Identifier: BSD-2-Clause
/* The plan, on thousands of random small machines, each judged twice: place_judge.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/place_judge.h"

#define SCENES 10000

static void every_plan_is_the_best_one_and_every_error_is_due(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (uint64_t i = 0; i < SCENES; i++)
		place_judge(0x91ace + i, &tally);
	print_message("of %d: %u planned (%u images and %u initrds stayed, %u items overlapped themselves), "
		      "%u without room, %u in conflict; %u pools beside them, %u items on lost memory\n",
		      SCENES, tally.planned, tally.stayed, tally.initrd_stayed, tally.overlapped_itself,
		      tally.no_room, tally.conflict, tally.pools, tally.on_lost);
	assert_true(tally.planned > SCENES / 5 && tally.stayed > SCENES / 100);
	assert_true(tally.initrd_stayed > SCENES / 100 && tally.overlapped_itself > SCENES / 100);
	assert_true(tally.pools > SCENES / 10 && tally.on_lost > SCENES / 200);
	assert_true(tally.no_room > SCENES / 10 && tally.conflict > SCENES / 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plan_is_the_best_one_and_every_error_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
