/* SPDX-License-Identifier: BSD-2-Clause */
/* The word that crash_primary.c leaves at each address, and crash_checker.c looks for. */
#ifndef LIFEBOAT_TESTS_CRASH_PATTERN_H
#define LIFEBOAT_TESTS_CRASH_PATTERN_H

#include "common.h"

static inline uint64_t pattern(uint64_t address)
{
	return address * UINT64_C(0x9e3779b97f4a7c15) ^ UINT64_C(0x6c696665626f6174);
}

#endif
