// SPDX-License-Identifier: BSD-2-Clause
/* Lost memory: what of the memory map is not as its owner left it after a reset. */
#include "kexec/crash/lost.h"

bool crash_is_lost(const struct memmap_taken *taken, struct region crash_region)
{
	static const bool lost[] = {
		[MEMMAP_FDT] = true,	[MEMMAP_STAGE] = true, [MEMMAP_BUNDLE] = true,
		[MEMMAP_INITRD] = true, [MEMMAP_LOST] = true,
	};

	if (region_contains(crash_region, taken->range))
		return false;
	return (size_t)taken->kind < ARRAY_SIZE(lost) && lost[taken->kind];
}

enum lb_err crash_release_lost(struct memmap *map, struct region crash_region)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < map->taken_count;) {
		const struct memmap_taken taken = map->taken[i];

		if (crash_is_lost(&taken, crash_region)) /* the next one takes its place */
			err = memmap_release(map, taken.range.base, taken.kind);
		else
			i++;
	}
	return err;
}
