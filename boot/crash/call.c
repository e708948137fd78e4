// SPDX-License-Identifier: BSD-2-Clause
/* The crash way by call, the preparing half. boot/crash/entry.c is what runs when it is used. */
#include "boot/crash/call.h"

#include <inttypes.h>
#include <string.h>

#include "boot/crash/crash.h"
#include "boot/crash/entry.h"
#include "boot/machine/caches.h"

extern const char trampoline_start[], norelocate_satp[], crash_entry[];

static struct crash_call *area_of(const struct boot_context *ctx)
{
	return physmap_pointer(&ctx->physmap, ctx->crash.region.call.base);
}

void crash_call_wipe(struct boot_context *ctx)
{
	memset(area_of(ctx), 0, CRASH_CALL_SIZE);
	retain_write_back(area_of(ctx), CRASH_CALL_SIZE);
	crash_entry_state.entry = 0;
}

static uint32_t cache_block(const struct boot_context *ctx)
{
	return ctx->machine.isa & ISA_ZICBOM ? ctx->machine.cbom_block_size : 0;
}

/* A copy of the stage's own page, with the two words empty: the caller's tables are not ours. */
static void copy_trampoline_page(struct crash_call *area)
{
	memcpy((char *)area + area->page, trampoline_start, PAGE_SIZE);
	trampoline_arm((char *)area + area->page, area->words, 0, 0);
}

static void make_area(struct boot_context *ctx)
{
	struct crash_call *area = area_of(ctx);
	const struct crash_call_facts facts = {
		.pa = ctx->crash.region.call.base,
		.entry = ctx->stage_pa + ((uintptr_t)crash_entry - STAGE_VA),
		.words = (size_t)(norelocate_satp - trampoline_start),
		.cache_block = cache_block(ctx),
		.leaf_bits = ctx->core.attributes.ram,
	};

	crash_call_init(area, &facts);
	for (size_t i = 0; i < ctx->machine.hart_count; i++) {
		if (ctx->machine.hart[i].enabled && !crash_call_add_hart(area, ctx->machine.hart[i].id)) {
			log_warn(&ctx->log, "crash: only %d harts can save registers", CRASH_CALL_HARTS);
			break;
		}
	}
	copy_trampoline_page(area);
	retain_write_back(area, CRASH_CALL_SIZE);
}

/* All slots, vacant or not: who saves registers is known when it is too late to write a header. */
static enum lb_err write_core_header(struct boot_context *ctx)
{
	const struct crash_call *area = area_of(ctx);
	struct elfcorehdr_request *core = &ctx->crash.core;
	const struct region room = crash_core_room(ctx);

	memset(core, 0, sizeof(*core));
	core->ram = &ctx->memmap.free;
	for (size_t i = 0; i < area->note_count; i++)
		core->note[core->note_count++] = (struct elfcorehdr_note){
			area->pa + crash_call_note_offset(area, i), CRASH_CALL_NOTE_SIZE};
	return elfcorehdr_write(core, physmap_pointer(&ctx->physmap, room.base), ELFCOREHDR_SIZE_MAX,
				&ctx->diag);
}

static enum lb_err prepare_entry(struct boot_context *ctx)
{
	const struct crash_call *area = area_of(ctx);
	struct crash_entry_state *state = &crash_entry_state;
	struct crash_record record = ctx->crash.record;
	const void *memory = physmap_pointer(&ctx->physmap, ctx->crash.region.record.base);
	enum lb_err err;

	record.state = CRASH_CAPTURING;
	record.attempts++;
	err = crash_record_make_ready(memory, &record, &state->ready);
	if (err)
		return diag_fail(&ctx->diag, err, "crash: the record can't be made ready: this is a bug");
	state->record = ctx->crash.region.record.base;
	state->fdt = crash_staged_fdt(ctx);
	state->entry = record.crash_entry;
	state->cache_block = cache_block(ctx);
	state->hart_count = area->note_count;
	memcpy(state->hart, area->hart, sizeof(state->hart));
	state->sum = crash_entry_sum(state);
	return LB_OK;
}

void crash_call_arm(struct boot_context *ctx)
{
	const struct region call = ctx->crash.region.call;
	enum lb_err err;

	make_area(ctx);
	err = write_core_header(ctx);
	if (!err)
		err = prepare_entry(ctx);
	if (err) {
		crash_call_wipe(ctx);
		log_warn(&ctx->log, "%s", ctx->diag.text);
		return;
	}
	log_info(&ctx->log, "crash: so does a call, by the area at [%#" PRIx64 "..%#" PRIx64 "]", call.base,
		 region_end(call) - 1);
}

static bool area_is_sound(const struct boot_context *ctx)
{
	const struct crash_call *area = area_of(ctx);

	return !crash_call_check(area, CRASH_CALL_SIZE) && area->pa == ctx->crash.region.call.base;
}

bool crash_call_was_made(const struct boot_context *ctx)
{
	return area_is_sound(ctx) && area_of(ctx)->made == CRASH_CALL_MADE;
}

void crash_call_add_notes(struct boot_context *ctx)
{
	const struct crash_call *area = area_of(ctx);
	struct elfcorehdr_request *core = &ctx->crash.core;
	const size_t before = core->note_count;

	if (!area_is_sound(ctx))
		return;
	for (size_t i = 0; i < area->note_count; i++) {
		if (crash_call_has_note(area, i) && core->note_count < ELFCOREHDR_NOTES_MAX - 1)
			core->note[core->note_count++] = (struct elfcorehdr_note){
				area->pa + crash_call_note_offset(area, i), CRASH_CALL_NOTE_SIZE};
	}
	if (core->note_count > before)
		log_info(&ctx->log, "crash: the registers of %zu of %" PRIu32 " harts were saved",
			 core->note_count - before, area->note_count);
}
