/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaving the stage. */
#ifndef LIFEBOAT_KEXEC_LEAVE_HANDOFF_H
#define LIFEBOAT_KEXEC_LEAVE_HANDOFF_H

#include "base/types.h"

/**
 * Enter the payload by norelocate (norelocate.S). Does not return.
 *
 * Context: running at the stage's virtual address on tables that map it, trampoline page armed,
 * interrupts off, no other hart in the stage, everything that the payload needs in its place.
 * @hart_id  for a0   @fdt_pa  for a1   @entry_pa  where to go, with satp = 0
 */
_Noreturn void handoff(uint64_t hart_id, paddr_t fdt_pa, paddr_t entry_pa);

#endif
