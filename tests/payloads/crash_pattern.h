/* SPDX-License-Identifier: BSD-2-Clause */
/* What primaries leave in memory and in saved registers, and crash_checker.c looks for. */
#ifndef LIFEBOAT_TESTS_CRASH_PATTERN_H
#define LIFEBOAT_TESTS_CRASH_PATTERN_H

#include "common.h"

static inline uint64_t pattern(uint64_t address)
{
	return address * UINT64_C(0x9e3779b97f4a7c15) ^ UINT64_C(0x6c696665626f6174);
}

/* Register @index of a note (0 is pc) of a hart that died in crash_caller.c. (t6 has instret instead.) */
static inline uint64_t saved_register(uint64_t hart, uint64_t index)
{
	return UINT64_C(0x5ea0000000000000) + hart * 0x10000 + index * 0x11;
}

#endif
