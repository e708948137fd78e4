// SPDX-License-Identifier: BSD-2-Clause
/* What a dead kernel left in its RAM: its description of itself, and its last words. */
#include "boot/crash/dead.h"

#include <inttypes.h>
#include <string.h>

#include "boot/machine/caches.h"
#include "kexec/crash/deaths.h"
#include "kexec/crash/text.h"
#include "kexec/dead/find.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define LAST_WORDS   20 /* lines of the dead kernel's log on the console */

enum lb_err crash_dead_open(struct boot_context *ctx, paddr_t note_pa, struct crash_dead *dead)
{
	struct vmcoreinfo *info = &ctx->crash.dead_info;
	const paddr_t kernel_pa = ctx->crash.record.kernel_pa;
	enum lb_err err;

	dead->ram = (struct ram){.readable = &ctx->crash.dead_ram, .offset = ctx->physmap.base};
	err = note_pa ? vmcoreinfo_read(&dead->ram, note_pa, kernel_pa, info, &ctx->diag)
		      : vmcoreinfo_find(&dead->ram, &ctx->crash.dead_ram, kernel_pa, info, NULL, &ctx->diag);
	ctx->crash.has_info = !err;
	if (!err)
		err = printk_open(&dead->ram, info, &dead->ring, &ctx->diag);
	if (err)
		log_warn(&ctx->log, "%s", ctx->diag.text);
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

void crash_dead_last_words(struct boot_context *ctx, const struct crash_dead *dead)
{
	const struct region where = ctx->crash.region.dead_log;
	struct crash_text *text = where.size ? physmap_pointer(&ctx->physmap, where.base) : NULL;
	struct last_words words = {.ctx = ctx};
	size_t count = 0;

	if (text) {
		words.out = text->text;
		words.room = where.size - sizeof(*text);
	}
	printk_visit_last(&dead->ring, UINT32_MAX, count_words, &count);
	words.skip = count > LAST_WORDS ? count - LAST_WORDS : 0;
	log_info(&ctx->log, "dead: %zu lines of log; the last %zu:", count, count - words.skip);
	printk_visit_last(&dead->ring, UINT32_MAX, take_words, &words);
	if (!text)
		return;
	crash_text_finish(text, words.used);
	retain_write_back(text, sizeof(*text) + words.used);
}

static void keep_last(const struct printk_record *record, void *context)
{
	*(uint64_t *)context = record->ts_nsec;
}

/* A kernel that hung in silence lived longer than its last line tells; confirming is for that. */
void crash_dead_count(struct boot_context *ctx, const struct crash_dead *dead)
{
	struct crash_record *record = &ctx->crash.record;
	uint64_t lived_ns = BOOT_COUNT_NO_LOG;
	enum boot_count_verdict verdict;

	if (dead)
		printk_visit_last(&dead->ring, 1, keep_last, &lived_ns);
	verdict = boot_count_death(record, lived_ns);
	if (verdict == BOOT_COUNT_EARLY)
		log_warn(&ctx->log,
			 "crash: '%s' died %" PRIu64 " s after its start: %" PRIu32 " of %" PRIu32
			 " early deaths in a row",
			 record->boot_name, lived_ns / NSEC_PER_SEC, record->early_deaths,
			 record->boot_limit);
	else if (verdict == BOOT_COUNT_DEMOTED)
		log_warn(&ctx->log,
			 "crash: '%s' died %" PRIu64 " s after its start, the %" PRIu32
			 ". early death in a row: it is demoted",
			 record->boot_name, lived_ns / NSEC_PER_SEC, record->boot_limit);
}

enum printk_ending crash_dead_ending_in(struct boot_context *ctx, struct region where)
{
	const struct region_set *ram = &ctx->crash.usable.ram;
	struct crash_dead dead = {.ram = {.readable = ram, .offset = ctx->physmap.base}};
	struct vmcoreinfo info;

	memmap_init(&ctx->crash.usable);
	if (memmap_add_ram(&ctx->crash.usable, where.base, where.size) ||
	    vmcoreinfo_find(&dead.ram, ram, 0, &info, NULL, NULL) ||
	    printk_open(&dead.ram, &info, &dead.ring, NULL))
		return PRINTK_ENDING_CUT;
	return printk_ending(&dead.ring, NULL, 0);
}
