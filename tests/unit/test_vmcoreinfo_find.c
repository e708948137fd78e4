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
	kernel.unnamed = true; /* but where a test says so: then RAM is not searched */
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
	return vmcoreinfo_find(&ram.look, where, DEAD_HOME(KERNEL_PA), &info, candidates, &diag);
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

/* As behind firmware, which puts it anywhere: by its own header the note is anchored, and its size known. */
static void a_kernel_that_the_stage_knows_nothing_of_is_found_by_its_note(void **state)
{
	const struct vmcoreinfo_home nowhere = {{0, 0}, DEAD_BASE};
	static const enum dead_age ages[] = {AGE_6_12, AGE_7_2};
	size_t candidates;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
		dead_kernel_init(&kernel, &ram, ages[i], OTHER_PA, NOTE_PA);
		dead_kernel_build(&kernel);
		assert_int_equal(vmcoreinfo_find(&ram.look, &ram.readable, &nowhere, &info, &candidates,
						 &diag),
				 LB_OK);
		assert_true(info.anchored);
		assert_int_equal(info.kernel_pa, OTHER_PA);
		assert_int_equal(info.kernel_size, 2 * MIB);
		assert_int_equal(candidates, 1);
		/* The reset has loaded something over its header: a last resort. */
		dead_put(&ram, OTHER_PA + 56, 0, 4);
		assert_int_equal(vmcoreinfo_find(&ram.look, &ram.readable, &nowhere, &info, &candidates,
						 &diag),
				 LB_OK);
		assert_false(info.anchored);
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
 * What speaks for one of two kernels, or against it; one letter each. The first of them lies lower, at
 * home.
 */
static void give_signs(struct dead_kernel *to, const char *signs)
{
	for (; *signs; signs++) {
		if (*signs == 'u') /* no readable log */
			dead_put(&ram, to->prb, to->kernel_va + 16, 8);
		else if (*signs == 'k')
			dead_log(to, "kexec_core: Starting new kernel");
		else if (*signs == 'r')
			dead_log(to, "reboot: Restarting system");
		else if (*signs == 'p')
			dead_log(to, "Kernel panic - not syncing");
		else if (*signs == 'c')
			dead_note_append(to, "CRASHTIME=17639\n");
		else if (*signs == 'l') /* later last words */
			dead_log(to, "last words")->ts = UINT64_C(99) << 32;
		else if (*signs == 'x') /* not anchored */
			dead_put(&ram, to->kernel_pa + 56, 0, 4);
		if (*signs == 'l')
			dead_log_rewrite(to, &to->log[to->logged - 1]);
	}
	dead_note_write(to);
}

static void of_several_good_notes_the_best_reasons_win(void **state)
{
	/* Signs of the kernel at home, of the other one, and who wins. */
	static const struct {
		const char *home, *other;
		bool home_wins;
	} rows[] = {
		{"", "", true},
		{"", "lc", true},
		/* It left by kexec -e: another lived after it, anchored or not. */
		{"kcl", "", false},
		{"k", "x", false},
		{"k", "ucx", false},
		{"k", "kcl", true},
		/* Only what is anchored counts, if there is any. */
		{"", "xpcl", true},
		{"r", "xpcl", true},
		{"p", "xrcl", true},
		{"u", "xrcl", true},
		/* Contradiction is no good end. */
		{"r", "pcl", false},
		{"p", "rcl", true},
		{"r", "u", false},
		{"u", "rcl", true},
		{"up", "p", false},
	};
	size_t candidates;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build(AGE_6_12);
		dead_kernel_init(&other, &ram, AGE_7_2, OTHER_PA, NOTE_PA + 16 * KIB);
		dead_kernel_build(&other);
		give_signs(&kernel, rows[i].home);
		give_signs(&other, rows[i].other);
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
		const char *other, *third;
		bool third_wins;
	} rows[] = {
		{"", "", false},  {"", "l", true},   {"l", "", false},
		{"l", "c", true}, {"c", "l", false}, {"c", "c", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
		dead_kernel_init(&other, &ram, AGE_6_12, OTHER_PA, NOTE_PA);
		dead_kernel_build(&other);
		dead_kernel_init(&third, &ram, AGE_7_2, THIRD_PA, NOTE_PA + 16 * KIB);
		dead_kernel_build(&third);
		give_signs(&other, rows[i].other);
		give_signs(&third, rows[i].third);
		assert_int_equal(find(&ram.readable, NULL), LB_OK);
		assert_true(info.anchored); /* by their Image headers: a bootloader started them */
		if (strcmp(info.release, rows[i].third_wins ? third.release : other.release))
			fail_msg("row %zu: %s wins", i, info.release);
		end();
	}
}

/*
 * Every other page is somebody's who would like to be the kernel: its own image, header included, a good
 * end, the latest CRASHTIME; and before it as many notes as the search would look at.
 */
static void the_note_that_the_image_points_to_wins_over_whatever_processes_wrote(void **state)
{
	size_t candidates;

	(void)state;
	for (enum dead_age age = 0; age < AGES; age++) {
		begin(age);
		kernel.unnamed = false;
		kernel.note_pa = DEAD_BASE + 7 * MIB;
		dead_kernel_build(&kernel);
		give_signs(&kernel, "p");
		dead_kernel_init(&other, &ram, age == AGE_6_1 ? AGE_6_2 : age, OTHER_PA, NOTE_PA);
		dead_kernel_build(&other);
		give_signs(&other, "crl");
		assert_int_equal(find(&ram.readable, &candidates), LB_OK);
		assert_int_equal(info.note.base, kernel.note_pa);
		assert_true(info.anchored);
		assert_int_equal(candidates, 1);
		end();
	}
}

static void a_pointer_to_another_s_note_is_none(void **state)
{
	const paddr_t pointer = KERNEL_PA + 2 * MIB - 64;

	(void)state;
	begin(AGE_6_12);
	kernel.unnamed = false;
	dead_kernel_build(&kernel);
	dead_kernel_init(&other, &ram, AGE_6_12, OTHER_PA, NOTE_PA + 16 * KIB);
	other.unnamed = true;
	dead_kernel_build(&other);
	give_signs(&kernel, "p");
	give_signs(&other, "r");
	/*
	 * Behind the right one, so it is met first: to what is no note, to one of another place, off its
	 * page.
	 */
	dead_put(&ram, pointer + 8, dead_get(&ram, pointer, 8) + 8 * KIB, 8);
	dead_put(&ram, pointer + 16, dead_get(&ram, pointer, 8) + 16 * KIB, 8);
	dead_put(&ram, pointer + 24, dead_get(&ram, pointer, 8) + 8, 8);
	dead_put(&ram, pointer + 32, UINT64_MAX - 4095, 8);
	assert_int_equal(find(&ram.readable, NULL), LB_OK);
	assert_int_equal(info.note.base, NOTE_PA);
	end();
}

static void after_too_many_notes_none_is_anchored(void **state)
{
	(void)state;
	build(AGE_6_12);
	for (uint64_t i = 0; i < 2 * MIB / 4096 - 17; i++) {
		for (int high = 0; high < 2; high++) {
			paddr_t pa = high ? DEAD_BASE + 4 * MIB + i * 4096 : NOTE_PA + (i + 1) * 4096;

			dead_put(&ram, pa, 11, 4);
			dead_put(&ram, pa + 4, 40, 8);
			memcpy(ram.bytes + (pa + 12 - DEAD_BASE), "VMCOREINFO", 11);
		}
	}
	assert_int_equal(find(&ram.readable, NULL), LB_OK);
	assert_true(info.anchored);
	for (uint64_t i = 0; i < 64; i++) {
		paddr_t pa = DEAD_BASE + 6 * MIB + i * 4096;

		dead_put(&ram, pa, 11, 4);
		dead_put(&ram, pa + 4, 40, 8);
		memcpy(ram.bytes + (pa + 12 - DEAD_BASE), "VMCOREINFO", 11);
	}
	assert_int_equal(find(&ram.readable, NULL), LB_OK);
	assert_false(info.anchored);
	end();
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
		cmocka_unit_test(a_kernel_that_the_stage_knows_nothing_of_is_found_by_its_note),
		cmocka_unit_test(a_note_off_a_page_s_start_is_none),
		cmocka_unit_test(ram_up_to_the_last_address_is_searched),
		cmocka_unit_test(when_no_note_is_good_the_line_tells_how_many_and_why),
		cmocka_unit_test(of_several_good_notes_the_best_reasons_win),
		cmocka_unit_test(strangers_are_told_apart_by_crash_time_then_by_their_clock),
		cmocka_unit_test(the_note_that_the_image_points_to_wins_over_whatever_processes_wrote),
		cmocka_unit_test(a_pointer_to_another_s_note_is_none),
		cmocka_unit_test(after_too_many_notes_none_is_anchored),
		cmocka_unit_test(a_bad_note_does_not_keep_a_good_one_from_being_found),
		cmocka_unit_test(the_search_gives_up_after_1024_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
