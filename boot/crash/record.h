/* SPDX-License-Identifier: BSD-2-Clause */
/* The crash record as this run of the stage reads and writes it. */
#ifndef LIFEBOAT_BOOT_CRASH_RECORD_H
#define LIFEBOAT_BOOT_CRASH_RECORD_H

#include "boot/crash/state.h"
#include "boot/facts.h"

/**
 * Read the record at @where, checked against this machine; warn of a damaged slot.
 *
 * Context: before stage_move(), which is why it wants the stage.
 * Return: as retained_record(); LB_ERANGE there is no RAM, or it is out of reach.
 */
LB_MUST_CHECK enum lb_err record_look(const struct facts *facts, struct stage *stage, struct region where,
				      struct crash_record *record);

/**
 * Write crash->record to the crash region as the newest. Return: LB_OK; LB_EINVAL it is not sound (a bug).
 */
LB_MUST_CHECK enum lb_err record_write(const struct facts *facts, struct crash *crash);

/** Write it into both slots: a damaged one must not bring back what the record said before. */
LB_MUST_CHECK enum lb_err record_write_twice(const struct facts *facts, struct crash *crash);

#endif
