// SPDX-License-Identifier: BSD-2-Clause
/*
 * The input makes a small machine with a payload; the plan for it is judged by an oracle that tries every
 * address.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/place_judge.h"
#include "tests/unit/place_scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tally tally;

	scene_feed(data, size);
	place_judge(0, &tally);
	return 0;
}
