// SPDX-License-Identifier: BSD-2-Clause
/* The crash record as this run of the stage reads and writes it. */
#include "boot/crash/record.h"

#include <inttypes.h>

#include "boot/machine/try.h"
#include "kexec/crash/retained.h"

TRY(try_load, "ld	zero, (%2)")

enum lb_err record_look(const struct facts *facts, struct stage *stage, struct region where,
			struct crash_record *record)
{
	struct diag *diag = &facts->log->diag;
	const void *memory;
	bool damaged;
	enum lb_err err;

	if (!stage_can_spare_view(stage))
		return diag_fail(diag, LB_ENOSPC,
				 "crash: no early table is left to look for a record at %#" PRIx64,
				 where.base);
	/*
	 * Writable, though nobody writes by it: the stage's new place may overlap it, and two views must
	 * agree.
	 */
	memory = stage_early_view(stage, where.base, where.size, PTE_R | PTE_W, diag);
	if (!memory)
		return LB_ERANGE;
	if (!try_load((uintptr_t)memory, 0))
		return diag_fail(diag, LB_ERANGE,
				 "crash: RAM at %#" PRIx64
				 " can't be read, though the FDT has it: mend the FDT",
				 where.base);
	err = retained_record(memory, crash_hash_ram(&facts->hw->machine.ram), record, &damaged, diag);
	if (!err && damaged)
		log_warn(facts->log, "crash record: one of its two slots is damaged; the other is good");
	return err;
}

enum lb_err record_write(const struct facts *facts, struct crash *crash)
{
	void *memory = facts_at(facts, crash->region.record.base);
	enum lb_err err = crash_record_write(memory, &crash->record, caches_write_back, &crash->caches);

	return err ? diag_fail(&facts->log->diag, err, "crash: the record can't be written: this is a bug")
		   : LB_OK;
}

enum lb_err record_write_twice(const struct facts *facts, struct crash *crash)
{
	enum lb_err err = record_write(facts, crash);

	return err ? err : record_write(facts, crash);
}
