// SPDX-License-Identifier: BSD-2-Clause
/* The crash way by kexec. Read kexec_exit() at the bottom first. */
#include "boot/crash/kexec.h"

#include <inttypes.h>

#include "boot/crash/config.h"
#include "boot/crash/dead.h"
#include "boot/crash/header.h"
#include "boot/crash/prepare.h"
#include "boot/crash/record.h"
#include "boot/crash/region.h"
#include "boot/load/load.h"
#include "boot/load/trust.h"

/* ---- Before the move ---- */

/* Does what the FDT says of usable memory fit the machine, and itself? */
static bool usable_is_sound(const struct hw *hw)
{
	const struct machine *m = &hw->machine;
	const struct region usable = m->usable_memory, fdt = {hw->entry.fdt_pa, hw->fdt_size};

	return region_set_contains(&m->ram, usable.base, usable.size) && region_contains(usable, fdt) &&
	       region_contains(usable, m->elfcorehdr) && is_aligned(m->elfcorehdr.base, sizeof(uint64_t));
}

enum lb_err kexec_enter(const struct hw *hw, struct crash *crash, struct log *log)
{
	const struct machine *m = &hw->machine;
	const struct region usable = m->usable_memory, stage = {hw->entry.stage_pa, stage_image_size()};

	if (!usable.size || !m->elfcorehdr.size)
		return LB_OK;
	if (!region_contains(usable, stage)) {
		log_warn(log, "kexec: the stage is outside linux,usable-memory-range: that is ignored");
		return LB_OK;
	}
	crash->way = WAY_KEXEC;
	log_info(log, "kexec: started by a dying kernel, in [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " MiB",
		 usable.base, region_end(usable) - 1, usable.size / MIB);
	if (!usable_is_sound(hw))
		return diag_fail(&log->diag, LB_ERANGE,
				 "kexec: usable memory is no RAM, or FDT or core header are not in it");
	return LB_OK;
}

static void read_notes(const struct facts *facts, struct stage *stage, struct elfcorehdr_request *core)
{
	const struct region where = facts->hw->machine.elfcorehdr;
	struct diag *diag = &facts->log->diag;
	const void *header = stage_early_view(stage, where.base, where.size, PTE_R | PTE_W, diag);

	if (!header || elfcorehdr_read_notes(header, where.size, core->note, &core->note_count, diag))
		log_warn(facts->log, "%s: the dump will have no registers", diag->text);
}

void kexec_discover(const struct facts *facts, struct stage *stage, struct crash *crash, struct dead *dead)
{
	read_notes(facts, stage, &dead->core);
	if (facts->hw->machine.crash_region.size && region_adopt(facts, stage, crash))
		log_warn(facts->log, "%s", facts->log->diag.text);
}

/* ---- After it ---- */

/* Keep the notes that are whole and in dead RAM. Return: where VMCOREINFO is; 0 if it is not there. */
static paddr_t check_notes(const struct facts *facts, struct dead *dead)
{
	struct elfcorehdr_request *core = &dead->core;
	const size_t named = core->note_count;
	paddr_t vmcoreinfo = 0;

	core->note_count = 0;
	for (size_t i = 0; i < named; i++) {
		const struct elfcorehdr_note note = core->note[i];
		const void *data = facts_at(facts, note.pa);

		if (!is_aligned(note.pa, sizeof(uint32_t)) ||
		    !region_set_contains(&dead->reach, note.pa, note.size) ||
		    !elfcorehdr_notes_end(data, note.size))
			continue;
		if (is_aligned(note.pa, PAGE_SIZE) && vmcoreinfo_is_note(data))
			vmcoreinfo = note.pa;
		core->note[core->note_count++] = note;
	}
	log_info(facts->log, "kexec: %zu of the %zu notes that its core header names are whole",
		 core->note_count, named);
	return vmcoreinfo;
}

static void meet_dead_kernel(const struct facts *facts, struct crash *crash, struct dead *dead)
{
	const paddr_t vmcoreinfo = check_notes(facts, dead);
	struct printk_told told;
	struct dead_log left;

	if (!dead_open(facts, crash, dead, vmcoreinfo, &left)) {
		log_info(facts->log, "kexec: Linux %s died", dead->info.release);
		told = printk_ending(&left.ring);
		dead_count(facts, crash, &left);
		dead_last_words(facts, crash, &left, &told);
	}
}

/* The crash configurations, or the others of a bundle that has none, its default first. */
static enum lb_err list_configs(const struct facts *facts, struct choices *choices)
{
	if (!config_list(facts, choices))
		return LB_OK;
	return choices_read(&facts->source->bundle, &facts->hw->machine, choices, &facts->log->diag);
}

static enum lb_err take_core_room(const struct facts *facts, struct memmap *map, struct region *room)
{
	enum lb_err err;

	room->size = CORE_HEADER_ROOM;
	err = region_set_find(&map->free, room->size, PAGE_SIZE, 0, facts->stage->physmap.limit,
			      REGION_HIGHEST, &room->base);
	if (!err)
		err = memmap_take(map, room->base, room->size, MEMMAP_CRASH, "core header");
	return err ? diag_fail(&facts->log->diag, err,
			       "kexec: no room for the core header: make crashkernel= larger")
		   : LB_OK;
}

/*
 * A crash kernel that is prepared stays so: if this one does not make it to an orderly end, the next boot, by
 * reset, tries that one.
 */
static enum lb_err note_attempt(const struct facts *facts, struct crash *crash)
{
	if (!crash->region.all.size)
		return LB_OK;
	crash->record.state = CRASH_CAPTURING;
	crash->record.crash_usable = facts->hw->machine.usable_memory;
	return record_write(facts, crash);
}

static enum lb_err load_config(const struct facts *facts, const struct memmap *map, const char *name,
			       struct region core, struct crash *crash, struct payload *kernel)
{
	enum lb_err err = load_read(facts, kernel, name);

	if (err)
		return err;
	prepare_wish(kernel, core, facts->hw->machine.usable_memory);
	kernel->rule.firmwares = FIRMWARES_IF_ALONE; /* those of kexec --command-line, or the dead kernel's */
	err = load_machine(facts, kernel, map);
	if (!err)
		err = load_plan(facts, kernel, false);
	if (err == LB_ENOSPC)
		log_warn(facts->log,
			 "kexec: %" PRIu64 " MiB are too few for this bundle: make crashkernel= larger",
			 facts->hw->machine.usable_memory.size / MIB);
	if (!err)
		err = note_attempt(facts, crash);
	return err ? err : load_carry_out(facts, kernel);
}

/* The first good one, as with primaries. */
static enum lb_err load_from_bundle(const struct facts *facts, struct memmap *map, struct crash *crash,
				    struct payload *kernel, struct dead *dead)
{
	struct region core = {0, 0};
	struct choices choices;
	enum lb_err err = list_configs(facts, &choices);

	if (!err)
		err = take_core_room(facts, map, &core);
	if (err)
		return err;
	for (size_t i = 0; i < choices.count; i++) {
		err = load_config(facts, map, choices.name[i], core, crash, kernel);
		if (!err)
			return core_header_write(facts, crash, dead, core);
		if (i + 1 < choices.count)
			log_warn(facts->log, "kexec: '" FIT_NAME "' is bad: %s", choices.name[i],
				 facts->log->diag.text);
	}
	return err;
}

static enum lb_err no_bundle(const struct source *source, struct diag *diag)
{
	if (source->err != LB_ENOENT) {
		*diag = source->why;
		return source->err;
	}
	return diag_fail(diag, LB_ENOENT, "kexec: no bundle (kexec -p lifeboat.bin --initrd=BUNDLE): %s",
			 source->why.text);
}

enum lb_err kexec_exit(const struct facts *facts, struct memmap *map, struct crash *crash,
		       struct payload *kernel, struct dead *dead, struct exit *exit)
{
	const struct source *source = facts->source;
	struct log *log = facts->log;
	enum lb_err err = source->err ? no_bundle(source, &log->diag) : LB_OK;

	dead_find_reach(facts->stage, dead);
	meet_dead_kernel(facts, crash, dead);
	if (!err)
		err = load_from_bundle(facts, map, crash, kernel, dead);
	if (!err)
		*exit = (struct exit){kernel->plan.entry, kernel->plan.fdt};
	if (!err || !crash->region.all.size)
		return err;
	if (source->err != LB_ENOENT)
		log_warn(log, "%s", log->diag.text);
	if (facts->trust->required || crash->lent)
		return diag_fail(
			&log->diag, err,
			"kexec: what is staged in the crash region was in the dead kernel's hands, and a key "
			"is required, or it is lent: the way by reset makes it anew");
	log_info(log, "kexec: starting the crash kernel that is staged in the crash region");
	return prepare_exit(facts, crash, kernel, dead, exit);
}
