// SPDX-License-Identifier: BSD-2-Clause
/* The crash way by call, the preparing half. boot/crash/entry.c is what runs when it is used. */
#include "boot/crash/call.h"

#include <inttypes.h>
#include <string.h>

#include "boot/crash/entry.h"
#include "boot/crash/header.h"
#include "boot/load/trust.h"
#include "kexec/crash/retained.h"

extern const char trampoline_start[], norelocate_satp[], crash_entry[];

static struct crash_call *area_of(const struct facts *facts, const struct crash *crash)
{
	return facts_at(facts, crash->region.call.base);
}

void call_wipe(const struct facts *facts, struct crash *crash)
{
	memset(area_of(facts, crash), 0, CRASH_CALL_SIZE);
	caches_write_back(&crash->caches, area_of(facts, crash), CRASH_CALL_SIZE);
	crash_entry_state.entry = 0;
}

/* A copy of the stage's own page, with the two words empty: the caller's tables are not ours. */
static void copy_trampoline_page(struct crash_call *area)
{
	memcpy((char *)area + area->page, trampoline_start, PAGE_SIZE);
	trampoline_arm((char *)area + area->page, area->words, 0, 0);
}

static void make_area(const struct facts *facts, struct crash *crash)
{
	const struct machine *machine = &facts->hw->machine;
	struct crash_call *area = area_of(facts, crash);
	size_t left_out = 0;
	const struct crash_call_facts what = {
		.pa = crash->region.call.base,
		.entry = facts->stage->pa + ((uintptr_t)crash_entry - STAGE_VA),
		.words = (size_t)(norelocate_satp - trampoline_start),
		.cache_block = (uint32_t)crash->caches.cbom_block,
		.leaf_bits = facts->hw->core.attributes.ram,
	};

	crash_call_init(area, &what);
	for (size_t i = 0; i < machine->hart_count; i++) {
		if (machine->hart[i].enabled && !crash_call_add_hart(area, machine->hart[i].id))
			left_out++;
	}
	if (left_out)
		log_warn(facts->log, "crash: %zu harts can't save registers: there is room for %d", left_out,
			 CRASH_CALL_HARTS);
	copy_trampoline_page(area);
	caches_write_back(&crash->caches, area, CRASH_CALL_SIZE);
}

/* All slots, vacant or not: who saves registers is known when it is too late to write a header. */
static enum lb_err write_core_header(const struct facts *facts, const struct crash *crash,
				     const struct region_set *owned, struct elfcorehdr_request *core)
{
	const struct crash_call *area = area_of(facts, crash);
	const struct region room = core_header_room(crash);

	memset(core, 0, sizeof(*core));
	core->ram = owned;
	for (size_t i = 0; i < area->note_count; i++)
		core->note[core->note_count++] = (struct elfcorehdr_note){
			area->pa + crash_call_note_offset(area, i), CRASH_CALL_NOTE_SIZE};
	return elfcorehdr_write(core, facts_at(facts, room.base), ELFCOREHDR_SIZE_MAX, &facts->log->diag);
}

/* All that may run on, so that they are waited for; those without a slot, too. */
static void list_harts(const struct machine *machine, struct crash_entry_state *state)
{
	state->hart_count = 0;
	for (size_t i = 0; i < machine->hart_count; i++) {
		if (machine->hart[i].enabled)
			state->hart[state->hart_count++] = machine->hart[i].id;
	}
}

static enum lb_err prepare_entry(const struct facts *facts, const struct crash *crash)
{
	struct crash_entry_state *state = &crash_entry_state;
	struct crash_record record = crash->record;
	const void *memory = facts_at(facts, crash->region.record.base);
	enum lb_err err;

	record.state = CRASH_CAPTURING;
	record.attempts++;
	err = crash_record_make_ready(memory, &record, &state->ready);
	if (err)
		return diag_fail(&facts->log->diag, err,
				 "crash: the record can't be made ready: this is a bug");
	state->record = crash->region.record.base;
	state->fdt = crash_record_piece(&record, CRASH_PIECE_FDT).base;
	state->entry = record.kept.size ? 0 : record.crash_entry; /* a FIT is only started after a reset */
	state->cache_block = crash->caches.cbom_block;
	/* What is prepared was verified, but will have been in the dying system's hands by then. */
	state->flags = facts->trust->required ? CRASH_CALL_RESET_FIRST : 0;
	list_harts(&facts->hw->machine, state);
	state->sum = crash_entry_sum(state);
	return LB_OK;
}

void call_arm(const struct facts *facts, struct crash *crash, const struct region_set *owned,
	      struct elfcorehdr_request *core)
{
	const struct region call = crash->region.call;
	enum lb_err err;

	make_area(facts, crash);
	err = write_core_header(facts, crash, owned, core);
	if (!err)
		err = prepare_entry(facts, crash);
	if (err) {
		call_wipe(facts, crash);
		log_warn(facts->log, "%s", facts->log->diag.text);
		return;
	}
	log_info(facts->log, "crash: so does a call, by the area at [%#" PRIx64 "..%#" PRIx64 "]%s",
		 call.base, region_end(call) - 1,
		 crash_entry_state.flags ? ", through a reset, since a key is required" : "");
}

void call_mark_started(const struct facts *facts, struct crash *crash)
{
	struct crash_call *area = area_of(facts, crash);

	area->started = 1;
	caches_write_back(&crash->caches, &area->started, sizeof(area->started));
}

bool call_has_started(const struct facts *facts, const struct crash *crash)
{
	return retained_has_started(area_of(facts, crash));
}

bool call_was_made(const struct facts *facts, const struct crash *crash)
{
	return retained_was_called(area_of(facts, crash), crash->region.call.base);
}

void call_add_notes(const struct facts *facts, const struct crash *crash, struct elfcorehdr_request *core)
{
	size_t harts;
	const size_t saved = retained_add_notes(area_of(facts, crash), crash->region.call.base, core, &harts);

	if (saved)
		log_info(facts->log, "crash: the registers of %zu of %zu harts were saved", saved, harts);
}
