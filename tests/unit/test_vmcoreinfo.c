// SPDX-License-Identifier: BSD-2-Clause
/* VMCOREINFO notes of made-up kernels: what is read, and what is refused. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dead_note.h"

static struct diag diag;

static enum lb_err read_note(void)
{
	diag.text[0] = '\0';
	return vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(KERNEL_PA), &info, &diag);
}

static void assert_reads(enum lb_err want, const char *what)
{
	enum lb_err err = read_note();

	if (err != want)
		fail_msg("%s: %s (%s), not %s", what, lb_err_name(err), diag.text, lb_err_name(want));
	assert_int_equal(diag.text[0] == '\0', err == LB_OK);
}

static void the_note_of_every_age_is_read_to_the_last_number(void **state)
{
	(void)state;
	for (enum dead_age age = 0; age < AGES; age++) {
		begin(age);
		kernel.crash_time = age == AGE_6_12 ? 1763900000 : 0;
		dead_kernel_build(&kernel);
		assert_reads(LB_OK, kernel.release);
		assert_string_equal(info.release, kernel.release);
		assert_int_equal(info.note.base, NOTE_PA);
		assert_int_equal(info.note.size, 24 + (kernel.text_size + 3) / 4 * 4 + 12);
		assert_int_equal(info.crash_time, kernel.crash_time);
		assert_int_equal(info.stext, kernel.kernel_va + 0x2000);
		assert_int_equal(info.prb, kernel.kernel_va + 0x4008);
		assert_int_equal(info.uts_ns, kernel.kernel_va + 0x3000);
		assert_int_equal(info.uts_name, kernel.uts_name);
		assert_memory_equal(&info.printk, &kernel.at, sizeof(info.printk));
		assert_int_equal(info.page_offset, age == AGE_6_1 ? 0 : UINT64_C(0xffffaf8000000000));
		assert_int_equal(info.phys_ram_base, age == AGE_6_1   ? 0
						     : age == AGE_6_2 ? KERNEL_PA
								      : DEAD_BASE);
		assert_int_equal(info.kernel_link, UINT64_C(0xffffffff80000000));
		assert_int_equal(info.va_kernel_pa_offset, kernel.kernel_va - KERNEL_PA);
		assert_int_equal(info.kernel_pa, KERNEL_PA);
		end();
	}
}

static const char *const needed[] = {"SYMBOL(init_uts_ns)=",
				     "OFFSET(uts_namespace.name)=",
				     "SYMBOL(_stext)=",
				     "SYMBOL(prb)=",
				     "OFFSET(printk_ringbuffer.desc_ring)=",
				     "OFFSET(printk_ringbuffer.text_data_ring)=",
				     "OFFSET(prb_desc_ring.count_bits)=",
				     "OFFSET(prb_desc_ring.descs)=",
				     "OFFSET(prb_desc_ring.infos)=",
				     "OFFSET(prb_desc_ring.head_id)=",
				     "OFFSET(prb_desc_ring.tail_id)=",
				     "SIZE(prb_desc)=",
				     "OFFSET(prb_desc.state_var)=",
				     "OFFSET(prb_desc.text_blk_lpos)=",
				     "OFFSET(prb_data_blk_lpos.begin)=",
				     "OFFSET(prb_data_blk_lpos.next)=",
				     "OFFSET(prb_data_ring.size_bits)=",
				     "OFFSET(prb_data_ring.data)=",
				     "SIZE(printk_info)=",
				     "OFFSET(printk_info.seq)=",
				     "OFFSET(printk_info.ts_nsec)=",
				     "OFFSET(printk_info.text_len)=",
				     "OFFSET(atomic_long_t.counter)="};

static void a_note_without_a_needed_line_is_refused_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		build(AGE_7_2);
		dead_note_replace(&kernel, needed[i], NULL);
		dead_note_write(&kernel);
		assert_reads(LB_EFORMAT, needed[i]);
		assert_non_null(strstr(diag.text, needed[i]));
		end();
	}
}

static void lines_that_are_not_needed_may_lack(void **state)
{
	static const char *const lines[] = {
		"BUILD-ID=",
		"PAGESIZE=",
		"NUMBER(phys_ram_base)=",
		"KERNELOFFSET=",
		"NUMBER(KERNEL_LINK_ADDR)=",
		"NUMBER(PAGE_OFFSET)=",
		"NUMBER(va_kernel_pa_offset)=",
	};

	(void)state;
	build(AGE_7_2);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		dead_note_replace(&kernel, lines[i], NULL);
		dead_note_write(&kernel);
		assert_reads(LB_OK, lines[i]);
	}
	assert_int_equal(info.va_kernel_pa_offset, kernel.kernel_va - KERNEL_PA);
	end();
}

static void a_number_must_be_one_and_fit(void **state)
{
	static const struct {
		const char *prefix, *value;
		enum lb_err err;
	} rows[] = {
		{"NUMBER(phys_ram_base)=", "", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "0x", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "12 ", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "12a", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "-2147483648", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "+1", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "18446744073709551615", LB_OK},
		{"NUMBER(phys_ram_base)=", "18446744073709551616", LB_ERANGE},
		{"NUMBER(phys_ram_base)=", "184467440737095516160", LB_ERANGE},
		{"NUMBER(phys_ram_base)=", "0xffffffffffffffff", LB_OK},
		{"NUMBER(phys_ram_base)=", "0x1ffffffffffffffff", LB_ERANGE},
		{"NUMBER(phys_ram_base)=", "0xfg", LB_EFORMAT},
		{"NUMBER(phys_ram_base)=", "0xF", LB_EFORMAT},
		{"SYMBOL(_stext)=", "ffffffff80002000", LB_OK},
		{"SYMBOL(_stext)=", "000000000000ffffffff80002000", LB_OK},
		{"SIZE(printk_info)=", "65535", LB_OK},
		{"SIZE(printk_info)=", "65536", LB_ERANGE},
		{"SIZE(printk_info)=", "0x58", LB_OK},
		{"SIZE(printk_info)=", "4294967384", LB_ERANGE},
		{"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=", "whatever", LB_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build(AGE_6_12);
		dead_note_replace(&kernel, rows[i].prefix, rows[i].value);
		dead_note_write(&kernel);
		assert_reads(rows[i].err, rows[i].value);
		if (rows[i].err == LB_ERANGE)
			assert_non_null(strstr(diag.text, rows[i].prefix));
		end();
	}
}

static void numbers_mean_what_their_format_says(void **state)
{
	(void)state;
	build(AGE_6_12);
	dead_note_replace(&kernel, "NUMBER(phys_ram_base)=", "10");
	dead_note_replace(&kernel, "OFFSET(prb_desc.state_var)=", "10");
	dead_note_replace(&kernel, "SIZE(printk_info)=", "0x10");
	dead_note_write(&kernel);
	assert_reads(LB_OK, "numbers");
	assert_int_equal(info.phys_ram_base, 10);
	assert_int_equal(info.printk.desc_state, 10);
	assert_int_equal(info.printk.info_size, 16);
	end();
}

static void the_release_comes_first_and_is_a_printable_word(void **state)
{
	static const char sixty_four[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char *const bad[] = {
		"",
		" ",
		"a b",
		"6.12\x1b[2J",
		"6.12\t",
		"6.12\x7f",
		"6.12\xc3\xa9",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefg",
	};

	(void)state;
	begin(AGE_6_12);
	kernel.release = sixty_four;
	dead_kernel_build(&kernel);
	assert_reads(LB_OK, sixty_four);
	assert_string_equal(info.release, sixty_four);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		dead_note_replace(&kernel, "OSRELEASE=", bad[i]);
		dead_note_write(&kernel);
		assert_reads(LB_EFORMAT, bad[i]);
	}
	dead_note_replace(&kernel, "OSRELEASE=", NULL);
	dead_note_write(&kernel);
	assert_reads(LB_EFORMAT, "no release");
	dead_note_append(&kernel, "OSRELEASE=%s\n", sixty_four);
	dead_note_write(&kernel);
	assert_reads(LB_EFORMAT, "release at the end");
	end();
}

/* Linux cuts the text at 4 KiB, so the number in an unfinished line may be half of one. */
static void an_unfinished_last_line_is_not_read(void **state)
{
	(void)state;
	build(AGE_6_12);
	dead_note_append(&kernel, "CRASHTIME=17639");
	dead_note_write(&kernel);
	assert_reads(LB_OK, "unfinished line");
	assert_int_equal(info.crash_time, 0);
	dead_note_append(&kernel, "\n");
	dead_note_write(&kernel);
	assert_reads(LB_OK, "finished line");
	assert_int_equal(info.crash_time, 17639);
	kernel.text_size = strlen("OSRELEASE=6.12");
	dead_note_write(&kernel);
	assert_reads(LB_EFORMAT, "only half a line");
	end();
}

static void only_a_whole_note_header_makes_a_note(void **state)
{
	static const struct {
		uint64_t at, value;
		size_t width;
		bool note;
	} rows[] = {
		{0, 11, 4, true},	   {0, 10, 4, false},  {0, 12, 4, false},   {0, 267, 4, false},
		{4, 0, 4, false},	   {4, 1, 4, true},    {4, 4096, 4, true},  {4, 4097, 4, false},
		{4, UINT32_MAX, 4, false}, {8, 1, 4, false},   {12, 'v', 1, false}, {21, 'o', 1, false},
		{22, '2', 1, false},	   {23, 'x', 1, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build(AGE_6_12);
		dead_put(&ram, NOTE_PA + rows[i].at, rows[i].value, rows[i].width);
		if (vmcoreinfo_is_note(ram.bytes + (NOTE_PA - DEAD_BASE)) != rows[i].note)
			fail_msg("row %zu", i);
		if (!rows[i].note)
			assert_reads(LB_EFORMAT, "header");
		end();
	}
}

static void a_note_must_end_in_twelve_zero_bytes(void **state)
{
	(void)state;
	build(AGE_6_12);
	for (uint64_t i = 0; i < 12; i++) {
		paddr_t pa = NOTE_PA + 24 + (kernel.text_size + 3) / 4 * 4 + i;

		dead_put(&ram, pa, 1, 1);
		assert_reads(LB_EFORMAT, "terminator");
		dead_put(&ram, pa, 0, 1);
	}
	assert_reads(LB_OK, "terminator");
	end();
}

/* The longest note is 4132 bytes and so reaches into the page behind it. */
static void a_note_of_full_length_must_lie_in_ram_whole(void **state)
{
	(void)state;
	begin(AGE_6_12);
	kernel.note_pa = DEAD_BASE + RAM_SIZE - 4132;
	dead_kernel_build(&kernel);
	while (kernel.text_size < 4096 - 40)
		dead_note_append(&kernel, "NUMBER(filler)=%u\n", 1);
	dead_note_append(&kernel, "%0*u\n", (int)(4096 - 1 - kernel.text_size), 0);
	dead_note_write(&kernel);
	assert_int_equal(vmcoreinfo_read(&ram.look, kernel.note_pa, DEAD_HOME(0), &info, NULL), LB_OK);
	assert_int_equal(info.note.size, VMCOREINFO_NOTE_SIZE);
	assert_int_equal(region_set_subtract(&ram.readable, DEAD_BASE + RAM_SIZE - 1, 1), LB_OK);
	assert_int_equal(vmcoreinfo_read(&ram.look, kernel.note_pa, DEAD_HOME(0), &info, NULL), LB_ERANGE);
	assert_int_equal(vmcoreinfo_read(&ram.look, DEAD_BASE - 1, DEAD_HOME(0), &info, NULL), LB_ERANGE);
	assert_int_equal(vmcoreinfo_read(&ram.look, UINT64_MAX, DEAD_HOME(0), &info, NULL), LB_ERANGE);
	assert_int_equal(vmcoreinfo_read(&ram.look, DEAD_BASE + 2, DEAD_HOME(0), &info, NULL), LB_EFORMAT);
	end();
}

static void a_kernel_that_is_gone_is_told_from_one_that_is_there(void **state)
{
	paddr_t release;

	(void)state;
	build(AGE_7_2);
	release = kernel.uts + 8 + 130;
	dead_put(&ram, release + strlen(kernel.release), 'x', 1);
	assert_reads(LB_EFORMAT, "longer release");
	dead_put(&ram, release + strlen(kernel.release), 0, 1);
	assert_reads(LB_OK, "the release");
	dead_put(&ram, release + 3, '9', 1);
	assert_reads(LB_EFORMAT, "other release");
	assert_non_null(strstr(diag.text, kernel.release));
	dead_note_replace(&kernel, "SYMBOL(init_uts_ns)=", "1000");
	dead_note_write(&kernel);
	assert_reads(LB_ERANGE, "a release at a user's address");
	dead_note_replace(&kernel, "SYMBOL(init_uts_ns)=", "ffffffffffffffff");
	dead_note_write(&kernel);
	assert_reads(LB_ERANGE, "a release at the end");
	end();
}

static void an_old_kernel_is_found_only_where_the_stage_has_put_it(void **state)
{
	(void)state;
	build(AGE_6_1);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(0), &info, &diag), LB_EFORMAT);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(KERNEL_PA), &info, &diag), LB_OK);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(OTHER_PA), &info, &diag), LB_EFORMAT);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(2 * MIB), &info, &diag), LB_ERANGE);
	end();
	/*
	 * 6.2 says it itself. Where the stage knows, it knows better (6.4.0's phys_ram_base is RAM's start).
	 */
	build(AGE_6_2);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(0), &info, &diag), LB_OK);
	assert_int_equal(info.kernel_pa, KERNEL_PA);
	dead_note_replace(&kernel, "NUMBER(phys_ram_base)=", "2147483648");
	dead_note_write(&kernel);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(0), &info, &diag), LB_EFORMAT);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(KERNEL_PA), &info, &diag), LB_OK);
	end();
}

static void kaslr_does_not_hide_where_the_image_is(void **state)
{
	static const enum dead_age ages[] = {AGE_6_12, AGE_7_2};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		begin(ages[i]);
		kernel.kaslr = 34 * MIB;
		dead_kernel_build(&kernel);
		assert_reads(LB_OK, "kaslr");
		assert_int_equal(info.kernel_pa, KERNEL_PA);
		end();
	}
}

static void impossible_maps_are_refused(void **state)
{
	static const struct {
		const char *prefix, *value;
	} rows[] = {
		{"NUMBER(PAGE_OFFSET)=", "0xffffffff00000000"},
		{"NUMBER(PAGE_OFFSET)=", "0x80000000"},
		{"NUMBER(PAGE_OFFSET)=", "0x7fffffffffffffff"},
		{"NUMBER(KERNEL_LINK_ADDR)=", "0x80000000"},
		{"NUMBER(KERNEL_LINK_ADDR)=", "0xffffffff80200000"},
		{"SYMBOL(_stext)=", "80002000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build(AGE_6_12);
		dead_note_replace(&kernel, rows[i].prefix, rows[i].value);
		dead_note_write(&kernel);
		assert_reads(LB_EFORMAT, rows[i].value);
		end();
	}
}

static void addresses_translate_by_the_map_that_they_are_in(void **state)
{
	static const struct {
		uint64_t va;
		enum lb_err err;
		paddr_t pa;
	} rows[] = {
		{UINT64_C(0xffffffff80000000), LB_OK, UINT64_C(0x80200000)},
		{UINT64_C(0xffffffff81db6458), LB_OK, UINT64_C(0x81fb6458)},
		{UINT64_MAX, LB_OK, UINT64_C(0x1001fffff)},
		{UINT64_C(0xffffffd600000000), LB_OK, UINT64_C(0x80000000)},
		{UINT64_C(0xffffffd67fffffff), LB_OK, UINT64_C(0xffffffff)},
		{UINT64_C(0xfffffffeffffffff), LB_OK, UINT64_C(0x2979ffffff) + UINT64_C(0x6000000)},
		{UINT64_C(0xffffffff00000000), LB_ERANGE, 0},
		{UINT64_C(0xffffffff7fffffff), LB_ERANGE, 0},
		{UINT64_C(0xffffffd5ffffffff), LB_ERANGE, 0},
		{UINT64_C(0xffffffc600000000), LB_ERANGE, 0},
		{0, LB_ERANGE, 0},
		{UINT64_C(0x80200000), LB_ERANGE, 0},
	};
	struct vmcoreinfo map = {
		.page_offset = UINT64_C(0xffffffd600000000),
		.phys_ram_base = UINT64_C(0x80000000),
		.kernel_link = UINT64_C(0xffffffff80000000),
		.va_kernel_pa_offset = UINT64_C(0xfffffffeffe00000),
	};
	paddr_t pa;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pa = 0;
		if (vmcoreinfo_translate(&map, rows[i].va, &pa) != rows[i].err || pa != rows[i].pa)
			fail_msg("row %zu: 0x%" PRIx64, i, pa);
	}
	map.phys_ram_base = UINT64_MAX - 0xfff;
	pa = 1;
	assert_int_equal(vmcoreinfo_translate(&map, map.page_offset + 0xfff, &pa), LB_OK);
	assert_int_equal(pa, UINT64_MAX);
	assert_int_equal(vmcoreinfo_translate(&map, map.page_offset + 0x1000, &pa), LB_ERANGE);
	assert_int_equal(pa, UINT64_MAX);
	map.page_offset = 0;
	assert_int_equal(vmcoreinfo_translate(&map, UINT64_C(0xffffffd600000000), &pa), LB_ERANGE);
	assert_int_equal(vmcoreinfo_translate(&map, 0, &pa), LB_ERANGE);
}

/* Whatever the text says, reading it ends in a verdict, and a good verdict is one that can be. */
static void no_damage_to_the_text_hurts(void **state)
{
	static const char bytes[] = "\n=0x9f-8(\0\xff";
	char text[sizeof(kernel.text)];
	size_t good = 0, size;

	(void)state;
	build(AGE_7_2);
	size = kernel.text_size;
	memcpy(text, kernel.text, sizeof(text));
	for (uint64_t run = 0; run < DAMAGES; run++) {
		uint64_t seed = run;

		for (uint64_t n = 1 + dead_below(&seed, 4); n > 0; n--)
			kernel.text[dead_below(&seed, size)] = bytes[dead_below(&seed, sizeof(bytes))];
		if (dead_below(&seed, 4) == 0)
			kernel.text_size = 1 + dead_below(&seed, size);
		dead_note_write(&kernel);
		if (read_note() == LB_OK) {
			good++;
			assert_string_equal(info.release, kernel.release);
		} else {
			assert_true(diag.text[0] != '\0');
		}
		memcpy(kernel.text, text, sizeof(text));
		kernel.text_size = size;
	}
	assert_in_range(good, DAMAGES / 10, DAMAGES * 9 / 10);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_note_of_every_age_is_read_to_the_last_number),
		cmocka_unit_test(a_note_without_a_needed_line_is_refused_by_its_name),
		cmocka_unit_test(lines_that_are_not_needed_may_lack),
		cmocka_unit_test(a_number_must_be_one_and_fit),
		cmocka_unit_test(numbers_mean_what_their_format_says),
		cmocka_unit_test(the_release_comes_first_and_is_a_printable_word),
		cmocka_unit_test(an_unfinished_last_line_is_not_read),
		cmocka_unit_test(only_a_whole_note_header_makes_a_note),
		cmocka_unit_test(a_note_must_end_in_twelve_zero_bytes),
		cmocka_unit_test(a_note_of_full_length_must_lie_in_ram_whole),
		cmocka_unit_test(a_kernel_that_is_gone_is_told_from_one_that_is_there),
		cmocka_unit_test(an_old_kernel_is_found_only_where_the_stage_has_put_it),
		cmocka_unit_test(kaslr_does_not_hide_where_the_image_is),
		cmocka_unit_test(impossible_maps_are_refused),
		cmocka_unit_test(addresses_translate_by_the_map_that_they_are_in),
		cmocka_unit_test(no_damage_to_the_text_hurts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
