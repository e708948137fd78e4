/* SPDX-License-Identifier: BSD-2-Clause */
/* How much carrying out a plan copies: a figure that tells at once whether the right things stay. */
#ifndef LIFEBOAT_TESTS_UNIT_PLACE_BYTES_H
#define LIFEBOAT_TESTS_UNIT_PLACE_BYTES_H

#include "kexec/place/place.h"

/* Bytes of the items that do not stay. */
static inline uint64_t bytes_to_copy(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (plan->item[i].source != plan->item[i].dest)
			sum += plan->item[i].file_size;
	}
	return sum;
}

#endif
