// SPDX-License-Identifier: BSD-2-Clause
/* The kept part of the crash region, written by userspace: the FIT first, then the record that names it. */
#include "kexec/crash/kept.h"

#include <string.h>

#include "base/checksum.h"

/* Both slots: a damaged one must not bring back what it said before. */
static enum lb_err write_twice(const struct crash_kept *kept, const struct crash_record *record)
{
	enum lb_err err = crash_record_write(kept->memory, record, kept->write_back, kept->context);

	return err ? err : crash_record_write(kept->memory, record, kept->write_back, kept->context);
}

/* Beside what is there if that can be: at the room's start, or at its end. */
static struct region choose_place(struct region room, struct region old, uint64_t size)
{
	const struct region start = {room.base, size};
	const struct region end = {align_down(region_end(room) - size, PAGE_SIZE), size};

	if (ranges_overlap(start.base, start.size, old.base, old.size) &&
	    !ranges_overlap(end.base, end.size, old.base, old.size))
		return end;
	return start;
}

/* No store that follows may reach RAM before these. */
static void settle(const struct crash_kept *kept, const void *start, uint64_t size)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (kept->write_back)
		kept->write_back(kept->context, start, size);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

enum lb_err crash_kept_drop(const struct crash_kept *kept, struct crash_record *record)
{
	record->kept = (struct crash_piece){.size = 0};
	return write_twice(kept, record);
}

enum lb_err crash_kept_put(const struct crash_kept *kept, struct crash_record *record, const void *fit,
			   uint64_t size)
{
	const struct region old = {record->kept.pa, record->kept.size};
	enum lb_err err = LB_OK;
	struct region place;
	uint8_t *to;

	if (!size || size > kept->where.size)
		return LB_ENOSPC;
	place = choose_place(kept->where, old, size);
	if (ranges_overlap(place.base, place.size, old.base, old.size))
		err = crash_kept_drop(kept, record);
	if (err)
		return err;
	to = kept->room + (place.base - kept->where.base);
	memcpy(to, fit, size);
	settle(kept, to, size);
	record->kept = (struct crash_piece){.pa = place.base, .size = size, .sum = checksum(fit, size)};
	return write_twice(kept, record);
}
