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
