// SPDX-License-Identifier: BSD-2-Clause
/* What a dead kernel left in its RAM: its description of itself, and its last words. */
#include "boot/crash/dead.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/crash/deaths.h"
#include "kexec/crash/text.h"
#include "kexec/dead/find.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define LAST_WORDS   20 /* lines of the dead kernel's log on the console */

enum lb_err dead_find_ram(const struct memmap *map, const struct crash_record *record, struct dead *dead)
{
	enum lb_err err = LB_OK;

	region_set_copy(&dead->ram, &map->free);
	for (size_t i = 0; !err && i < record->lost_count; i++) {
		struct region lost = region_pages_around(record->lost[i]);

		err = region_set_subtract(&dead->ram, lost.base, lost.size);
	}
	return err;
}

void dead_find_reach(const struct stage *stage, struct dead *dead)
{
	const paddr_t limit = stage->physmap.limit;

	region_set_copy(&dead->reach, &dead->ram);
	if (region_set_subtract(&dead->reach, limit, UINT64_MAX - limit))
		region_set_clear(&dead->reach); /* can't be: cutting off the top splits nothing */
}

enum lb_err dead_open(const struct facts *facts, const struct crash *crash, struct dead *dead,
		      paddr_t note_pa, struct dead_log *left)
{
	const paddr_t kernel_pa = crash->record.kernel_pa;
	struct vmcoreinfo *info = &dead->info;
	struct diag *diag = &facts->log->diag;
	enum lb_err err;

	left->ram = (struct ram){.readable = &dead->reach, .offset = facts->stage->physmap.base};
	err = note_pa ? vmcoreinfo_read(&left->ram, note_pa, kernel_pa, info, diag)
		      : vmcoreinfo_find(&left->ram, &dead->reach, kernel_pa, info, NULL, diag);
	dead->has_info = !err;
	if (!err)
		err = printk_open(&left->ram, info, &left->ring, diag);
	if (err)
		log_warn(facts->log, "%s", diag->text);
	return err;
}

/* Where the dead kernel's log goes as text: to the region, and its end to the console. */
struct last_words {
	struct log *log;
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
		log_info(words->log, "dead: %s", line);
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

void dead_last_words(const struct facts *facts, struct crash *crash, const struct dead_log *left)
{
	const struct region where = crash->region.dead_log;
	struct crash_text *text = where.size ? facts_at(facts, where.base) : NULL;
	struct last_words words = {.log = facts->log};
	size_t count = 0;

	if (text) {
		words.out = text->text;
		words.room = where.size - sizeof(*text);
	}
	printk_visit_last(&left->ring, UINT32_MAX, count_words, &count);
	words.skip = count > LAST_WORDS ? count - LAST_WORDS : 0;
	log_info(facts->log, "dead: %zu lines of log; the last %zu:", count, count - words.skip);
	printk_visit_last(&left->ring, UINT32_MAX, take_words, &words);
	if (!text)
		return;
	crash_text_finish(text, words.used);
	caches_write_back(&crash->caches, text, sizeof(*text) + words.used);
}

static void keep_last(const struct printk_record *record, void *context)
{
	*(uint64_t *)context = record->ts_nsec;
}

/* A kernel that hung in silence lived longer than its last line tells; confirming is for that. */
void dead_count(const struct facts *facts, struct crash *crash, const struct dead_log *left)
{
	struct crash_record *record = &crash->record;
	uint64_t lived_ns = BOOT_COUNT_NO_LOG;
	enum boot_count_verdict verdict;

	if (left)
		printk_visit_last(&left->ring, 1, keep_last, &lived_ns);
	verdict = boot_count_death(record, lived_ns);
	if (verdict == BOOT_COUNT_EARLY)
		log_warn(facts->log,
			 "crash: '%s' died %" PRIu64 " s after its start: %" PRIu32 " of %" PRIu32
			 " early deaths in a row",
			 record->boot_name, lived_ns / NSEC_PER_SEC, record->early_deaths,
			 record->boot_limit);
	else if (verdict == BOOT_COUNT_DEMOTED)
		log_warn(facts->log,
			 "crash: '%s' died %" PRIu64 " s after its start, the %" PRIu32
			 ". early death in a row: it is demoted",
			 record->boot_name, lived_ns / NSEC_PER_SEC, record->boot_limit);
}

enum printk_ending dead_ending_in(const struct facts *facts, struct crash *crash, struct region where)
{
	const struct region_set *ram = &crash->usable.ram;
	struct dead_log left = {.ram = {.readable = ram, .offset = facts->stage->physmap.base}};
	struct vmcoreinfo info;

	where = region_intersection(where, (struct region){0, facts->stage->physmap.limit});
	memmap_init(&crash->usable);
	if (memmap_add_ram(&crash->usable, where.base, where.size) ||
	    vmcoreinfo_find(&left.ram, ram, 0, &info, NULL, NULL) ||
	    printk_open(&left.ram, &info, &left.ring, NULL))
		return PRINTK_ENDING_CUT;
	return printk_ending(&left.ring, NULL, 0);
}
