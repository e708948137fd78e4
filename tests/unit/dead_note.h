/* SPDX-License-Identifier: BSD-2-Clause */
/* One made-up kernel with its note, in RAM of its own: what tests of VMCOREINFO notes begin and end with. */
#ifndef LIFEBOAT_TESTS_DEAD_NOTE_H
#define LIFEBOAT_TESTS_DEAD_NOTE_H

#include "dead_ram.h"

#define RAM_SIZE  (8 * MIB)
#define KERNEL_PA (DEAD_BASE + 2 * MIB)
#define OTHER_PA  (DEAD_BASE + 4 * MIB)
#define NOTE_PA	  (DEAD_BASE + 64 * KIB)
#define DAMAGES	  60000

static struct dead_ram ram;
static struct dead_kernel kernel;
static struct vmcoreinfo info;

/* To be built by dead_kernel_build(), when it is as the test wants it. */
static inline void begin(enum dead_age age)
{
	dead_ram_init(&ram, DEAD_BASE, RAM_SIZE);
	dead_kernel_init(&kernel, &ram, age, KERNEL_PA, NOTE_PA);
}

static inline void build(enum dead_age age)
{
	begin(age);
	dead_kernel_build(&kernel);
}

static inline void end(void)
{
	dead_ram_free(&ram);
}

#endif
