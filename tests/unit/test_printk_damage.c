// SPDX-License-Identifier: BSD-2-Clause
/* The reader of a dead kernel's log, in memory that is damaged or hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "printk_check.h"

#define DAMAGES 10000

/*
 * Ways to spoil the one record "spoilt text" (24 bytes at position 32 of the ring, behind "innocent
 * text...").
 */
static void spoil_id(struct dead_record *record)
{
	dead_put(&ram, kernel.data + record->begin % 1024, record->id + 1, 8);
}

static void spoil_state_id(struct dead_record *record)
{
	dead_put(&ram, dead_desc(&kernel, record), (UINT64_C(2) << 62) | (record->id ^ 32), 8);
}

static void spoil_begin(struct dead_record *record)
{
	record->begin += 4;
}

static void spoil_next(struct dead_record *record)
{
	record->next += 2;
}

static void spoil_order(struct dead_record *record)
{
	record->next = record->begin;
}

static void spoil_wrap(struct dead_record *record)
{
	record->next += 2048;
}

static void spoil_length(struct dead_record *record)
{
	record->begin = record->next - 1024 - 8;
}

static void spoil_seq(struct dead_record *record)
{
	record->seq += 1;
}

static void spoil_half(struct dead_record *record)
{
	record->next |= 1;
}

static void a_record_that_contradicts_itself_is_passed_over(void **state)
{
	static void (*const spoil[])(struct dead_record * record) = {
		spoil_id,     spoil_begin, spoil_next, spoil_order,    spoil_wrap,
		spoil_length, spoil_seq,   spoil_half, spoil_state_id,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		struct dead_record *bad;

		build(AGE_6_12);
		dead_log(&kernel, "innocent text of 24 byte");
		bad = dead_log(&kernel, "spoilt text");
		dead_log(&kernel, "innocent too");
		open_ring();
		assert_int_equal(walk(10), 3);
		spoil[i](bad);
		if (spoil[i] != spoil_state_id)
			dead_log_rewrite(&kernel, bad);
		if (walk(10) != 2 || found.record[0].length != 24 || found.record[1].length != 12)
			fail_msg("row %zu: %zu records", i, found.count);
		end();
	}
}

static void text_ends_with_its_block_whatever_its_length_says(void **state)
{
	struct dead_record *record;

	(void)state;
	build(AGE_6_12);
	record = dead_log(&kernel, "eleven byte");
	record->length = 60000;
	dead_log_rewrite(&kernel, record);
	open_ring();
	assert_int_equal(walk(1), 1);
	assert_int_equal(found.record[0].length, 16);
	end();
}

/* What is wrong with a ring, and what opening it says. */
static void a_ring_that_can_not_be_is_not_opened(void **state)
{
	enum change { COUNT_BITS, SIZE_BITS, DESCS, INFOS, DATA, PRB, RB, DESC_SIZE, INFO_SIZE, SAME };
	static const struct {
		enum change what;
		uint64_t value;
		enum lb_err err;
	} rows[] = {
		{SAME, 0, LB_OK},
		{COUNT_BITS, 0, LB_EFORMAT},
		{COUNT_BITS, 27, LB_EFORMAT},
		{COUNT_BITS, 64, LB_EFORMAT},
		{COUNT_BITS, UINT32_MAX, LB_EFORMAT},
		{COUNT_BITS, 26, LB_ERANGE},
		{SIZE_BITS, 3, LB_EFORMAT},
		{SIZE_BITS, 32, LB_EFORMAT},
		{SIZE_BITS, 31, LB_ERANGE},
		{DESCS, 0, LB_ERANGE},
		{INFOS, UINT64_MAX, LB_ERANGE},
		{DATA, UINT64_C(0xffffffffff000000), LB_ERANGE},
		{DATA, UINT64_C(0xffffaf7fffffffff), LB_ERANGE},
		/* The last KiB of RAM, by the linear map; and one byte more. */
		{DATA, UINT64_C(0xffffaf8000000000) + RAM_SIZE - KIB, LB_OK},
		{DATA, UINT64_C(0xffffaf8000000000) + RAM_SIZE - KIB + 1, LB_ERANGE},
		{PRB, 0x1000, LB_ERANGE},
		{PRB, UINT64_MAX, LB_ERANGE},
		{RB, 0, LB_ERANGE},
		{RB, UINT64_MAX - 20, LB_ERANGE},
		{DESC_SIZE, 23, LB_EFORMAT},
		{DESC_SIZE, 0, LB_EFORMAT},
		{DESC_SIZE, 60000, LB_OK},
		{INFO_SIZE, 19, LB_EFORMAT},
		{INFO_SIZE, 20, LB_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag diag = {""};
		const uint64_t v = rows[i].value;
		enum lb_err err;

		build(AGE_6_12);
		if (rows[i].what == COUNT_BITS)
			dead_put(&ram, kernel.rb, v, 4);
		else if (rows[i].what == SIZE_BITS)
			dead_put(&ram, kernel.rb + 48, v, 4);
		else if (rows[i].what == DESCS)
			dead_put(&ram, kernel.rb + 8, v, 8);
		else if (rows[i].what == INFOS)
			dead_put(&ram, kernel.rb + 16, v, 8);
		else if (rows[i].what == DATA)
			dead_put(&ram, kernel.rb + 48 + 8, v, 8);
		else if (rows[i].what == RB)
			dead_put(&ram, kernel.prb, v, 8);
		else if (rows[i].what == PRB)
			info.prb = v;
		else if (rows[i].what == DESC_SIZE)
			info.printk.desc_size = (uint16_t)v;
		else if (rows[i].what == INFO_SIZE)
			info.printk.info_size = (uint16_t)v;
		err = printk_open(&ram.look, &info, &ring, &diag);
		if (err != rows[i].err)
			fail_msg("row %zu: %s, %s", i, lb_err_name(err), diag.text);
		assert_int_equal(diag.text[0] == '\0', err == LB_OK);
		end();
	}
}

static void fields_outside_their_structs_are_refused(void **state)
{
	uint16_t *const fields[] = {
		&info.printk.desc_state,    &info.printk.desc_text, &info.printk.lpos_begin,
		&info.printk.lpos_next,	    &info.printk.info_seq,  &info.printk.info_ts,
		&info.printk.info_text_len, &info.printk.counter,
	};

	(void)state;
	build(AGE_6_12);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint16_t before = *fields[i];

		*fields[i] = 85;
		assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_EFORMAT);
		*fields[i] = 65535;
		assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_EFORMAT);
		*fields[i] = before;
	}
	assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_OK);
	end();
}

static void a_ring_in_the_linear_map_needs_its_page_offset(void **state)
{
	(void)state;
	begin(AGE_6_1);
	kernel.linear = true;
	dead_kernel_build(&kernel);
	assert_int_equal(vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(KERNEL_PA), &info, NULL), LB_OK);
	assert_int_equal(printk_open(&ram.look, &info, &ring, NULL), LB_ERANGE);
	end();
}

/* Touches all that a record offers. */
static void touch(const struct printk_record *record, void *context)
{
	unsigned *sum = context;

	for (size_t i = 0; i < record->length; i++)
		*sum += (uint8_t)record->text[i];
}

/* Write something hostile somewhere into what the reader reads. */
static void damage(uint64_t *seed)
{
	static const uint64_t widths[] = {1, 2, 4, 8};
	const struct {
		paddr_t pa;
		uint64_t size;
	} targets[] = {
		{NOTE_PA, 24 + kernel.text_size},
		{kernel.rb, 88},
		{kernel.prb, 8},
		{kernel.descs, 24u << kernel.count_bits},
		{kernel.infos, (uint64_t)kernel.at.info_size << kernel.count_bits},
		{kernel.data, UINT64_C(1) << kernel.size_bits},
	};
	const uint64_t values[] = {
		dead_random(seed),
		0,
		UINT64_MAX,
		dead_below(seed, 64),
		UINT64_C(1) << dead_below(seed, 64),
		kernel.kernel_va + dead_below(seed, 3 * MIB),
		kernel.page_offset + dead_below(seed, 6 * MIB),
		kernel.head_lpos + dead_below(seed, 4096) - 2048,
		(UINT64_C(2) << 62) | ((kernel.head_id - dead_below(seed, 40)) & (UINT64_MAX >> 2)),
	};
	size_t t = dead_below(seed, ARRAY_SIZE(targets));
	uint64_t width = widths[dead_below(seed, 4)];
	paddr_t pa = targets[t].pa + dead_below(seed, targets[t].size);

	pa -= dead_below(seed, 2) ? pa % width : 0;
	dead_put(&ram, pa, values[dead_below(seed, ARRAY_SIZE(values))], width);
}

/* Whatever the memory says, the reader stays in RAM (the sanitizer looks), and comes back. */
static void no_damage_hurts_the_reader(void **state)
{
	size_t opened = 0;
	unsigned sum = 0;
	uint8_t *good;

	(void)state;
	for (enum dead_age age = 0; age < AGES; age++) {
		build(age);
		for (int i = 0; i < 60; i++)
			dead_log(&kernel, "reboot: Restarting system, or something that is as long");
		good = malloc(RAM_SIZE);
		memcpy(good, ram.bytes, RAM_SIZE);
		for (uint64_t run = 0; run < DAMAGES / AGES; run++) {
			uint64_t seed = run * AGES + age;
			char text[4096];

			for (uint64_t n = 1 + dead_below(&seed, 6); n > 0; n--)
				damage(&seed);
			if (!vmcoreinfo_find(&ram.look, &ram.readable, DEAD_HOME(KERNEL_PA), &info, NULL,
					     NULL) &&
			    !printk_open(&ram.look, &info, &ring, NULL)) {
				opened++;
				printk_visit_last(&ring, SIZE_MAX, touch, &sum);
				(void)printk_ending(&ring);
				assert_true(printk_text(&ring, text, sizeof(text)) <= sizeof(text));
			}
			/* (What was damaged lies in these places.) */
			memcpy(ram.bytes + (NOTE_PA - DEAD_BASE), good + (NOTE_PA - DEAD_BASE), 8192);
			memcpy(ram.bytes + (kernel.prb - DEAD_BASE), good + (kernel.prb - DEAD_BASE), 512);
			memcpy(ram.bytes + (kernel.descs - DEAD_BASE), good + (kernel.descs - DEAD_BASE),
			       kernel.data + 2048 - kernel.descs);
		}
		assert_memory_equal(ram.bytes, good, RAM_SIZE);
		free(good);
		end();
	}
	/* Else the test would say little. */
	assert_in_range(opened, DAMAGES / 4, DAMAGES);
	assert_true(sum);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_that_contradicts_itself_is_passed_over),
		cmocka_unit_test(text_ends_with_its_block_whatever_its_length_says),
		cmocka_unit_test(a_ring_that_can_not_be_is_not_opened),
		cmocka_unit_test(fields_outside_their_structs_are_refused),
		cmocka_unit_test(a_ring_in_the_linear_map_needs_its_page_offset),
		cmocka_unit_test(no_damage_hurts_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
