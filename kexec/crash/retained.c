// SPDX-License-Identifier: BSD-2-Clause
/* Every reader of retained memory. */
#include "kexec/crash/retained.h"

#include <inttypes.h>

#include "kexec/crash/area.h"
#include "kexec/crash/region.h"
#include "kexec/crash/text.h"

/* ---- The record ---- */

enum lb_err retained_record(const void *memory, uint64_t map_hash, struct crash_record *record, bool *damaged,
			    struct diag *diag)
{
	enum lb_err err = crash_record_read(memory, record, diag);

	if (err)
		return err;
	if (record->map_hash != map_hash)
		return diag_fail(diag, LB_ECONFLICT, "crash: the record is of a machine with other RAM");
	*damaged = crash_record_is_damaged(memory);
	return LB_OK;
}

static struct region region_of(const struct crash_record *record)
{
	return (struct region){record->region_base, record->region_size};
}

enum lb_err retained_is_of(const struct crash_record *record, struct region all, uint64_t kept,
			   struct diag *diag)
{
	const struct region of = region_of(record);

	if (of.base == all.base && of.size == all.size && record->kept_room == kept)
		return LB_OK;
	return diag_fail(diag, LB_ECONFLICT,
			 "crash: the record is of another crash region, [%#" PRIx64 "..%#" PRIx64
			 "], %" PRIu64 " KiB kept",
			 of.base, region_end(of) - 1, record->kept_room / KIB);
}

bool retained_waits(const struct crash_record *record)
{
	return record->state == CRASH_ARMED || record->state == CRASH_CAPTURING;
}

bool retained_waits_at(const struct crash_record *record, struct region piece, paddr_t end)
{
	const struct region all = region_of(record);

	return retained_waits(record) && crash_region_is_sound(all) && region_end(all) == end &&
	       region_contains(piece, all);
}

bool retained_has_kernel(const struct crash_record *record, const struct region_set *reach)
{
	return record->kernel_size && region_set_contains(reach, record->kernel_pa, PAGE_SIZE);
}

struct region retained_last_usable(const struct crash_record *record, const struct region_set *free,
				   struct region own)
{
	const struct region usable = record->crash_usable;

	return usable.size && region_set_contains(free, usable.base, usable.size) ? usable : own;
}

/* ---- The call area ---- */

static bool is_area(const struct crash_call *area, paddr_t pa)
{
	return !crash_call_check(area, CRASH_CALL_SIZE) && area->pa == pa;
}

/* The one word that is set when the area may be wiped: so it stands by itself. */
bool retained_has_started(const void *area)
{
	return ((const struct crash_call *)area)->started;
}

bool retained_was_called(const void *area, paddr_t pa)
{
	return is_area(area, pa) && ((const struct crash_call *)area)->made == CRASH_CALL_MADE;
}

size_t retained_add_notes(const void *memory, paddr_t pa, struct elfcorehdr_request *core, size_t *harts)
{
	const struct crash_call *area = memory;
	const size_t before = core->note_count;

	*harts = is_area(area, pa) ? area->note_count : 0;
	for (size_t i = 0; i < *harts; i++) {
		if (crash_call_has_note(area, i) && core->note_count < ELFCOREHDR_NOTES_MAX - 1)
			core->note[core->note_count++] = (struct elfcorehdr_note){
				pa + crash_call_note_offset(area, i), CRASH_CALL_NOTE_SIZE};
	}
	return core->note_count - before;
}

/* ---- Text ---- */

const char *retained_text(const void *memory, uint64_t room, uint64_t *size)
{
	const struct crash_text *text = memory;

	*size = crash_text_size(text, room);
	return *size ? text->text : NULL;
}
