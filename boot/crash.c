// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash way by reset, the deciding half: find the crash region and its record, and judge how the last
 * kernel ended. boot/crash_stage.c is the doing half.
 */
#include "boot/crash.h"

#include <inttypes.h>
#include <string.h>

#include "boot/retain.h"
#include "boot/stage.h"
#include "kexec/crash_text.h"
#include "kexec/printk.h"

#define JUDGE_SPARE	  2 /* boots that may be cut short by a reset, beyond those that start a crash kernel */
#define OLD_REGION_PIECES 6  /* of free RAM, in whose ends a record is looked for */
#define LAST_WORDS	  20 /* lines of the dead kernel's log on the console */
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
	if (record->map_hash != crash_hash_ram(ctx))
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
 * at the end of a free piece of RAM or at 4 GiB, the highest first.
 */
static bool find_old_region(struct boot_context *ctx)
{
	const struct region_set *free = &ctx->memmap.free;
	struct crash_record *record = &ctx->crash.record;

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
	*record = (struct crash_record){.state = CRASH_EMPTY};
	return false;
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
	if (err == LB_ENOENT)
		log_info(&ctx->log, "crash: no crash kernel: the bundle has no crash configuration");
	else
		log_warn(&ctx->log, "crash: no crash kernel: %s", ctx->diag.text);
}

/* The region that is waiting, or else the one that the crash configuration asks for. */
static enum lb_err choose_region(struct boot_context *ctx)
{
	enum lb_err err = find_config(ctx);

	if (!err)
		err = place_region(ctx);
	if (!err)
		read_own_record(ctx);
	if ((!err && is_waiting(&ctx->crash.record)) || !find_old_region(ctx))
		return err;
	if (!ctx->crash.has_config)
		ctx->crash.config = (struct bundle_crash){.attempts = 1, .capture_unknown = true};
	return LB_OK;
}

void crash_discover(struct boot_context *ctx)
{
	const struct crash_region *region = &ctx->crash.region;
	enum lb_err err = choose_region(ctx);

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

static struct ram dead_view(const struct boot_context *ctx)
{
	return (struct ram){.readable = &ctx->crash.dead_ram, .offset = ctx->physmap.base};
}

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

/* Where the dead kernel's log goes as text: to the region, and its end to the console. */
struct last_words {
	struct boot_context *ctx;
	char *out;
	size_t used, room;
	size_t skip; /* records that the console does not see */
};

static void take_words(const struct printk_record *record, void *context)
{
	struct last_words *words = context;
	char line[LOG_LINE_MAX];
	size_t length = printk_format(record, line, sizeof(line));

	if (words->skip)
		words->skip--;
	else
		log_info(&words->ctx->log, "dead: %s", line);
	if (length + 1 > words->room - words->used)
		return;
	memcpy(words->out + words->used, line, length);
	words->out[words->used + length] = '\n';
	words->used += length + 1;
}

static void count_words(const struct printk_record *record, void *context)
{
	(void)record;
	++*(size_t *)context;
}

static void save_last_words(struct boot_context *ctx, const struct printk_ring *ring)
{
	struct crash_text *text = physmap_pointer(&ctx->physmap, ctx->crash.region.dead_log.base);
	struct last_words words = {
		.ctx = ctx, .out = text->text, .room = ctx->crash.region.dead_log.size - sizeof(*text)};
	size_t count = 0;

	printk_visit_last(ring, UINT32_MAX, count_words, &count);
	words.skip = count > LAST_WORDS ? count - LAST_WORDS : 0;
	log_info(&ctx->log, "dead: %zu lines of log; the last %zu:", count, count - words.skip);
	printk_visit_last(ring, UINT32_MAX, take_words, &words);
	crash_text_finish(text, words.used);
	retain_write_back(text, sizeof(*text) + words.used);
}

/* What the dead kernel says of itself, and its log; has_info tells how much of it is known. */
static enum lb_err find_dead_kernel(struct boot_context *ctx, const struct ram *ram, struct printk_ring *ring)
{
	enum lb_err err = vmcoreinfo_find(ram, &ctx->crash.dead_ram, ctx->crash.record.kernel_pa,
					  &ctx->crash.dead_info, NULL, &ctx->diag);

	ctx->crash.has_info = !err;
	if (!err)
		err = printk_open(ram, &ctx->crash.dead_info, ring, &ctx->diag);
	if (err)
		log_warn(&ctx->log, "%s", ctx->diag.text);
	return err;
}

/* A primary ran and the machine was reset. Did the primary mean it? */
static bool judge_armed(struct boot_context *ctx)
{
	const struct ram ram = dead_view(ctx);
	char line[LOG_LINE_MAX / 2];
	struct printk_ring ring;
	enum printk_ending ending;

	if (find_dead_kernel(ctx, &ram, &ring)) {
		log_info(&ctx->log, "crash: the last kernel left no log: lifeboat,unknown-end says %s",
			 ctx->crash.config.capture_unknown ? "capture" : "boot");
		return ctx->crash.config.capture_unknown;
	}
	ending = printk_ending(&ring, line, sizeof(line));
	log_info(&ctx->log, "crash: Linux %s ended by %s%s%s", ctx->crash.dead_info.release,
		 printk_ending_name(ending), *line ? ": " : "", line);
	if (printk_ending_is_orderly(ending))
		return false;
	save_last_words(ctx, &ring);
	return true;
}

/* How the crash kernel that ran in usable memory ended. */
static enum printk_ending crash_kernel_ending(struct boot_context *ctx)
{
	const struct region usable = ctx->crash.region.usable;
	const struct region_set *where = &ctx->crash.usable.ram;
	const struct ram ram = {.readable = where, .offset = ctx->physmap.base};
	struct vmcoreinfo info;
	struct printk_ring ring;

	memmap_init(&ctx->crash.usable);
	if (memmap_add_ram(&ctx->crash.usable, usable.base, usable.size) ||
	    vmcoreinfo_find(&ram, where, 0, &info, NULL, NULL) || printk_open(&ram, &info, &ring, NULL))
		return PRINTK_ENDING_CUT;
	return printk_ending(&ring, NULL, 0);
}

/* A crash kernel ran and the machine was reset. Does it get another try? */
static bool judge_capturing(struct boot_context *ctx)
{
	const enum printk_ending ending = crash_kernel_ending(ctx);
	const struct ram ram = dead_view(ctx);
	struct printk_ring ring;

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
	if (find_dead_kernel(ctx, &ram, &ring))
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
	if (state == CRASH_DISARMED)
		log_info(&ctx->log, "crash: userspace disarmed the record: an orderly boot");
	if ((state != CRASH_ARMED && state != CRASH_CAPTURING) || !begin_judging(ctx))
		return false;
	ctx->crash.capturing = state == CRASH_ARMED ? judge_armed(ctx) : judge_capturing(ctx);
	return ctx->crash.capturing;
}
