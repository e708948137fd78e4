/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the log's reader share: one dead kernel, its ring opened, and what a walk finds. */
#ifndef LIFEBOAT_TESTS_PRINTK_CHECK_H
#define LIFEBOAT_TESTS_PRINTK_CHECK_H

#include <string.h>

#include "dead_ram.h"

#define RAM_SIZE  (5 * MIB)
#define KERNEL_PA (DEAD_BASE + 2 * MIB)
#define NOTE_PA	  (DEAD_BASE + 64 * KIB)

static struct dead_ram ram;
static struct dead_kernel kernel;
static struct vmcoreinfo info;
static struct printk_ring ring;

/* What a walk found, copied out. */
struct found {
	size_t count;
	struct dead_record record[DEAD_LOG_MAX];
};
static struct found found;

static inline void collect(const struct printk_record *record, void *context)
{
	struct found *to = context;
	struct dead_record *copy = &to->record[to->count++];

	assert_true(to->count <= DEAD_LOG_MAX);
	*copy = (struct dead_record){
		.seq = record->seq,
		.ts = record->ts_nsec,
		.facility = record->facility,
		.flags = record->continued,
		.length = record->length,
	};
	assert_non_null(record->text);
	memcpy(copy->text, record->text, record->length < DEAD_TEXT_MAX ? record->length : DEAD_TEXT_MAX);
}

static void open_ring(void)
{
	struct diag diag = {""};

	if (vmcoreinfo_read(&ram.look, NOTE_PA, DEAD_HOME(KERNEL_PA), &info, &diag) ||
	    printk_open(&ram.look, &info, &ring, &diag))
		fail_msg("%s", diag.text);
}

static inline size_t walk(size_t count)
{
	size_t visited;

	found.count = 0;
	visited = printk_visit_last(&ring, count, collect, &found);
	assert_int_equal(visited, found.count);
	return visited;
}

/* A fresh kernel, with nothing in its log. */
static void begin(enum dead_age age)
{
	dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
	dead_kernel_init(&kernel, &ram, age, KERNEL_PA, NOTE_PA);
}

static inline void build(enum dead_age age)
{
	begin(age);
	dead_kernel_build(&kernel);
	open_ring();
}

static void end(void)
{
	dead_ram_free(&ram);
}

#endif
