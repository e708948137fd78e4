// SPDX-License-Identifier: BSD-2-Clause
/* Finds the crash region and its record before the stage moves into it. */
#include "boot/crash/region.h"

#include <inttypes.h>

#include "boot/crash/config.h"
#include "boot/crash/record.h"
#include "boot/load/trust.h"
#include "kexec/crash/retained.h"

#define OLD_REGION_PIECES 6 /* of free RAM, in whose ends a record is looked for */

/* The record of the region that we chose. Whatever is wrong with it means: none; but there must be RAM. */
static enum lb_err read_own_record(const struct facts *facts, struct stage *stage, struct crash *crash)
{
	const struct crash_region *region = &crash->region;
	struct crash_record *record = &crash->record;
	enum lb_err err = record_look(facts, stage, region->record, record);

	if (!err)
		err = retained_is_of(record, region->all, region->kept.size, &facts->log->diag);
	if (err && err != LB_ENOENT && err != LB_ERANGE)
		log_warn(facts->log, "%s: not used", facts->log->diag.text);
	if (err)
		*record = (struct crash_record){.state = CRASH_EMPTY};
	return err == LB_ERANGE ? err : LB_OK;
}

/* Does a region that is waiting end at the last boundary before @end, all of it in @piece? */
static bool find_record_at(const struct facts *facts, struct stage *stage, struct region piece, paddr_t end,
			   struct crash_record *record)
{
	struct region record_place;

	end = align_down(end, CRASH_REGION_ALIGN);
	if (end <= piece.base || end - piece.base < CRASH_REGION_MIN)
		return false;
	record_place = (struct region){end - CRASH_RECORD_SIZE, CRASH_RECORD_SIZE};
	return !record_look(facts, stage, record_place, record) && retained_waits_at(record, piece, end);
}

/*
 * The record then lies where crash_region_place() puts a region's end: at the end of a free piece of RAM or
 * at 4 GiB, the highest first.
 */
static bool find_old_record_in(const struct facts *facts, struct stage *stage, const struct region_set *free,
			       struct crash_record *record)
{
	/* Few: each view takes pages of the early tables. */
	for (size_t i = free->count; i-- > 0 && free->count - i <= OLD_REGION_PIECES;) {
		const struct region piece = free->region[i];

		if (find_record_at(facts, stage, piece, region_end(piece), record) ||
		    (region_end(piece) > 4 * GIB && find_record_at(facts, stage, piece, 4 * GIB, record)))
			return true;
	}
	return false;
}

/* Whoever owned the machine can have written a record anywhere, and what it names. */
static bool may_adopt(const struct facts *facts, const struct crash_record *record)
{
	if (!facts->trust->required)
		return true;
	log_warn(facts->log,
		 "crash: the record at %#" PRIx64
		 " is not believed: a key is required, and no signed crash configuration wants that region "
		 "(%" PRIu64 " MiB): no capture",
		 record->region_base + record->region_size - CRASH_RECORD_SIZE, record->region_size / MIB);
	return false;
}

enum lb_err region_adopt(const struct facts *facts, struct stage *stage, struct crash *crash)
{
	const struct region all = facts->hw->machine.crash_region;
	enum lb_err err;

	if (!crash_region_is_sound(all))
		return diag_fail(&facts->log->diag, LB_ERANGE,
				 "crash: the FDT has a crash region of an odd size");
	err = record_look(facts, stage, crash_region_layout(all, 0).record, &crash->record);
	if (err == LB_ENOENT)
		err = diag_fail(
			&facts->log->diag, LB_EFORMAT,
			"crash: there is no record in the crash region that the FDT has, at %#" PRIx64,
			all.base);
	if (!err)
		err = retained_is_of(&crash->record, all, crash->record.kept_room, &facts->log->diag);
	crash->lent = facts->hw->machine.crash_lent.size;
	if (!err)
		crash->region = crash_region_layout(all, crash->record.kept_room);
	else
		crash->record = (struct crash_record){.state = CRASH_EMPTY};
	return err;
}

static enum lb_err find_config(const struct facts *facts, struct crash *crash)
{
	const enum lb_err err = config_find(facts, &crash->config);

	crash->has_config = !err;
	crash->lent = !err && crash->config.lent;
	if (err) /* what holds for a region of an earlier boot */
		crash->config = (struct bundle_crash){.attempts = 1, .capture_unknown = true};
	return err;
}

/*
 * Make crash->usable, which is not needed before the crash kernel is planned, the free RAM of @map: with
 * @clear without what a firmware primary writes, with @pools without what the primary's kernel will place.
 */
static enum lb_err make_room(const struct facts *facts, const struct memmap *map, struct crash *crash,
			     bool clear, bool pools)
{
	const struct machine *machine = &facts->hw->machine;
	struct memmap *room = &crash->usable;

	*room = *map;
	for (size_t i = 0; pools && i < machine->pool_count && i < MACHINE_POOLS_MAX; i++) {
		if (pool_take(room, &machine->pool[i], true))
			continue; /* of this the primary's plan will tell */
	}
	if (!clear || !crash_region_keep_clear(&room->free, &machine->ram))
		return LB_OK;
	return diag_fail(&facts->log->diag, LB_ENOSPC, "crash: RAM is in too many pieces beside firmware");
}

/* If only what the kernel will place is in the way, then that must yield. */
static enum lb_err place_region(const struct facts *facts, const struct memmap *map, struct crash *crash)
{
	const struct crash_region_wish wish = {crash->config.region_size, crash->config.kept_size};
	enum lb_err err = LB_ENOSPC;

	for (int yields = 0; err == LB_ENOSPC && yields < 2; yields++) {
		err = make_room(facts, map, crash, crash->config.beside_firmware, !yields);
		if (!err)
			err = crash_region_place(&crash->usable.free,
						 region_set_size(&facts->hw->machine.ram), wish,
						 facts->stage->physmap.limit, &crash->region,
						 &facts->log->diag);
	}
	return err;
}

void region_map_without(const struct facts *facts, const struct memmap *map, struct crash *crash)
{
	const paddr_t loaded = facts->hw->entry.stage_pa;
	struct memmap *without = &crash->usable;

	*without = *map;
	/* What can't be given back, for want of entries, is not used. */
	(void)!memmap_release(without, crash->region.all.base, MEMMAP_CRASH);
	if (facts->stage->pa != loaded)
		(void)!memmap_release(without, loaded, MEMMAP_STAGE);
	discover_lost_release(without, facts->log);
}

/* Nothing of the region is used when something is wrong with it. */
static void forget(struct crash *crash)
{
	crash->has_config = false;
	crash->region_is_old = false;
	crash->can_arm = false;
	crash->region = (struct crash_region){.all = {0, 0}};
	crash->record = (struct crash_record){.state = CRASH_EMPTY};
}

void region_give_up(const struct facts *facts, struct memmap *map, struct crash *crash,
		    const struct diag *why)
{
	region_map_without(facts, map, crash);
	*map = crash->usable;
	forget(crash);
	log_warn(facts->log, "crash: no crash kernel: %s", why->text);
}

/* That bundle may have had firmware, and this one none; or the other way round. */
static bool find_old_record(const struct facts *facts, struct stage *stage, const struct memmap *map,
			    struct crash *crash, struct crash_record *record)
{
	for (int other = 0; other < 2; other++) {
		const bool clear = crash->config.beside_firmware != (other == 1);

		for (int yields = 0; yields < 2; yields++) {
			if (!make_room(facts, map, crash, clear, !yields) &&
			    find_old_record_in(facts, stage, &crash->usable.free, record))
				return true;
		}
	}
	return false;
}

/*
 * Where no record is expected a dead kernel may still be waiting with a staged crash kernel: the bundle was
 * damaged, or its crash configuration changed. If there is none our own record stays.
 * (Not inlined: a record is much for the frame of another.)
 */
__attribute__((noinline)) static bool adopt_old_region(const struct facts *facts, struct stage *stage,
						       const struct memmap *map, struct crash *crash)
{
	struct crash_record record;

	if (!find_old_record(facts, stage, map, crash, &record) || !may_adopt(facts, &record))
		return false;
	crash->record = record;
	crash->region = crash_region_layout((struct region){record.region_base, record.region_size},
					    record.kept_room);
	crash->region_is_old = true;
	return true;
}

/* The region that is waiting, or else the one that the crash configuration asks for. */
static enum lb_err choose_region(const struct facts *facts, struct stage *stage, const struct memmap *map,
				 struct crash *crash)
{
	enum lb_err err = find_config(facts, crash);
	struct diag why;

	if (facts->hw->machine.crash_region.size) /* by kexec -e */
		return region_adopt(facts, stage, crash);
	if (!err)
		err = place_region(facts, map, crash);
	if (!err)
		err = read_own_record(facts, stage, crash);
	why = facts->log->diag;
	if ((err || !retained_waits(&crash->record)) && adopt_old_region(facts, stage, map, crash))
		return LB_OK;
	facts->log->diag = why;
	return err;
}

void region_discover(const struct facts *facts, struct stage *stage, struct memmap *map, struct crash *crash)
{
	const struct crash_region *region = &crash->region;
	enum lb_err err = discover_lost(facts->hw, map, &facts->log->diag);

	if (!err)
		err = choose_region(facts, stage, map, crash);
	if (!err)
		err = memmap_take(map, region->all.base, region->all.size, MEMMAP_CRASH,
				  "not for the primary");
	if (err == LB_ENOENT) {
		discover_lost_release(map, facts->log);
		forget(crash);
		log_info(facts->log, "crash: no crash kernel: %s",
			 facts->source->err ? "there is no bundle" : "the bundle has no crash configuration");
	} else if (err) {
		region_give_up(facts, map, crash, &facts->log->diag);
	}
	if (err)
		return;
	log_info(facts->log,
		 "crash: region [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " MiB, record %s, attempts %" PRIu32
		 " of %" PRIu32,
		 region->all.base, region_end(region->all) - 1, region->all.size / MIB,
		 crash_state_name(crash->record.state), crash->record.attempts, crash->config.attempts);
}

bool region_suits(const struct crash *crash, const struct machine *primary, struct log *log)
{
	const struct region all = crash->region.all, own = primary->crash_region;
	const char *why = region_set_contains(&primary->ram, all.base, all.size) ? NULL : "no RAM";

	for (size_t i = 0; i < primary->reserved_count; i++) {
		const struct machine_reservation *r = &primary->reserved[i];

		if (!region_contains(own, r->range) &&
		    ranges_overlap(r->range.base, r->range.size, all.base, all.size))
			why = r->name;
	}
	if (why)
		log_warn(log,
			 "crash: not armed: in the FDT from the bundle the crash region at %#" PRIx64
			 " is %.48s: change that, or lifeboat,region-size",
			 all.base, why);
	return !why;
}
