// SPDX-License-Identifier: BSD-2-Clause
/* Arming: what is done on a normal boot, so that the primary's death leads to the crash kernel. */
#include "boot/crash/arm.h"

#include <inttypes.h>
#include <string.h>

#include "boot/crash/call.h"
#include "boot/crash/dead.h"
#include "boot/crash/prepare.h"
#include "boot/crash/record.h"
#include "boot/machine/sbi.h"
#include "kexec/crash/deaths.h"
#include "kexec/crash/lost.h"

#define REGION_NODE "lifeboat-crash"

#define BOOTI_OFFSET (2 * MIB)
#define BOOTI_ROOM \
	(60 * MIB) /* for the kernel; U-Boot loads files to 64 MiB above the start of RAM, and on */

static void add_reservation(struct crash *crash, struct fdt_reservation reservation)
{
	crash->reservation[crash->reservation_count++] = reservation;
}

/*
 * U-Boot's booti puts Linux 2 MiB above the start of RAM, whatever is reserved there. Where the stage is
 * loaded over it again, the reset harms it, first its header, by which its note is known to be its own.
 */
static void warn_of_booti(const struct facts *facts)
{
	const struct region_set *ram = &facts->hw->machine.ram;
	const paddr_t stage = facts->hw->entry.stage_pa;

	for (size_t i = 0; i < ram->count; i++) {
		const paddr_t booti = ram->region[i].base + BOOTI_OFFSET;

		if (stage >= booti && stage - booti < BOOTI_ROOM)
			log_warn(facts->log,
				 "crash: U-Boot's booti puts Linux at %#" PRIx64
				 ", and a reset the stage on it: load the stage elsewhere, at %#" PRIx64
				 " say, or that is not in the dump",
				 booti, booti + BOOTI_ROOM);
	}
}

/* What is lent is Linux' for pages that it can move, but not for its own: a pool for CMA, and nobody's. */
static void reserve_region(const struct facts *facts, struct crash *crash)
{
	const struct region lent = crash->region.usable;
	struct region own = crash->region.all;

	if (crash->lent) {
		own = (struct region){region_end(lent), own.size - lent.size};
		log_info(facts->log, "crash: lent to the primary: %" PRIu64 " MiB, in no dump",
			 lent.size / MIB);
		add_reservation(crash, (struct fdt_reservation){.name = FDT_CRASH_LENT,
								.compatible = "shared-dma-pool",
								.range = lent,
								.reusable = true});
	}
	add_reservation(crash, (struct fdt_reservation){.name = REGION_NODE,
							.compatible = FDT_CRASH_REGION,
							.range = own,
							.no_map = true,
							.call = crash->region.call});
}

/*
 * Lost memory goes into the record for the next life, and into the primary's FDT for this one. It stays in
 * the linear map: a hole there would split "System RAM", and kexec-tools 2.0.32 then takes a place outside of
 * crashkernel=. (Firmware finds all of it no-map: choose.c.)
 */
static enum lb_err reserve_all(const struct facts *facts, const struct memmap *map, struct crash *crash)
{
	struct crash_record *record = &crash->record;

	crash->reservation_count = 0;
	reserve_region(facts, crash);
	/* After kexec -e they are in the record, and in the FDT. */
	if (facts->hw->machine.crash_region.size)
		return LB_OK;
	record->lost_count = 0;
	for (size_t i = 0; i < map->taken_count; i++) {
		const struct memmap_taken *taken = &map->taken[i];
		struct region lost = region_pages_around(taken->range);

		if (!crash_is_lost(taken, crash->region.all))
			continue;
		if (record->lost_count == CRASH_LOST_MAX)
			return diag_fail(&facts->log->diag, LB_ENOSPC,
					 "crash: more than %d ranges are lost on a reset", CRASH_LOST_MAX);
		log_info(facts->log,
			 "crash: lost on a reset: [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s (%s)",
			 lost.base, region_end(lost) - 1, lost.size / KIB, memmap_kind_name(taken->kind),
			 taken->name);
		record->lost[record->lost_count++] = lost;
		add_reservation(crash, (struct fdt_reservation){.name = LOST_NODE, .range = lost});
	}
	return LB_OK;
}

/* The notes of kernels that are gone must not be taken for the next one's. Nobody looks out of reach. */
static size_t wipe_notes(const struct facts *facts, struct region range)
{
	const struct region in_reach = {0, facts->stage->physmap.limit};
	size_t wiped = 0;
	const char *page;
	char *start;

	range = region_pages_inside(region_intersection(range, in_reach));
	start = facts_at(facts, range.base);
	page = start;
	while ((page = vmcoreinfo_next_note(page, start + range.size)) != start + range.size) {
		memset(start + (page - start), 0, sizeof(uint64_t));
		wiped++;
	}
	return wiped;
}

static void wipe_all_notes(const struct facts *facts, const struct memmap *map, const struct crash *crash,
			   const struct dead *dead)
{
	size_t wiped = wipe_notes(facts, crash->region.usable);

	for (size_t i = 0; i < map->free.count; i++)
		wiped += wipe_notes(facts, map->free.region[i]);
	for (size_t i = 0; i < dead->beside.count; i++)
		wiped += wipe_notes(facts, dead->beside.region[i]);
	if (wiped)
		log_debug(facts->log, "crash: wiped %zu notes of former kernels", wiped);
}

/*
 * The region of an earlier boot waits no longer. Where the bundle of this boot wants another one, the stage
 * must not stand in the old one: a reset with an empty record lays everything out anew, once.
 */
static void leave_old_region(const struct facts *facts, struct crash *crash)
{
	crash->record.state = CRASH_EMPTY;
	if (record_write_twice(facts, crash)) {
		log_warn(facts->log, "%s", facts->log->diag.text);
		return;
	}
	if (!crash->has_config) {
		log_info(facts->log, "crash: no crash configuration any more: the old region is given up");
		return;
	}
	log_info(facts->log, "crash: the bundle wants another crash region: resetting once to make it");
	sbi_restart();
	log_warn(facts->log, "crash: the firmware can't reset: the old region is used once more");
}

/* After kexec -e what is staged stays staged, unless the new bundle brings another crash kernel. */
static bool keeps_prepared(const struct facts *facts, const struct crash *crash)
{
	const struct crash_record *record = &crash->record;

	return facts->hw->machine.crash_region.size && !crash->has_config &&
	       (record->crash_entry || record->kept_room) &&
	       (record->state == CRASH_ARMED || record->state == CRASH_DISARMED);
}

/* The record of a region in which nothing is loaded; what the boot counter knows stays. */
static void begin_record(const struct facts *facts, struct crash *crash, bool was_capturing, bool keep)
{
	struct crash_record *record = &crash->record;

	record->state = was_capturing ? CRASH_DONE : CRASH_EMPTY;
	record->attempts = 0;
	record->boots = 0;
	record->region_base = crash->region.all.base;
	record->region_size = crash->region.all.size;
	record->map_hash = crash_hash_ram(&facts->hw->machine.ram);
	record->crash_usable = (struct region){0, 0};
	record->kept_room = crash->region.kept.size;
	if (!keep)
		record->kept = (struct crash_piece){.size = 0};
}

/* Where userspace may load a crash kernel the bundle need not have one, or a good one. */
static enum lb_err prepare_if_any(const struct facts *facts, struct crash *crash, struct payload *kernel)
{
	enum lb_err err = crash->lent ? LB_ENOENT : prepare(facts, crash, kernel);

	if (!err || !crash->region.kept.size)
		return err;
	if (crash->config.has_kernel)
		log_warn(facts->log, "crash: no crash kernel is staged: %s", facts->log->diag.text);
	crash_record_drop_pieces(&crash->record);
	crash->record.crash_entry = 0;
	return LB_OK;
}

void arm_prepare(const struct facts *facts, const struct memmap *map, struct crash *crash,
		 const struct dead *dead, struct payload *kernel)
{
	const bool was_capturing = crash->record.state == CRASH_CAPTURING;
	const bool keep = keeps_prepared(facts, crash);
	enum lb_err err;

	if (crash->region_is_old)
		leave_old_region(facts, crash);
	if (!(crash->has_config || keep) || !crash->region.all.size)
		return;
	if (crash->config.beside_firmware)
		warn_of_booti(facts);
	begin_record(facts, crash, was_capturing, keep);
	/*
	 * Twice: if RAM forgets one slot, the other must not tell of the last life, whose log is wiped now.
	 */
	err = record_write_twice(facts, crash);
	wipe_all_notes(facts, map, crash, dead);
	call_wipe(facts, crash);
	if (!err)
		err = reserve_all(facts, map, crash);
	if (!err && !keep)
		err = prepare_if_any(facts, crash, kernel);
	if (err)
		log_warn(facts->log, "crash: no crash kernel is staged: %s", facts->log->diag.text);
	crash->record.state = err ? CRASH_EMPTY : CRASH_ARMED;
	crash->can_arm = !err;
}

uint32_t arm_find_demoted(const struct facts *facts, struct crash *crash, const struct choices *choices,
			  const struct boot_start *start)
{
	uint32_t demoted;

	demoted = boot_count_demoted(&crash->record, start->bundle_id, start->limit, choices->count);
	for (size_t i = 0; i < choices->count; i++) {
		if (demoted >> i & 1)
			log_warn(facts->log, "choose: '" FIT_NAME "' died early too often: it comes last",
				 choices->name[i]);
	}
	return demoted;
}

/* Where firmware writes again the primary is kept off; but behind kexec -e that is its own, as all RAM is. */
static enum lb_err find_owned(const struct facts *facts, const struct memmap *map, struct crash *crash)
{
	crash->usable = *map;
	if (!facts->hw->machine.crash_region.size)
		return LB_OK;
	return crash_release_lost(&crash->usable, crash->region.all);
}

static void say_armed(const struct facts *facts, const struct crash *crash)
{
	const uint64_t room = crash->region.kept.size;

	if (crash->record.crash_entry || crash->record.kept.size)
		log_info(facts->log, "crash: armed: a reset that is not orderly starts the crash kernel");
	else
		log_info(facts->log,
			 "crash: armed, nothing loaded: lifeboat-ctl load has room for %" PRIu64 " MiB",
			 room / MIB);
}

/* Last of all before the primary starts: from here on a reset that is not orderly is a crash. */
void arm_record(const struct facts *facts, const struct memmap *map, struct crash *crash,
		const struct chosen *chosen, struct dead *dead)
{
	struct crash_record *record = &crash->record;

	boot_count_start(record, &chosen->start);
	record->kernel_pa = chosen->kernel.base;
	record->kernel_size = chosen->kernel.size;
	if (record_write_twice(facts, crash)) {
		log_warn(facts->log, "%s", facts->log->diag.text);
		return;
	}
	say_armed(facts, crash);
	if (find_owned(facts, map, crash)) {
		log_warn(facts->log, "crash: RAM is in too many pieces for a call");
		return;
	}
	dead_find_ram(facts, &crash->usable, crash, dead); /* the primary's, should it die */
	call_arm(facts, crash, &dead->ram, &dead->core);
}
