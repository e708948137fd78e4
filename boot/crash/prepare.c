// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash kernel: put in place in usable memory while all is well, and made ready to be entered when it is
 * not.
 *
 * Everything that the crash kernel is given is made and checksummed when it is put in place, its FDT
 * included; what is left for the crash is the core header, which tells where the dead kernel's notes are. A
 * crash kernel that userspace loaded is a bundle until then, and comes first: find_kernel().
 */
#include "boot/crash/prepare.h"

#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"
#include "boot/crash/call.h"
#include "boot/crash/config.h"
#include "boot/crash/header.h"
#include "boot/crash/record.h"
#include "boot/load/load.h"
#include "boot/load/trust.h"
#include "kexec/crash/barred.h"

static uint32_t piece_checksum(const struct facts *facts, uint64_t pa, uint64_t size)
{
	const uint64_t begin = cost_begin(facts->cost);
	const uint32_t sum = checksum(facts_at(facts, pa), size);

	cost_end(facts->cost, COST_CHECK, begin, size);
	return sum;
}

static void set_piece(const struct facts *facts, struct crash *crash, struct crash_piece *piece, uint64_t pa,
		      uint64_t size)
{
	*piece = (struct crash_piece){.pa = pa, .size = size, .sum = piece_checksum(facts, pa, size)};
	caches_write_back(&crash->caches, facts_at(facts, pa), size);
}

void prepare_wish(struct payload *kernel, struct region core, struct region usable)
{
	kernel->rule = (struct bootargs_rule){
		.firmwares = FIRMWARES_NEVER,
		.is_barred = crash_is_barred,
		/* Its own death is counted, too. A default CMA area leaves no hole of 32 MiB beside it. */
		.needs = "panic=5 reboot=panic_warm nr_cpus=1 reset_devices cma=0",
		.why = "as a crash kernel needs",
	};
	kernel->wishes = (struct fdt_wishes){.elfcorehdr = core, .usable_memory = usable};
}

/* Usable memory as a machine of its own: the crash kernel is planned like any payload, but nowhere else. */
static enum lb_err map_usable(struct crash *crash)
{
	const struct region usable = crash->region.usable, core = core_header_room(crash);
	enum lb_err err;

	memmap_init(&crash->usable);
	err = memmap_add_ram(&crash->usable, usable.base, usable.size);
	if (!err)
		err = memmap_take(&crash->usable, core.base, core.size, MEMMAP_CRASH, "core header");
	return err;
}

/* A bundle may only reserve a region, for what userspace loads: was that refused, or is there none? */
static enum lb_err fail_without_kernel(const struct facts *facts, const struct crash *crash)
{
	const bool was_loaded = crash->record.kept.size, is_loaded = facts->source == &crash->kept;

	return diag_fail(&facts->log->diag, LB_ENOENT,
			 "crash: there is no %scrash kernel: the bundle only reserves a region%s",
			 was_loaded && !is_loaded ? "other " : "",
			 was_loaded ? "" : ", and userspace has loaded none");
}

static enum lb_err read_config(const struct facts *facts, const char *name, const struct crash *crash,
			       struct payload *kernel)
{
	struct diag *diag = &facts->log->diag;
	struct bundle_crash config;
	enum lb_err err = bundle_read_crash(&facts->source->bundle, name, &config, diag);

	if (!err && !config.has_kernel)
		err = fail_without_kernel(facts, crash);
	if (!err)
		err = load_look(facts, kernel, name);
	if (!err)
		err = trust_check(facts, kernel);
	return err ? err : bundle_check_crash(&kernel->config, diag);
}

/* The record has room for so many. What a compressed kernel is made of is known since it was planned. */
static enum lb_err check_segments(const struct payload *kernel, struct diag *diag)
{
	if (kernel->config.image.segment_count <= CRASH_IMAGE_SEGMENTS)
		return LB_OK;
	return diag_fail(diag, LB_EUNSUPPORTED, "crash: the crash kernel has more than %d segments",
			 CRASH_IMAGE_SEGMENTS);
}

/* What is in its place by now, with checksums. */
static void record_pieces(const struct facts *facts, struct crash *crash, const struct plan *plan)
{
	struct crash_record *record = &crash->record;
	const struct region core = core_header_room(crash);
	size_t next = CRASH_PIECE_IMAGE;

	crash_record_drop_pieces(record);
	record->piece[CRASH_PIECE_ELFCOREHDR] = (struct crash_piece){.pa = core.base, .size = core.size};
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];
		uint64_t size = item->zero_fill ? item->mem_size : item->file_size;

		if (item->dest == plan->fdt)
			set_piece(facts, crash, &record->piece[CRASH_PIECE_FDT], item->dest, item->mem_size);
		else if (item->dest == plan->initrd.base && plan->initrd.size)
			set_piece(facts, crash, &record->piece[CRASH_PIECE_INITRD], item->dest, size);
		else
			set_piece(facts, crash, &record->piece[next++], item->dest, size);
	}
	record->crash_entry = plan->entry;
}

static enum lb_err prepare_from(const struct facts *facts, const char *name, struct crash *crash,
				struct payload *kernel)
{
	enum lb_err err = read_config(facts, name, crash, kernel);

	if (!err)
		err = map_usable(crash);
	if (err)
		return err;
	prepare_wish(kernel, core_header_room(crash), crash->region.usable);
	err = load_machine(facts, kernel, &crash->usable);
	if (!err)
		err = load_plan(facts, kernel, true);
	if (!err)
		err = check_segments(kernel, &facts->log->diag);
	if (!err)
		err = load_carry_out(facts, kernel);
	if (!err)
		record_pieces(facts, crash, &kernel->plan);
	return err;
}

enum lb_err prepare(const struct facts *facts, struct crash *crash, struct payload *kernel)
{
	struct diag *diag = &facts->log->diag;
	struct choices choices;
	enum lb_err err;

	err = config_list(facts, &choices);
	if (err)
		return err;
	for (size_t i = 0; i < choices.count; i++) {
		err = prepare_from(facts, choices.name[i], crash, kernel);
		if (!err)
			break;
		if (i + 1 < choices.count)
			log_warn(facts->log, "crash: '" FIT_NAME "' is bad: %s", choices.name[i], diag->text);
	}
	return err;
}

/* Is it all there, as prepare() left it? */
static bool is_complete(const struct crash *crash)
{
	const struct region core = crash_record_piece(&crash->record, CRASH_PIECE_ELFCOREHDR);
	const struct region room = core_header_room(crash);

	return crash_record_has_kernel(&crash->record) && core.base == room.base && core.size == room.size;
}

static void warn_of_damage(const struct crash_record *record, paddr_t pa, struct log *log)
{
	const bool by_firmware = !record->kernel_size;

	log_warn(log,
		 "crash: the staged piece at %#" PRIx64 " is damaged%s%s%s: staging from the bundle again",
		 pa, by_firmware ? ", by the firmware of '" : "", by_firmware ? record->boot_name : "",
		 by_firmware ? "' or what it started" : "");
}

bool prepare_is_sound(const struct facts *facts, const struct crash *crash)
{
	const struct crash_record *record = &crash->record;

	for (size_t i = CRASH_PIECE_FDT; i < record->piece_count; i++) {
		const struct crash_piece *piece = &record->piece[i];

		if (piece->size && piece_checksum(facts, piece->pa, piece->size) != piece->sum) {
			warn_of_damage(record, piece->pa, facts->log);
			return false;
		}
	}
	return is_complete(crash);
}

/* Open what userspace loaded: whole, as its checksum says, and a bundle. */
static enum lb_err open_kept(const struct facts *facts, struct crash *crash)
{
	const struct crash_piece *piece = &crash->record.kept;
	struct source *kept = &crash->kept;

	*kept = (struct source){
		.where = {piece->pa, piece->size}, .from = "lifeboat-ctl load", .is_ram = true};
	if (piece_checksum(facts, piece->pa, piece->size) != piece->sum)
		return diag_fail(&facts->log->diag, LB_EFORMAT, "it is damaged");
	return bundle_open(facts_at(facts, piece->pa), piece->size, &kept->bundle, &facts->log->diag);
}

/* From userspace's bundle, as from any other. */
static enum lb_err prepare_kept(const struct facts *facts, struct crash *crash, struct payload *kernel)
{
	const struct crash_piece *piece = &crash->record.kept;
	struct facts from = *facts;
	enum lb_err err = open_kept(facts, crash);

	from.source = &crash->kept;
	log_info(facts->log, "crash: userspace loaded a crash kernel, %" PRIu64 " KiB at %#" PRIx64,
		 piece->size / KIB, piece->pa);
	if (!err)
		err = prepare(&from, crash, kernel);
	if (err)
		log_warn(facts->log, "crash: userspace's crash kernel is not used: %s",
			 facts->log->diag.text);
	return err;
}

/* Which crash kernel: userspace's; else firmware's, prepared or, if that was harmed, from its bundle. */
static enum lb_err find_kernel(const struct facts *facts, struct crash *crash, struct payload *kernel)
{
	enum lb_err err = crash->record.kept.size ? prepare_kept(facts, crash, kernel) : LB_ENOENT;

	if (err && !facts->trust->required && prepare_is_sound(facts, crash))
		return LB_OK;
	if (err && !crash->has_config)
		return diag_fail(&facts->log->diag, LB_ENOENT,
				 "crash: there is no crash configuration to stage from");
	if (err)
		err = prepare(facts, crash, kernel);
	return err ? err : record_write(facts, crash);
}

enum lb_err prepare_exit(const struct facts *facts, struct crash *crash, struct payload *kernel,
			 struct dead *dead, struct exit *exit)
{
	struct crash_record *record = &crash->record;
	enum lb_err err;

	record->state = CRASH_CAPTURING;
	record->attempts++;
	record->crash_usable = (struct region){0, 0};
	err = record_write(facts, crash);
	if (!err)
		err = find_kernel(facts, crash, kernel);
	if (!err && crash->way != WAY_KEXEC) /* kexec's core header names notes of its own */
		call_add_notes(facts, crash, &dead->core);
	if (!err)
		err = core_header_write(facts, crash, dead,
					crash_record_piece(record, CRASH_PIECE_ELFCOREHDR));
	if (!err)
		*exit = (struct exit){record->crash_entry, crash_record_piece(record, CRASH_PIECE_FDT).base};
	return err;
}
