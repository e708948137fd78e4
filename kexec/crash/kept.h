/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kept part of the crash region: room for the FIT of a crash kernel that userspace loads, which the
 * record names. Who writes it keeps the order of this file, so that a reset in the middle leaves the FIT that
 * was there, or none; never one that is half there.
 */
#ifndef LIFEBOAT_KEXEC_CRASH_KEPT_H
#define LIFEBOAT_KEXEC_CRASH_KEPT_H

#include "kexec/crash/record.h"

/** A crash region's kept part and its record, as their writer sees them. */
struct crash_kept {
	void *memory;		      /* the record: as for crash_record_read() */
	uint8_t *room;		      /* the kept part, whose physical place is @where */
	struct region where;	      /* page-aligned */
	crash_write_back *write_back; /* as for crash_record_write() */
	void *context;
};

/**
 * Put the @size bytes of @fit, which lie elsewhere, into the room, and name them in @record.
 *
 * They go beside the FIT that is there if there is room for both: then that one counts until the new one
 * does. Else the record names none meanwhile.
 * @record  what kept->memory holds; on LB_OK it names the new one
 * Return: LB_OK; LB_ENOSPC it is larger than the room, LB_EINVAL @record is not sound: nothing was written.
 */
LB_MUST_CHECK enum lb_err crash_kept_put(const struct crash_kept *kept, struct crash_record *record,
					 const void *fit, uint64_t size);

/** Name none any more. Return: LB_OK; LB_EINVAL @record is not sound: nothing was written. */
LB_MUST_CHECK enum lb_err crash_kept_drop(const struct crash_kept *kept, struct crash_record *record);

#endif
