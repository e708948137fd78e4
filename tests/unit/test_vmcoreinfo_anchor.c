// SPDX-License-Identifier: BSD-2-Clause
/* What of a VMCOREINFO note only a kernel could have written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dead_note.h"

/* What any process could have written instead: not anchored, though all else is right. */
static void a_note_is_anchored_by_what_only_its_kernel_s_image_holds(void **state)
{
	enum spoil { NOTHING, NO_HEADER, ELSEWHERE, UTS, PRB, RING };
	static const struct {
		enum spoil what;
		bool known; /* the stage knows of the kernel */
		bool anchored;
	} rows[] = {
		{NOTHING, true, true}, {NOTHING, false, true},	  {NO_HEADER, true, true},
		{UTS, true, false},    {NO_HEADER, false, false}, {PRB, true, false},
		{RING, true, false},   {ELSEWHERE, true, false},
	};
	const uint64_t linear = UINT64_C(0xffffaf8000000000) - DEAD_BASE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char value[32];

		begin(AGE_6_12);
		kernel.headless = rows[i].what == NO_HEADER || rows[i].what == ELSEWHERE;
		dead_kernel_build(&kernel);
		if (rows[i].what == UTS) {
			snprintf(value, sizeof(value), "%llx", (unsigned long long)(kernel.uts + linear));
			dead_note_replace(&kernel, "SYMBOL(init_uts_ns)=", value);
		} else if (rows[i].what == PRB) {
			snprintf(value, sizeof(value), "%llx", (unsigned long long)(kernel.prb + linear));
			dead_note_replace(&kernel, "SYMBOL(prb)=", value);
		} else if (rows[i].what == RING) {
			dead_put(&ram, kernel.prb, kernel.rb + linear, 8);
		}
		dead_note_write(&kernel);
		assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA,
						 rows[i].what == ELSEWHERE ? DEAD_HOME(OTHER_PA)
						 : rows[i].known	   ? DEAD_HOME(KERNEL_PA)
									   : DEAD_HOME(0),
						 &info, NULL),
				 LB_OK);
		if (info.anchored != rows[i].anchored)
			fail_msg("row %zu: anchored %d", i, info.anchored);
		end();
	}
}

/* A bootloader's 934 KiB are not the size of the Linux that it started. */
static void the_size_of_the_image_is_what_its_own_header_says(void **state)
{
	const struct vmcoreinfo_home small = {{KERNEL_PA, 0xe9a00}, DEAD_BASE};

	(void)state;
	build(AGE_6_12);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, &small, &info, NULL), LB_OK);
	assert_int_equal(info.kernel_size, 2 * MIB);
	dead_put(&ram, KERNEL_PA + 56, 0, 4);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, &small, &info, NULL), LB_OK);
	assert_int_equal(info.kernel_size, 0xe9000);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(0), &info, NULL), LB_OK);
	assert_int_equal(info.kernel_size, 0);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_note_is_anchored_by_what_only_its_kernel_s_image_holds),
		cmocka_unit_test(the_size_of_the_image_is_what_its_own_header_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
