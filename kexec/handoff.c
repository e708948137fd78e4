// SPDX-License-Identifier: BSD-2-Clause
/* Leaving the stage: carry out a plan, and jump. */
#include "kexec/handoff.h"

#include <string.h>

/* From norelocate.S: pass one begins. */
_Noreturn void norelocate_enter(uint64_t hart_id, paddr_t fdt_pa, paddr_t entry_pa);

void handoff_copy(const struct plan *plan, const struct physmap *map)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];
		char *dest = physmap_pointer(map, item->dest);

		if (item->source != item->dest)
			memmove(dest, physmap_pointer(map, item->source), item->file_size);
		if (item->zero_fill)
			memset(dest + item->file_size, 0, item->mem_size - item->file_size);
	}
}

_Noreturn void handoff(uint64_t hart_id, paddr_t fdt_pa, paddr_t entry_pa)
{
	norelocate_enter(hart_id, fdt_pa, entry_pa);
}
