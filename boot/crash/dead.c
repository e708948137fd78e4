// SPDX-License-Identifier: BSD-2-Clause
/* What a dead kernel left in its RAM: its description of itself, and its last words. */
#include "boot/crash/dead.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kexec/crash/deaths.h"
#include "kexec/crash/lost.h"
#include "kexec/crash/text.h"
#include "kexec/dead/find.h"
#include "kexec/dead/owned.h"

#define TOO_MANY "crash: RAM is in too many pieces: "
#define LEFT_OUT " is left out of the dump"

#define NSEC_PER_SEC UINT64_C(1000000000)

/*
 * Of the dead kernel's log on the console: the last, and, where it is not among them, around the telling
 * one.
 */
#define LAST_WORDS  20
#define TOLD_BEFORE 4
#define TOLD_AFTER  15

/* ---- What it owned ---- */

/* What there is no entry for is given up, and said. */
static void take_off(struct region_set *ram, struct region taken, struct log *log)
{
	const struct region given_up = owned_take_off(ram, taken);

	if (given_up.size)
		log_warn(log, TOO_MANY "[%#" PRIx64 "..%#" PRIx64 "]" LEFT_OUT, given_up.base,
			 region_end(given_up) - 1);
}

/* Did the FDT keep it from the kernel itself, and not only from who asks the kernel for memory? */
static bool is_kept_off(const struct hw *hw, const struct machine_reservation *reservation)
{
	return reservation->no_map || discover_is_firmware(hw, reservation) ||
	       !strncmp(reservation->name, LOST_NODE, sizeof(LOST_NODE) - 1);
}

/* All RAM but what the FDT keeps off, in whole pages. As many pieces as the machine has: they fit. */
static void take_all_ram(const struct hw *hw, struct region_set *ram, struct log *log)
{
	const struct machine *machine = &hw->machine;

	region_set_clear(ram);
	for (size_t i = 0; i < machine->ram.count; i++) {
		const struct region pages = region_pages_inside(machine->ram.region[i]);

		(void)!region_set_add(ram, pages.base, pages.size);
	}
	for (size_t i = 0; i < machine->reserved_count; i++) {
		if (is_kept_off(hw, &machine->reserved[i]))
			take_off(ram, machine->reserved[i].range, log);
	}
}

static void take_off_lost(const struct crash_record *record, struct region_set *ram, struct log *log)
{
	for (size_t i = 0; i < record->lost_count; i++)
		take_off(ram, record->lost[i], log);
}

void dead_find_ram(const struct facts *facts, const struct memmap *map, const struct crash *crash,
		   struct dead *dead)
{
	const struct machine *machine = &facts->hw->machine;

	take_all_ram(facts->hw, &dead->ram, facts->log);
	if (crash->way == WAY_KEXEC) /* this run's takings are all in there */
		take_off(&dead->ram, machine->usable_memory, facts->log);
	for (size_t i = 0; crash->way != WAY_KEXEC && i < map->taken_count; i++) {
		if (map->taken[i].kind != MEMMAP_RESERVED)
			take_off(&dead->ram, map->taken[i].range, facts->log);
	}
	take_off_lost(&crash->record, &dead->ram, facts->log);
	if (!owned_beside(&dead->ram, &map->free, &dead->beside))
		return;
	log_warn(facts->log, TOO_MANY "what is reserved" LEFT_OUT);
	region_set_copy(&dead->ram, &map->free);
	take_off_lost(&crash->record, &dead->ram, facts->log);
}

/* ---- What it said ---- */

static struct vmcoreinfo_home home_of(const struct facts *facts, struct region kernel)
{
	return (struct vmcoreinfo_home){.kernel = kernel, .ram_base = facts->hw->machine.ram.region[0].base};
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
	const struct crash_record *record = &crash->record;
	const struct vmcoreinfo_home home =
		home_of(facts, (struct region){record->kernel_pa, record->kernel_size});
	struct vmcoreinfo *info = &dead->info;
	struct diag *diag = &facts->log->diag;
	enum lb_err err;

	left->ram = (struct ram){.readable = &dead->reach, .offset = facts->stage->physmap.base};
	err = note_pa ? vmcoreinfo_read(&left->ram, note_pa, &home, info, diag)
		      : vmcoreinfo_find(&left->ram, &dead->reach, &home, info, NULL, diag);
	dead->has_info = !err;
	if (!err)
		err = printk_open(&left->ram, info, &left->ring, diag);
	if (err)
		log_warn(facts->log, "%s", diag->text);
	return err;
}

static void keep_log(const struct facts *facts, struct crash *crash, const struct dead_log *left)
{
	const struct region where = crash->region.dead_log;
	struct crash_text *text;

	if (!where.size)
		return;
	text = facts_at(facts, where.base);
	crash_text_finish(text, printk_text(&left->ring, text->text, where.size - sizeof(*text)));
	caches_write_back(&crash->caches, text, where.size);
}

/* Which records the console sees: some around the telling one, and the last. */
struct last_words {
	struct log *log;
	uint64_t told_seq;
	size_t at, told, count;
};

static void count_words(const struct printk_record *record, void *context)
{
	struct last_words *words = context;

	if (record->seq == words->told_seq)
		words->told = words->count;
	words->count++;
}

static void say_words(const struct printk_record *record, void *context)
{
	struct last_words *words = context;
	const size_t at = words->at++;
	struct printk_record rest = *record, piece;

	if (at + LAST_WORDS < words->count &&
	    (at + TOLD_BEFORE < words->told || at > words->told + TOLD_AFTER))
		return;
	while (printk_next_line(&rest, &piece))
		log_info(words->log, "dead: [%5" PRIu64 ".%06u] %.*s", piece.ts_nsec / NSEC_PER_SEC,
			 (unsigned)(piece.ts_nsec / 1000 % 1000000), (int)piece.length, piece.text);
}

void dead_last_words(const struct facts *facts, struct crash *crash, const struct dead_log *left,
		     const struct printk_told *told)
{
	struct last_words words = {
		.log = facts->log,
		.told_seq = told->ending == PRINTK_ENDING_CUT ? UINT64_MAX : told->record.seq,
	};
	size_t last = LAST_WORDS;

	printk_visit_last(&left->ring, UINT32_MAX, count_words, &words);
	if (words.told_seq == UINT64_MAX)
		words.told = words.count;
	if (last > words.count)
		last = words.count;
	log_info(facts->log, "dead: %zu lines of log; the last %zu%s:", words.count, last,
		 words.told + last < words.count ? ", behind those that tell of its end" : "");
	printk_visit_last(&left->ring, UINT32_MAX, say_words, &words);
	keep_log(facts, crash, left);
}

/* What Linux says of a pool that it lends out; userspace can't say it as the kernel. */
struct pool_line {
	char text[64];
	size_t length;
	bool is_said;
};

static void seek_pool(const struct printk_record *record, void *context)
{
	struct pool_line *line = context;

	for (size_t at = 0; !record->facility && at + line->length <= record->length; at++)
		line->is_said |= !memcmp(record->text + at, line->text, line->length);
}

void dead_check_lent(const struct facts *facts, const struct crash *crash, const struct dead_log *left)
{
	struct pool_line line;

	line.length =
		(size_t)snprintf(line.text, sizeof(line.text), "created CMA memory pool at 0x%016" PRIx64 ",",
				 crash->region.usable.base);
	line.is_said = false;
	printk_visit_last(&left->ring, UINT32_MAX, seek_pool, &line);
	if (!line.is_said)
		log_warn(facts->log,
			 "crash: its log does not say that what was lent to it is CMA: the dump may lack "
			 "pages of the kernel");
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
	const struct vmcoreinfo_home home =
		home_of(facts, crash_record_piece(&crash->record, CRASH_PIECE_IMAGE));
	struct vmcoreinfo info;

	where = region_intersection(where, (struct region){0, facts->stage->physmap.limit});
	memmap_init(&crash->usable);
	if (memmap_add_ram(&crash->usable, where.base, where.size) ||
	    vmcoreinfo_find(&left.ram, ram, &home, &info, NULL, NULL) || !info.anchored ||
	    printk_open(&left.ram, &info, &left.ring, NULL))
		return PRINTK_ENDING_CUT;
	return printk_ending(&left.ring).ending;
}
