// SPDX-License-Identifier: BSD-2-Clause
/* How did the last kernel end, and is that a crash to capture? */
#include "boot/crash/judge.h"

#include <inttypes.h>

#include "boot/crash/call.h"
#include "boot/crash/dead.h"
#include "boot/crash/prepare.h"
#include "boot/crash/record.h"
#include "kexec/crash/retained.h"
#include "kexec/image/image.h"

#define JUDGE_SPARE 2 /* boots that may be cut short by a reset, beyond those that start a crash kernel */

/* There is no log to judge by, or none to believe. */
static bool judge_unknown(const struct facts *facts, const struct crash *crash, const char *why)
{
	log_info(facts->log, "crash: %s: lifeboat,unknown-end says %s", why,
		 crash->config.capture_unknown ? "capture" : "boot");
	return crash->config.capture_unknown;
}

static bool is_linux(const struct facts *facts, const struct crash *crash, const struct dead *dead)
{
	return retained_has_kernel(&crash->record, &dead->reach) &&
	       image_is_linux(facts_at(facts, crash->record.kernel_pa), IMAGE_LINUX_HEADER);
}

/* A primary without a log: too early for one, or no Linux, as a bootloader that resets the machine itself. */
static bool judge_silent(const struct facts *facts, struct crash *crash, const struct dead *dead, bool called)
{
	if (!called && !call_has_started(facts, crash)) {
		log_info(facts->log, "crash: the reset came before any kernel was started: no crash");
		return false;
	}
	if (called || crash->config.capture_unknown)
		dead_count(facts, crash, NULL);
	if (called)
		return true;
	if (is_linux(facts, crash, dead))
		return judge_unknown(facts, crash, "no log of the last kernel can be read");
	return judge_unknown(facts, crash,
			     "no log of a Linux can be read; a bootloader's own reset looks the same");
}

static void log_ending(const struct facts *facts, const struct dead *dead, const struct printk_told *told)
{
	const bool silent = told->ending == PRINTK_ENDING_CUT;

	log_info(facts->log, "crash: Linux %s ended by %s%s%.*s", dead->info.release,
		 printk_ending_name(told->ending), silent ? "" : ": ", silent ? 0 : (int)told->record.length,
		 silent ? "" : told->record.text);
	if (!dead->info.anchored)
		log_warn(facts->log,
			 "crash: that is a last resort: its note at %#" PRIx64
			 " can't be shown to be the kernel's, any process can write one",
			 dead->info.note.base);
}

/* A primary ran and the machine was reset. Did the primary mean it? */
static bool judge_armed(const struct facts *facts, struct crash *crash, struct dead *dead)
{
	const bool called = call_was_made(facts, crash);
	struct printk_told told;
	struct dead_log left;

	if (called) {
		crash->way = WAY_CALL;
		log_info(facts->log, "crash: the last system called for the crash kernel");
	}
	if (dead_open(facts, crash, dead, 0, &left))
		return judge_silent(facts, crash, dead, called);
	told = printk_ending(&left.ring);
	log_ending(facts, dead, &told);
	if (printk_ending_is_orderly(told.ending) && !called &&
	    (dead->info.anchored || !judge_unknown(facts, crash, "so a good end is not believed")))
		return false;
	if (crash->lent)
		dead_check_lent(facts, crash, &left);
	dead_count(facts, crash, &left);
	dead_last_words(facts, crash, &left, &told);
	return true;
}

/* A crash kernel ran and the machine was reset. Does it get another try? */
static bool judge_capturing(const struct facts *facts, const struct memmap *map, struct crash *crash,
			    struct dead *dead)
{
	/* Usable memory of the crash region, or of kexec's. */
	const struct region where = retained_last_usable(&crash->record, &map->free, crash->region.usable);
	const enum printk_ending ending = dead_ending_in(facts, crash, where);
	struct dead_log left;

	if (printk_ending_is_orderly(ending)) {
		log_info(facts->log, "crash: the crash kernel ended in good order (%s): the capture is done",
			 printk_ending_name(ending));
		return false;
	}
	if (crash->record.attempts >= crash->config.attempts) {
		log_warn(facts->log,
			 "crash: the crash kernel died, too (%" PRIu32 " tries): given up, booting normally",
			 crash->record.attempts);
		return false;
	}
	log_warn(facts->log, "crash: the crash kernel died, too: another try");
	if (dead_open(facts, crash, dead, 0, &left))
		log_warn(facts->log, "crash: the dump will have no notes");
	return true;
}

/*
 * What a dead kernel left is about to be read. Count that in the record first: whatever goes wrong from here
 * on resets the machine (boot_fail), and must not do so for ever.
 */
static bool begin_judging(const struct facts *facts, struct crash *crash)
{
	struct crash_record *record = &crash->record;

	if (record->boots >= crash->config.attempts + (uint64_t)JUDGE_SPARE) {
		log_warn(facts->log,
			 "crash: %" PRIu64
			 " boots with this record came to no end: given up, booting normally",
			 record->boots);
		return false;
	}
	record->boots++;
	if (record_write(facts, crash)) {
		log_warn(facts->log, "%s", facts->log->diag.text);
		return false;
	}
	crash->way = WAY_RESET;
	return true;
}

/* Is there a record to judge at all? */
static bool is_to_be_judged(const struct facts *facts, struct crash *crash)
{
	if (facts->hw->machine.crash_region.size) {
		log_info(facts->log, "crash: started by kexec -e, as the FDT shows: an orderly boot");
		call_wipe(facts, crash); /* The resident stage is another one now: its entry is elsewhere. */
		return false;
	}
	if (crash->record.state == CRASH_DISARMED)
		log_info(facts->log, "crash: userspace disarmed the record: an orderly boot");
	return retained_waits(&crash->record);
}

bool judge(const struct facts *facts, const struct memmap *map, struct crash *crash, struct dead *dead)
{
	bool died;

	if (!crash->region.all.size || !is_to_be_judged(facts, crash))
		return false;
	dead_find_reach(facts->stage, dead);
	if (!begin_judging(facts, crash))
		return false;
	died = crash->record.state == CRASH_ARMED ? judge_armed(facts, crash, dead)
						  : judge_capturing(facts, map, crash, dead);
	if (died)
		return true;
	crash->way = WAY_BOOT;
	/* Firmware may not keep off the region: then this says so. (A crash kernel has changed its own.) */
	if (crash->record.state == CRASH_ARMED && !crash->record.kernel_size)
		(void)prepare_is_sound(facts, crash);
	return false;
}
