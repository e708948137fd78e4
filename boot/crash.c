// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash way by reset, the deciding half: find the crash region and its record, and judge how the last
 * kernel ended. boot/crash_stage.c is the doing half.
 */
#include "boot/crash.h"

#include <inttypes.h>
#include <string.h>

#include "boot/crash_call.h"
#include "boot/crash_dead.h"
#include "boot/discover.h"
#include "boot/stage.h"

#define JUDGE_SPARE	  2 /* boots that may be cut short by a reset, beyond those that start a crash kernel */
#define OLD_REGION_PIECES 6 /* of free RAM, in whose ends a record is looked for */
#define FNV_BASIS	  UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME	  UINT64_C(0x100000001b3)

/* FNV-1a over the banks of RAM. */
uint64_t crash_hash_ram(const struct boot_context *ctx)
{
	const struct region_set *ram = &ctx->machine.ram;
	const uint8_t *bytes = (const uint8_t *)ram->region;
	uint64_t hash = FNV_BASIS;

	for (size_t i = 0; i < ram->count * sizeof(ram->region[0]); i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	return hash;
}

/* Read the record at @where, checked against this machine. */
static enum lb_err read_record(struct boot_context *ctx, struct region where, struct crash_record *record)
{
	/* Writable, though nobody writes by it: the stage's new place may overlap it, and two views must agree. */
	const void *memory = stage_early_view(ctx, where.base, where.size, PTE_R | PTE_W);
	enum lb_err err = memory ? crash_record_read(memory, record, &ctx->diag) : LB_ERANGE;

	if (err)
		return err;
	if (record->map_hash != (ctx->crash.by_kexec ? ctx->crash.map_hash : crash_hash_ram(ctx)))
		return diag_fail(&ctx->diag, LB_ECONFLICT,
				 "crash: the record is of a machine with other RAM");
	if (crash_record_is_damaged(memory))
		log_warn(&ctx->log, "crash record: one of its two slots is damaged; the other is good");
	return LB_OK;
}

/* Does somebody rely on @record, so that its region must be looked after before it may be another's? */
static bool is_waiting(const struct crash_record *record)
{
	return record->state == CRASH_ARMED || record->state == CRASH_CAPTURING;
}

/* The record of the region that we chose. Whatever is wrong with it means: none. */
static void read_own_record(struct boot_context *ctx)
{
	const struct crash_region *region = &ctx->crash.region;
	struct crash_record *record = &ctx->crash.record;
	enum lb_err err = read_record(ctx, region->record, record);

	if (!err && (record->region_base != region->all.base || record->region_size != region->all.size))
		err = diag_fail(&ctx->diag, LB_ECONFLICT,
				"crash: the record is of another crash region, [%#" PRIx64 "..%#" PRIx64 "]",
				record->region_base, record->region_base + record->region_size - 1);
	if (err && err != LB_ENOENT)
		log_warn(&ctx->log, "%s: not used", ctx->diag.text);
	if (err)
		*record = (struct crash_record){.state = CRASH_EMPTY};
}

/* Does a region that is waiting end at the last boundary before @end, all of it in @piece? */
static bool find_record_at(struct boot_context *ctx, struct region piece, paddr_t end)
{
	struct crash_record *record = &ctx->crash.record;

	end = align_down(end, CRASH_REGION_ALIGN);
	if (end <= piece.base || end - piece.base < CRASH_REGION_MIN)
		return false;
	return !read_record(ctx, (struct region){end - CRASH_RECORD_SIZE, CRASH_RECORD_SIZE}, record) &&
	       is_waiting(record) && record->region_base + record->region_size == end &&
	       record->region_base >= piece.base;
}

/*
 * Where no record is expected a dead kernel may still be waiting with a staged crash kernel: the bundle was damaged,
 * or its crash configuration changed. Then the record lies where crash_region_place() puts a region's end:
 * at the end of a free piece of RAM or at 4 GiB, the highest first. If there is none our own record stays. (Inlined,
 * the copy of it would make the caller's frame 1040 bytes large: clang 19.)
 */
__attribute__((noinline)) static bool find_old_region(struct boot_context *ctx)
{
	const struct region_set *free = &ctx->memmap.free;
	struct crash_record *record = &ctx->crash.record;
	const struct crash_record own = *record;

	/* Few: each view takes pages of the early tables. */
	for (size_t i = free->count; i-- > 0 && free->count - i <= OLD_REGION_PIECES;) {
		const struct region piece = free->region[i];

		if (!find_record_at(ctx, piece, region_end(piece)) &&
		    !(region_end(piece) > 4 * GIB && find_record_at(ctx, piece, 4 * GIB)))
			continue;
		ctx->crash.region = crash_region_layout(record->region_base, record->region_size);
		ctx->crash.region_is_old = true;
		return true;
	}
	*record = own;
	return false;
}

enum lb_err crash_adopt_region(struct boot_context *ctx)
{
	const struct region all = ctx->machine.crash_region;
	struct crash_region region;
	enum lb_err err;

	if (!is_aligned(all.base | all.size, CRASH_REGION_ALIGN) || all.size < CRASH_REGION_MIN)
		return diag_fail(&ctx->diag, LB_ERANGE, "crash: the FDT has a crash region of an odd size");
	region = crash_region_layout(all.base, all.size);
	err = read_record(ctx, region.record, &ctx->crash.record);
	if (!err && (ctx->crash.record.region_base != all.base || ctx->crash.record.region_size != all.size))
		err = diag_fail(&ctx->diag, LB_ECONFLICT, "crash: the record is of another crash region");
	if (!err)
		ctx->crash.region = region;
	else
		ctx->crash.record = (struct crash_record){.state = CRASH_EMPTY};
	return err;
}

static enum lb_err find_config(struct boot_context *ctx)
{
	const void *bundle =
		ctx->bundle.size ? stage_early_view(ctx, ctx->bundle.base, ctx->bundle.size, PTE_R) : NULL;
	enum lb_err err;

	if (!bundle || !bundle_is_fit(bundle, ctx->bundle.size))
		return LB_ENOENT;
	err = bundle_find_crash(bundle, ctx->bundle.size, &ctx->crash.config, &ctx->diag);
	ctx->crash.has_config = !err;
	return err;
}

static enum lb_err place_region(struct boot_context *ctx)
{
	return crash_region_place(&ctx->memmap.free, region_set_size(&ctx->machine.ram),
				  ctx->crash.config.region_size, ctx->physmap.limit, &ctx->crash.region,
				  &ctx->diag);
}

/* Nothing of the region is used when something is wrong with it. */
static void give_up(struct boot_context *ctx, enum lb_err err)
{
	ctx->crash.has_config = false;
	ctx->crash.region = (struct crash_region){.all = {0, 0}};
	discover_lost_release(ctx);
	if (err == LB_ENOENT)
		log_info(&ctx->log, "crash: no crash kernel: the bundle has no crash configuration");
	else
		log_warn(&ctx->log, "crash: no crash kernel: %s", ctx->diag.text);
}

/* The region that is waiting, or else the one that the crash configuration asks for. */
static enum lb_err choose_region(struct boot_context *ctx)
{
	enum lb_err err = find_config(ctx);
	struct diag why;

	if (!ctx->crash.has_config)
		ctx->crash.config = (struct bundle_crash){.attempts = 1, .capture_unknown = true};
	if (ctx->machine.crash_region.size) /* by kexec -e */
		return crash_adopt_region(ctx);
	if (!err)
		err = place_region(ctx);
	if (!err)
		read_own_record(ctx);
	why = ctx->diag;
	if ((err || !is_waiting(&ctx->crash.record)) && find_old_region(ctx))
		return LB_OK;
	ctx->diag = why;
	return err;
}

void crash_discover(struct boot_context *ctx)
{
	const struct crash_region *region = &ctx->crash.region;
	enum lb_err err = discover_lost(ctx);

	if (!err)
		err = choose_region(ctx);
	if (!err)
		err = memmap_take(&ctx->memmap, region->all.base, region->all.size, MEMMAP_CRASH,
				  "not for the primary");
	if (err) {
		give_up(ctx, err);
		return;
	}
	log_info(&ctx->log,
		 "crash: region [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " MiB, record %s, attempts %" PRIu32
		 " of %" PRIu32,
		 region->all.base, region_end(region->all) - 1, region->all.size / MIB,
		 crash_state_name(ctx->crash.record.state), ctx->crash.record.attempts,
		 ctx->crash.config.attempts);
}

/* ---- Judging ---- */

/*
 * The dead kernel's RAM, as far as nobody has written there since: free RAM less what was lost at its boot. (What
 * is lost at this boot is taken, so it is not free.)
 */
static enum lb_err find_dead_ram(struct boot_context *ctx)
{
	const struct crash_record *record = &ctx->crash.record;
	enum lb_err err = LB_OK;

	region_set_copy(&ctx->crash.dead_ram, &ctx->memmap.free);
	for (size_t i = 0; !err && i < record->lost_count; i++) {
		struct region lost = region_pages_around(record->lost[i]);

		err = region_set_subtract(&ctx->crash.dead_ram, lost.base, lost.size);
	}
	return err;
}

/* A primary ran and the machine was reset. Did the primary mean it? */
static bool judge_armed(struct boot_context *ctx)
{
	char line[LOG_LINE_MAX / 2];
	struct crash_dead dead;
	const bool called = crash_call_was_made(ctx);
	enum printk_ending ending;

	if (called)
		log_info(&ctx->log, "crash: the last system called for the crash kernel");
	if (crash_dead_open(ctx, 0, &dead)) {
		if (called || ctx->crash.config.capture_unknown)
			crash_dead_count(ctx, NULL);
		if (called)
			return true;
		log_info(&ctx->log, "crash: the last kernel left no log: lifeboat,unknown-end says %s",
			 ctx->crash.config.capture_unknown ? "capture" : "boot");
		return ctx->crash.config.capture_unknown;
	}
	ending = printk_ending(&dead.ring, line, sizeof(line));
	log_info(&ctx->log, "crash: Linux %s ended by %s%s%s", ctx->crash.dead_info.release,
		 printk_ending_name(ending), *line ? ": " : "", line);
	if (printk_ending_is_orderly(ending) && !called)
		return false;
	crash_dead_count(ctx, &dead);
	crash_dead_last_words(ctx, &dead);
	return true;
}

/* Where the crash kernel ran that was started last: usable memory of the crash region, or of kexec's. */
static struct region last_usable(const struct boot_context *ctx)
{
	const struct region usable = ctx->crash.record.crash_usable;

	if (region_set_contains(&ctx->memmap.free, usable.base, usable.size) && usable.size)
		return usable;
	return ctx->crash.region.usable;
}

/* A crash kernel ran and the machine was reset. Does it get another try? */
static bool judge_capturing(struct boot_context *ctx)
{
	const enum printk_ending ending = crash_dead_ending_in(ctx, last_usable(ctx));
	struct crash_dead dead;

	if (printk_ending_is_orderly(ending)) {
		log_info(&ctx->log, "crash: the crash kernel ended in good order (%s): the capture is done",
			 printk_ending_name(ending));
		return false;
	}
	if (ctx->crash.record.attempts >= ctx->crash.config.attempts) {
		log_warn(&ctx->log,
			 "crash: the crash kernel died, too (%" PRIu32 " tries): given up, booting normally",
			 ctx->crash.record.attempts);
		return false;
	}
	log_warn(&ctx->log, "crash: the crash kernel died, too: another try");
	if (crash_dead_open(ctx, 0, &dead))
		log_warn(&ctx->log, "crash: the dump will have no notes");
	return true;
}

/*
 * What a dead kernel left is about to be read. Count that in the record first: whatever goes wrong from here on
 * resets the machine (boot_fail), and must not do so for ever.
 */
static bool begin_judging(struct boot_context *ctx)
{
	struct crash_record *record = &ctx->crash.record;

	if (record->boots >= ctx->crash.config.attempts + (uint64_t)JUDGE_SPARE) {
		log_warn(&ctx->log,
			 "crash: %" PRIu64
			 " boots with this record came to no end: given up, booting normally",
			 record->boots);
		return false;
	}
	record->boots++;
	if (crash_write_record(ctx)) {
		log_warn(&ctx->log, "%s", ctx->diag.text);
		return false;
	}
	ctx->crash.capturing = true;
	return true;
}

bool crash_judge(struct boot_context *ctx)
{
	const uint32_t state = ctx->crash.record.state;

	if (!ctx->crash.region.all.size || find_dead_ram(ctx))
		return false;
	if (ctx->machine.crash_region.size) {
		log_info(&ctx->log, "crash: started by kexec -e, as the FDT shows: an orderly boot");
		crash_call_wipe(ctx); /* The resident stage is another one now: its entry is elsewhere. */
		return false;
	}
	if (state == CRASH_DISARMED)
		log_info(&ctx->log, "crash: userspace disarmed the record: an orderly boot");
	if ((state != CRASH_ARMED && state != CRASH_CAPTURING) || !begin_judging(ctx))
		return false;
	ctx->crash.capturing = state == CRASH_ARMED ? judge_armed(ctx) : judge_capturing(ctx);
	return ctx->crash.capturing;
}
