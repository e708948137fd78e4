// SPDX-License-Identifier: BSD-2-Clause
/*
 * Cores that differ from the standard. Runs before paging, too: no tables of pointers.
 *
 * Linux asks the same way since 2024 (arch/riscv/errata/thead/errata.c: errata_probe_mae), and writes the
 * same bits (arch/riscv/include/asm/pgtable-64.h). A hart with MAEE takes leaves without them for uncached.
 */
#include "platform/core.h"

#define VENDOR_THEAD	    0x5b7
#define SXSTATUS_MAEE	    (UINT64_C(1) << 21)
#define SXSTATUS_THEADISAEE (UINT64_C(1) << 22)
#define MAEE_STRONG_ORDER   (UINT64_C(1) << 63)
#define MAEE_CACHEABLE	    (UINT64_C(1) << 62)
#define MAEE_BUFFERABLE	    (UINT64_C(1) << 61)
#define MAEE_SHAREABLE	    (UINT64_C(1) << 60)

bool core_has_sxstatus(const struct core_id *id)
{
	return id->vendor == VENDOR_THEAD && !id->arch && !id->implementation;
}

struct core core_from_sxstatus(uint64_t sxstatus)
{
	struct core core = {.thead_cache_ops = sxstatus & SXSTATUS_THEADISAEE};

	if (sxstatus & SXSTATUS_MAEE)
		core.attributes = (struct pte_attributes){
			.ram = MAEE_CACHEABLE | MAEE_BUFFERABLE | MAEE_SHAREABLE,
			.device = MAEE_STRONG_ORDER | MAEE_SHAREABLE,
		};
	return core;
}
