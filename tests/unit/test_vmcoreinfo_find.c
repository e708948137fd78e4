// SPDX-License-Identifier: BSD-2-Clause
/* The search for a dead kernel's note in made-up RAM: where, and which of several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dead_ram.h"

#define RAM_SIZE  (8 * MIB)
#define KERNEL_PA (DEAD_BASE + 2 * MIB)
#define OTHER_PA  (DEAD_BASE + 4 * MIB)
#define THIRD_PA  (DEAD_BASE + 6 * MIB)
#define NOTE_PA	  (DEAD_BASE + 64 * KIB)

static struct dead_ram ram;
static struct dead_kernel kernel, other, third;
static struct vmcoreinfo info;
static struct diag diag;

static void begin(enum dead_age age)
{
	dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
	dead_kernel_init(&kernel, &ram, age, KERNEL_PA, NOTE_PA);
}

static void build(enum dead_age age)
{
	begin(age);
	dead_kernel_build(&kernel);
}

static void end(void)
{
	dead_ram_free(&ram);
}

static enum lb_err find(const struct region_set *where, size_t *candidates)
{
	diag.text[0] = '\0';
	return vmcoreinfo_find(&ram.look, where, KERNEL_PA, &info, candidates, &diag);
}

static void a_note_is_found_at_any_page_of_the_ranges_to_search(void **state)
{
	static const paddr_t places[] = {0, 4096, 8192, 12288, 128 * KIB, MIB};
	struct region_set where;
	size_t candidates;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		begin(AGE_6_12);
		kernel.note_pa = DEAD_BASE + places[i];
		dead_kernel_build(&kernel);
		assert_int_equal(find(&ram.readable, &candidates), LB_OK);
		assert_int_equal(info.note.base, kernel.note_pa);
		assert_int_equal(candidates, 1);
		/* Just the page, and more than is readable. */
		region_set_clear(&where);
		assert_int_equal(region_set_add(&where, kernel.note_pa, 4096), LB_OK);
		assert_int_equal(find(&where, NULL), LB_OK);
		region_set_clear(&where);
		assert_int_equal(region_set_add(&where, 0, UINT64_MAX), LB_OK);
		assert_int_equal(find(&where, NULL), LB_OK);
		/* Its page is not to be searched, be it by one byte. */
		assert_int_equal(region_set_subtract(&where, kernel.note_pa + 4095, 1), LB_OK);
		assert_int_equal(find(&where, &candidates), LB_ENOENT);
		assert_int_equal(candidates, 0);
		region_set_clear(&where);
		assert_int_equal(region_set_add(&where, kernel.note_pa + 1, 1 * MIB), LB_OK);
		assert_int_equal(find(&where, NULL), LB_ENOENT);
		end();
	}
}

static void a_note_off_a_page_s_start_is_none(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.note_pa = NOTE_PA + 2048;
	dead_kernel_build(&kernel);
	assert_int_equal(find(&ram.readable, NULL), LB_ENOENT);
	assert_non_null(strstr(diag.text, "no note in RAM"));
	end();
}

static void ram_up_to_the_last_address_is_searched(void **state)
{
	struct region_set where;

	(void)state;
	dead_ram_init(&ram, UINT64_C(0) - 8 * MIB - 4096, 8 * MIB);
	dead_kernel_init(&kernel, &ram, AGE_6_12, align_down(ram.base, 2 * MIB) + 2 * MIB,
			 ram.base + 64 * KIB);
	dead_kernel_build(&kernel);
	region_set_clear(&where);
	assert_int_equal(region_set_add(&where, 0, UINT64_MAX), LB_OK);
	assert_int_equal(find(&where, NULL), LB_OK);
	assert_int_equal(info.kernel_pa, kernel.kernel_pa);
	end();
}

static void when_no_note_is_good_the_line_tells_how_many_and_why(void **state)
{
	size_t candidates;

	(void)state;
	build(AGE_6_12);
	dead_kernel_init(&other, &ram, AGE_7_2, OTHER_PA, NOTE_PA + 16 * KIB);
	dead_kernel_build(&other);
	dead_put(&ram, kernel.uts + 130, 'x', 1);
	dead_put(&ram, other.uts + 8 + 130, 'x', 1);
	assert_int_equal(find(&ram.readable, &candidates), LB_ENOENT);
	assert_int_equal(candidates, 2);
	assert_non_null(strstr(diag.text, "none of 2 notes"));
	assert_non_null(strstr(diag.text, other.release));
	end();
}

/*
 * What speaks for one of two kernels; the first of them lies lower and is at the place that the stage knows.
 */
enum sign { NO_LOG, LEFT_BY_KEXEC, AT_HOME, CRASHED, LATER };

static void give_sign(struct dead_kernel *to, enum sign sign)
{
	if (sign == NO_LOG)
		dead_put(&ram, to->prb, 0, 8);
	else if (sign == LEFT_BY_KEXEC)
		dead_log(to, "kexec_core: Starting new kernel");
	else if (sign == CRASHED)
		dead_note_append(to, "CRASHTIME=17639\n");
	else if (sign == LATER)
		dead_log(to, "last words")->ts = UINT64_C(99) << 32;
	if (sign == LATER)
		dead_log_rewrite(to, &to->log[to->logged - 1]);
	dead_note_write(to);
}

static void of_several_good_notes_the_best_reasons_win(void **state)
{
	/* Signs of the kernel at home, of the other one, and who wins. */
	static const struct {
		enum sign home[3], other[3];
		bool home_wins;
	} rows[] = {
		{{AT_HOME}, {AT_HOME}, true},
		{{AT_HOME}, {LATER, CRASHED}, true},
		{{LEFT_BY_KEXEC, CRASHED, LATER}, {AT_HOME}, false},
		{{NO_LOG, CRASHED}, {AT_HOME}, false},
		{{LEFT_BY_KEXEC}, {NO_LOG, CRASHED}, true},
		{{LEFT_BY_KEXEC}, {LEFT_BY_KEXEC, CRASHED, LATER}, true},
		{{AT_HOME}, {NO_LOG}, true},
	};
	size_t candidates;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build(AGE_6_12);
		dead_kernel_init(&other, &ram, AGE_7_2, OTHER_PA, NOTE_PA + 16 * KIB);
		dead_kernel_build(&other);
		for (size_t j = 0; j < 3; j++) {
			/* (0 is NO_LOG: meant only where it is the first.) */
			if (j == 0 || rows[i].home[j] != NO_LOG)
				give_sign(&kernel, rows[i].home[j]);
			if (j == 0 || rows[i].other[j] != NO_LOG)
				give_sign(&other, rows[i].other[j]);
		}
		assert_int_equal(find(&ram.readable, &candidates), LB_OK);
		assert_int_equal(candidates, 2);
		if (strcmp(info.release, rows[i].home_wins ? kernel.release : other.release))
			fail_msg("row %zu: %s wins", i, info.release);
		end();
	}
}

/* Neither lies where the stage put one. */
static void strangers_are_told_apart_by_crash_time_then_by_their_clock(void **state)
{
	static const struct {
		enum sign other, third;
		bool third_wins;
	} rows[] = {
		{AT_HOME, AT_HOME, false}, {AT_HOME, LATER, true},  {LATER, AT_HOME, false},
		{LATER, CRASHED, true},	   {CRASHED, LATER, false}, {CRASHED, CRASHED, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
		dead_kernel_init(&other, &ram, AGE_6_12, OTHER_PA, NOTE_PA);
		dead_kernel_build(&other);
		dead_kernel_init(&third, &ram, AGE_7_2, THIRD_PA, NOTE_PA + 16 * KIB);
		dead_kernel_build(&third);
		give_sign(&other, rows[i].other);
		give_sign(&third, rows[i].third);
		assert_int_equal(find(&ram.readable, NULL), LB_OK);
		if (strcmp(info.release, rows[i].third_wins ? third.release : other.release))
			fail_msg("row %zu: %s wins", i, info.release);
		end();
	}
}

static void a_bad_note_does_not_keep_a_good_one_from_being_found(void **state)
{
	size_t candidates;

	(void)state;
	build(AGE_6_12);
	for (uint64_t i = 1; i <= 2; i++) {
		dead_kernel_init(&other, &ram, AGE_7_2, OTHER_PA, NOTE_PA + 16 * KIB * i - 24 * KIB);
		dead_kernel_build(&other);
		dead_put(&ram, other.uts + 8 + 130, 'x', 1);
	}
	assert_int_equal(find(&ram.readable, &candidates), LB_OK);
	assert_int_equal(candidates, 3);
	assert_string_equal(info.release, kernel.release);
	end();
}

static void the_search_gives_up_after_1024_notes(void **state)
{
	size_t candidates;

	(void)state;
	build(AGE_6_12);
	for (uint64_t i = 0; i < RAM_SIZE / 4096; i++) {
		paddr_t pa = DEAD_BASE + i * 4096;

		dead_put(&ram, pa, 11, 4);
		dead_put(&ram, pa + 4, 40, 8);
		memcpy(ram.bytes + (pa + 12 - DEAD_BASE), "VMCOREINFO", 11);
	}
	assert_int_equal(find(&ram.readable, &candidates), LB_ENOENT);
	assert_int_equal(candidates, VMCOREINFO_CANDIDATES_MAX);
	kernel.note_pa = DEAD_BASE + 1024 * 4096;
	dead_note_write(&kernel);
	assert_int_equal(find(&ram.readable, &candidates), LB_ENOENT);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_note_is_found_at_any_page_of_the_ranges_to_search),
		cmocka_unit_test(a_note_off_a_page_s_start_is_none),
		cmocka_unit_test(ram_up_to_the_last_address_is_searched),
		cmocka_unit_test(when_no_note_is_good_the_line_tells_how_many_and_why),
		cmocka_unit_test(of_several_good_notes_the_best_reasons_win),
		cmocka_unit_test(strangers_are_told_apart_by_crash_time_then_by_their_clock),
		cmocka_unit_test(a_bad_note_does_not_keep_a_good_one_from_being_found),
		cmocka_unit_test(the_search_gives_up_after_1024_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
