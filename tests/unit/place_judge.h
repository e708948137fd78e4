/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges the plan for one small machine: against an oracle that tries every address, and by carrying it
 * out.
 */
#ifndef LIFEBOAT_TESTS_UNIT_PLACE_JUDGE_H
#define LIFEBOAT_TESTS_UNIT_PLACE_JUDGE_H

#include <stdint.h>

/* How often each thing happened: a random test that never meets the hard cases proves nothing. */
struct tally {
	unsigned planned, stayed, initrd_stayed, no_room, conflict, overlapped_itself, pools, on_lost;
};

/** Make the machine of @seed, plan it, and fail unless the plan is the best one, or its error is due. */
void place_judge(uint64_t seed, struct tally *tally);

#endif
