// SPDX-License-Identifier: BSD-2-Clause
/* What carrying out a plan does: place.h. */
#include "kexec/place.h"

uint64_t plan_bytes_to_copy(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (plan->item[i].source != plan->item[i].dest)
			sum += plan->item[i].file_size;
	}
	return sum;
}

bool plan_writes_to(const struct plan *plan, struct region region)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];
		const bool stays = item->file_size && item->source == item->dest && !item->zero_fill;

		if (!stays && item->dest < region_end(region) && region.base < item->dest + item->mem_size)
			return true;
	}
	return false;
}
