// SPDX-License-Identifier: BSD-2-Clause
/* Leaving the stage. */
#include "kexec/leave/handoff.h"

/* From norelocate.S: pass one begins. */
_Noreturn void norelocate_enter(uint64_t hart_id, paddr_t fdt_pa, paddr_t entry_pa);

_Noreturn void handoff(uint64_t hart_id, paddr_t fdt_pa, paddr_t entry_pa)
{
	norelocate_enter(hart_id, fdt_pa, entry_pa);
}
