/* SPDX-License-Identifier: BSD-2-Clause */
/* What the example of docs/integration.md takes for granted of a system; crash_example.c has it. */
#ifndef LIFEBOAT_TESTS_RTOS_H
#define LIFEBOAT_TESTS_RTOS_H

#include "client/lifeboat_call.h"

#define MAP_READ    0x02
#define MAP_WRITE   0x04
#define MAP_EXECUTE 0x08

/** The range that @property holds in the node compatible with @compatible. */
bool fdt_find_range(const void *fdt, const char *compatible, const char *property, uint64_t *pa,
		    uint64_t *size);

void map(uint64_t va, uint64_t pa, uint64_t size, uint64_t rights);
uint64_t this_hart(void);
void stop_other_harts(void);
_Noreturn void machine_reset(void);

#endif
