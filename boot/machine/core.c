// SPDX-License-Identifier: BSD-2-Clause
/* What core the hart is: by SBI, and by a CSR that only the cores have of which SBI says so. */
#include "boot/machine/core.h"

#include "boot/machine/sbi.h"

struct core hart_core(void)
{
	const struct core_id id = {sbi_machine_id(SBI_MVENDORID), sbi_machine_id(SBI_MARCHID),
				   sbi_machine_id(SBI_MIMPID)};
	uint64_t sxstatus;

	if (!core_has_sxstatus(&id))
		return (struct core){.thead_cache_ops = false};
	__asm__ volatile("csrr %0, 0x5c0" : "=r"(sxstatus)); /* th.sxstatus */
	return core_from_sxstatus(sxstatus);
}
