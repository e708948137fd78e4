// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash way by reset, the doing half: stage the crash kernel in usable memory while all is well, and make it
 * ready to be entered when it is not.
 *
 * Everything that the crash kernel is given is made and checksummed when it is staged, its FDT included; what is
 * left for the crash is the core header, which tells where the dead kernel's notes are.
 */
#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>

#include "boot/crash/call.h"
#include "boot/crash/crash.h"
#include "boot/load/payload.h"
#include "boot/load/trust.h"
#include "boot/machine/caches.h"
#include "boot/machine/instret.h"
#include "boot/machine/sbi.h"
#include "boot/stage.h"
#include "kexec/crash/deaths.h"
#include "kexec/crash/elfcorehdr.h"
#include "kexec/crash/lost.h"
#include "kexec/crash/text.h"
#include "kexec/leave/handoff.h"

/* The pieces of a record, by index. */
enum {
	PIECE_CORE, /* room for the core header */
	PIECE_FDT,
	PIECE_INITRD,
	PIECE_IMAGE, /* the first of up to CRASH_PIECES - PIECE_IMAGE segments */
};

#define REGION_NODE "lifeboat-crash"
#define LOST_NODE   "lifeboat-lost"

static uint32_t piece_checksum(struct boot_context *ctx, uint64_t pa, uint64_t size)
{
	const bool usable = ctx->log.console.instret_usable;
	uint64_t begin = instret_read(usable);
	uint32_t crc = libdeflate_crc32(0, physmap_pointer(&ctx->physmap, pa), size);

	ctx->check_instret += instret_read(usable) - begin;
	ctx->check_bytes += size;
	return crc;
}

static void set_piece(struct boot_context *ctx, struct crash_piece *piece, uint64_t pa, uint64_t size)
{
	*piece = (struct crash_piece){.pa = pa, .size = size, .crc32 = piece_checksum(ctx, pa, size)};
	retain_write_back(physmap_pointer(&ctx->physmap, pa), size);
}

struct region crash_core_room(const struct boot_context *ctx)
{
	return (struct region){region_end(ctx->crash.region.usable) - CRASH_CORE_ROOM, CRASH_CORE_ROOM};
}

void crash_wish(struct boot_context *ctx, struct region core, struct region usable)
{
	static const struct payload_option options[] = {
		{"nr_cpus=", " nr_cpus=1"},
		{"reset_devices", " reset_devices"},
		{"cma=", " cma=0"}, /* kernels with a default CMA area find no 32 MiB hole beside it */
	};

	payload_add_options(ctx, options, ARRAY_SIZE(options), "as a crash kernel needs");
	ctx->wishes = (struct fdt_wishes){
		.bootargs = ctx->bootargs,
		.elfcorehdr = core,
		.usable_memory = usable,
	};
}

/* Usable memory as a machine of its own: the crash kernel is planned like any payload, but nowhere else. */
static enum lb_err map_usable(struct boot_context *ctx)
{
	const struct region usable = ctx->crash.region.usable, core = crash_core_room(ctx);
	enum lb_err err;

	memmap_init(&ctx->crash.usable);
	err = memmap_add_ram(&ctx->crash.usable, usable.base, usable.size);
	if (!err)
		err = memmap_take(&ctx->crash.usable, core.base, core.size, MEMMAP_CRASH, "core header");
	return err;
}

static enum lb_err read_crash_config(struct boot_context *ctx)
{
	enum lb_err err;

	if (!ctx->crash.has_config)
		return diag_fail(&ctx->diag, LB_ENOENT,
				 "crash: there is no crash configuration to stage from");
	err = payload_reach(ctx);
	if (!err)
		err = bundle_find_crash(&ctx->opened, &ctx->crash.config, &ctx->diag);
	if (!err)
		err = bundle_read_config(&ctx->opened, ctx->crash.config.name, &ctx->config, &ctx->diag);
	if (!err)
		err = trust_check_config(ctx);
	if (!err && ctx->config.loadable[0].size)
		err = diag_fail(
			&ctx->diag, LB_EUNSUPPORTED,
			"crash: a crash configuration can't have loadables: put them into its initramfs");
	return err;
}

/* The record has room for so many. What a compressed kernel is made of is known since it was planned. */
static enum lb_err check_segments(struct boot_context *ctx)
{
	if (ctx->config.image.segment_count <= CRASH_PIECES - PIECE_IMAGE)
		return LB_OK;
	return diag_fail(&ctx->diag, LB_EUNSUPPORTED, "crash: the crash kernel has more than %d segments",
			 CRASH_PIECES - PIECE_IMAGE);
}

static struct region piece_region(const struct crash_piece *piece)
{
	return (struct region){piece->pa, piece->size};
}

paddr_t crash_staged_fdt(const struct boot_context *ctx)
{
	return ctx->crash.record.piece[PIECE_FDT].pa;
}

/* What is in its place by now, with checksums. */
static void record_pieces(struct boot_context *ctx)
{
	struct crash_record *record = &ctx->crash.record;
	const struct region core = crash_core_room(ctx);
	size_t next = PIECE_IMAGE;

	memset(record->piece, 0, sizeof(record->piece));
	record->piece[PIECE_CORE] = (struct crash_piece){.pa = core.base, .size = core.size};
	for (size_t i = 0; i < ctx->plan.count; i++) {
		const struct plan_item *item = &ctx->plan.item[i];
		uint64_t size = item->zero_fill ? item->mem_size : item->file_size;

		if (item->dest == ctx->plan.fdt)
			set_piece(ctx, &record->piece[PIECE_FDT], item->dest, item->mem_size);
		else if (item->dest == ctx->plan.initrd.base && ctx->plan.initrd.size)
			set_piece(ctx, &record->piece[PIECE_INITRD], item->dest, size);
		else
			set_piece(ctx, &record->piece[next++], item->dest, size);
	}
	record->piece_count = CRASH_PIECES;
	record->crash_entry = ctx->plan.entry;
}

/* Read the crash configuration, plan it in usable memory, and put it there. */
static enum lb_err stage_crash_kernel(struct boot_context *ctx)
{
	enum lb_err err = read_crash_config(ctx);

	if (!err)
		err = map_usable(ctx);
	if (err)
		return err;
	payload_set_bootargs(ctx, ctx->config.bootargs, "");
	crash_wish(ctx, crash_core_room(ctx), ctx->crash.region.usable);
	err = payload_plan(ctx, &ctx->crash.usable);
	if (!err)
		err = check_segments(ctx);
	if (!err)
		err = payload_load(ctx);
	if (!err)
		record_pieces(ctx);
	return err;
}

/* ---- The record ---- */

enum lb_err crash_write_record(struct boot_context *ctx)
{
	void *memory = physmap_pointer(&ctx->physmap, ctx->crash.region.record.base);
	enum lb_err err = crash_record_write(memory, &ctx->crash.record, retain_write_back);

	return err ? diag_fail(&ctx->diag, err, "crash: the record can't be written: this is a bug") : LB_OK;
}

static void add_reservation(struct boot_context *ctx, struct fdt_reservation reservation)
{
	ctx->reservation[ctx->reservation_count++] = reservation;
}

/*
 * Lost memory goes into the record for the next life, and into the primary's FDT for this one. It stays in the linear
 * map: a hole there would split "System RAM", and kexec-tools 2.0.32 then takes a place outside of crashkernel=.
 */
static enum lb_err reserve_all(struct boot_context *ctx)
{
	struct crash_record *record = &ctx->crash.record;

	ctx->reservation_count = 0;
	add_reservation(ctx, (struct fdt_reservation){.name = REGION_NODE,
						      .compatible = FDT_CRASH_REGION,
						      .range = ctx->crash.region.all,
						      .no_map = true,
						      .call = ctx->crash.region.call});
	if (ctx->machine.crash_region.size) /* After kexec -e: they are in the record, and in the FDT. */
		return LB_OK;
	record->lost_count = 0;
	for (size_t i = 0; i < ctx->memmap.taken_count; i++) {
		const struct memmap_taken *taken = &ctx->memmap.taken[i];
		struct region lost = region_pages_around(taken->range);

		if (!crash_is_lost(taken, ctx->crash.region.all))
			continue;
		if (record->lost_count == CRASH_LOST_MAX)
			return diag_fail(&ctx->diag, LB_ENOSPC,
					 "crash: more than %d ranges are lost on a reset", CRASH_LOST_MAX);
		log_info(&ctx->log,
			 "crash: lost on a reset: [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s (%s)",
			 lost.base, region_end(lost) - 1, lost.size / KIB, memmap_kind_name(taken->kind),
			 taken->name);
		record->lost[record->lost_count++] = lost;
		add_reservation(ctx, (struct fdt_reservation){.name = LOST_NODE, .range = lost});
	}
	return LB_OK;
}

/* The notes of kernels that are gone must not be taken for the next one's. */
static size_t wipe_notes(struct boot_context *ctx, struct region range)
{
	size_t wiped = 0;

	for (uint64_t offset = 0; offset < range.size; offset += PAGE_SIZE) {
		void *page = physmap_pointer(&ctx->physmap, range.base + offset);

		if (!vmcoreinfo_is_note(page))
			continue;
		memset(page, 0, sizeof(uint64_t));
		wiped++;
	}
	return wiped;
}

static void wipe_all_notes(struct boot_context *ctx)
{
	size_t wiped = wipe_notes(ctx, ctx->crash.region.usable);

	for (size_t i = 0; i < ctx->memmap.free.count; i++)
		wiped += wipe_notes(ctx, ctx->memmap.free.region[i]);
	if (wiped)
		log_debug(&ctx->log, "crash: wiped %zu notes of former kernels", wiped);
}

/* Into both slots: a damaged one must not bring back what the record said before. */
static enum lb_err write_both_slots(struct boot_context *ctx)
{
	enum lb_err err = crash_write_record(ctx);

	return err ? err : crash_write_record(ctx);
}

/*
 * The region of an earlier boot waits no longer. Where the bundle of this boot wants another one, the stage must
 * not stand in the old one: a reset with an empty record lays everything out anew, once.
 */
static void leave_old_region(struct boot_context *ctx)
{
	ctx->crash.record.state = CRASH_EMPTY;
	if (write_both_slots(ctx)) {
		log_warn(&ctx->log, "%s", ctx->diag.text);
		return;
	}
	if (!ctx->crash.has_config) {
		log_info(&ctx->log, "crash: no crash configuration any more: the old region is given up");
		return;
	}
	log_info(&ctx->log, "crash: the bundle wants another crash region: resetting once to make it");
	sbi_reset(SBI_RESET_WARM);
	sbi_reset(SBI_RESET_COLD);
	log_warn(&ctx->log, "crash: the firmware can't reset: the old region is used once more");
}

/* After kexec -e what is staged stays staged, unless the new bundle brings another crash kernel. */
static bool keeps_staged(const struct boot_context *ctx)
{
	const struct crash_record *record = &ctx->crash.record;

	return ctx->machine.crash_region.size && !ctx->crash.has_config && record->crash_entry &&
	       (record->state == CRASH_ARMED || record->state == CRASH_DISARMED);
}

void crash_arm(struct boot_context *ctx)
{
	struct crash_record *record = &ctx->crash.record;
	const bool was_capturing = record->state == CRASH_CAPTURING;
	const bool keep = keeps_staged(ctx);
	enum lb_err err;

	if (ctx->crash.region_is_old)
		leave_old_region(ctx);
	if (!(ctx->crash.has_config || keep) || !ctx->crash.region.all.size)
		return;
	record->state = was_capturing ? CRASH_DONE : CRASH_EMPTY;
	record->attempts = 0;
	record->boots = 0;
	record->region_base = ctx->crash.region.all.base;
	record->region_size = ctx->crash.region.all.size;
	record->map_hash = crash_hash_ram(ctx);
	record->crash_usable = (struct region){0, 0};
	err = crash_write_record(ctx);
	wipe_all_notes(ctx);
	crash_call_wipe(ctx);
	if (!err)
		err = reserve_all(ctx);
	if (!err && !keep)
		err = stage_crash_kernel(ctx);
	if (!err)
		record->state = CRASH_ARMED;
	if (err) {
		log_warn(&ctx->log, "crash: no crash kernel is staged: %s", ctx->diag.text);
		record->state = CRASH_EMPTY;
	}
	ctx->crash.staged = !err;
}

uint32_t crash_find_demoted(struct boot_context *ctx)
{
	const struct boot_policy *policy = &ctx->crash.boot_policy;
	uint32_t demoted;

	if (!ctx->crash.staged) /* Nothing will be recorded. */
		return 0;
	demoted =
		boot_count_demoted(&ctx->crash.record, policy->bundle_id, policy->limit, ctx->choices.count);
	for (size_t i = 0; i < ctx->choices.count; i++) {
		if (demoted >> i & 1)
			log_warn(&ctx->log, "choose: '" FIT_NAME "' died early too often: it comes last",
				 ctx->choices.name[i]);
	}
	return demoted;
}

/* Last of all before the primary starts: from here on a reset that is not orderly is a crash. */
void crash_arm_record(struct boot_context *ctx)
{
	const struct boot_policy *policy = &ctx->crash.boot_policy;
	const struct boot_start start = {policy->bundle_id, policy->limit, policy->seconds, ctx->chosen,
					 ctx->choices.name[ctx->chosen]};

	if (!ctx->crash.staged)
		return;
	boot_count_start(&ctx->crash.record, &start);
	ctx->crash.record.kernel_pa = ctx->plan.entry;
	ctx->crash.record.kernel_size = ctx->config.image.mem_size;
	if (write_both_slots(ctx)) {
		log_warn(&ctx->log, "%s", ctx->diag.text);
		return;
	}
	log_info(&ctx->log, "crash: armed: a reset that is not orderly starts the crash kernel");
	crash_call_arm(ctx);
}

/* ---- The crash ---- */

static bool pieces_are_sound(struct boot_context *ctx)
{
	const struct crash_record *record = &ctx->crash.record;

	for (size_t i = PIECE_FDT; i < record->piece_count; i++) {
		const struct crash_piece *piece = &record->piece[i];

		if (piece->size && piece_checksum(ctx, piece->pa, piece->size) != piece->crc32) {
			log_warn(&ctx->log,
				 "crash: the staged piece at %#" PRIx64
				 " is damaged: staging from the bundle again",
				 piece->pa);
			return false;
		}
	}
	return record->piece[PIECE_FDT].size && record->piece[PIECE_IMAGE].size;
}

/*
 * A note that says only that it is ours: a kernel that died early has left none, and Linux makes no /proc/vmcore of a
 * core header without notes, or with nothing but empty ones.
 */
static void add_own_note(struct boot_context *ctx, struct region room)
{
	static const struct {
		uint32_t name_size, text_size, type;
		char name[12];
	} own = {.name_size = sizeof("lifeboat"), .name = "lifeboat"};
	struct core_request *core = &ctx->crash.core;
	void *note = physmap_pointer(&ctx->physmap, room.base);

	memset(note, 0, room.size);
	memcpy(note, &own, sizeof(own));
	core->note[core->note_count++] = (struct core_note){.pa = room.base, .size = room.size};
}

/* What its own header says, which stays in RAM; 0 if there is none (any more). */
static uint64_t dead_kernel_size(struct boot_context *ctx, paddr_t pa)
{
	struct image image;

	if (!region_set_contains(&ctx->crash.dead_ram, pa, PAGE_SIZE) ||
	    image_read_linux(physmap_pointer(&ctx->physmap, pa), IMAGE_LINUX_HEADER, &image, NULL))
		return 0;
	return image.mem_size;
}

static void describe_kernel(struct boot_context *ctx)
{
	const struct vmcoreinfo *info = &ctx->crash.dead_info;
	struct core_request *core = &ctx->crash.core;
	struct region kernel = {info->kernel_pa, align_down(ctx->crash.record.kernel_size, PAGE_SIZE)};

	if (ctx->crash.by_kexec)
		kernel.size = dead_kernel_size(ctx, kernel.base);
	core->page_offset = info->page_offset;
	core->phys_ram_base = info->phys_ram_base;
	if (kernel.size && region_set_contains(&ctx->crash.dead_ram, kernel.base, kernel.size)) {
		core->kernel = kernel;
		core->kernel_va = info->kernel_pa + info->va_kernel_pa_offset;
	}
}

enum lb_err crash_write_core_header(struct boot_context *ctx, struct region room)
{
	struct core_request *core = &ctx->crash.core;

	core->ram = &ctx->crash.dead_ram;
	if (ctx->crash.has_info)
		describe_kernel(ctx);
	if (ctx->crash.has_info && !ctx->crash.by_kexec) /* kexec's header names it among the notes */
		core->note[core->note_count++] =
			(struct core_note){ctx->crash.dead_info.note.base, VMCOREINFO_NOTE_SIZE};
	if (!core->note_count)
		add_own_note(ctx, (struct region){room.base + ELFCOREHDR_SIZE_MAX, PAGE_SIZE});
	log_info(&ctx->log,
		 "crash: %" PRIu64 " MiB of the dead kernel's RAM in %zu pieces, %zu notes, core header at "
		 "%#" PRIx64,
		 region_set_size(&ctx->crash.dead_ram) / MIB, ctx->crash.dead_ram.count, core->note_count,
		 room.base);
	return elfcorehdr_write(core, physmap_pointer(&ctx->physmap, room.base), ELFCOREHDR_SIZE_MAX,
				&ctx->diag);
}

enum lb_err crash_prepare(struct boot_context *ctx)
{
	struct crash_record *record = &ctx->crash.record;
	enum lb_err err;

	record->state = CRASH_CAPTURING;
	record->attempts++;
	record->crash_usable = (struct region){0, 0};
	err = crash_write_record(ctx);
	if (!err && !pieces_are_sound(ctx)) {
		err = stage_crash_kernel(ctx);
		if (!err)
			err = crash_write_record(ctx);
	}
	if (!err && !ctx->crash.by_kexec) /* kexec's core header names notes of its own */
		crash_call_add_notes(ctx);
	if (!err)
		err = crash_write_core_header(ctx, piece_region(&record->piece[PIECE_CORE]));
	if (err)
		return err;
	ctx->plan.entry = record->crash_entry;
	ctx->plan.fdt = piece_region(&record->piece[PIECE_FDT]).base;
	ctx->plan.count = 0;
	return LB_OK;
}

/* ---- Logs ---- */

void crash_save_log(struct boot_context *ctx)
{
	const struct crash_region *region = &ctx->crash.region;
	struct crash_text *current, *previous;
	const uint64_t room = CRASH_RUN_LOG_SIZE - sizeof(*current);

	if (!region->all.size)
		return;
	current = physmap_pointer(&ctx->physmap, region->run_log[0].base);
	previous = physmap_pointer(&ctx->physmap, region->run_log[1].base);
	if (crash_text_size(current, CRASH_RUN_LOG_SIZE))
		memcpy(previous, current, CRASH_RUN_LOG_SIZE);
	crash_text_finish(current, log_copy(&ctx->log, current->text, room));
	retain_write_back(current, CRASH_RUN_LOG_SIZE);
	retain_write_back(previous, CRASH_RUN_LOG_SIZE);
}
