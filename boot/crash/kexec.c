// SPDX-License-Identifier: BSD-2-Clause
/* The crash way by kexec. Read crash_kexec_prepare() at the bottom first. */
#include "boot/crash/kexec.h"

#include <inttypes.h>

#include "boot/crash/crash.h"
#include "boot/crash/dead.h"
#include "boot/load/payload.h"
#include "boot/stage.h"

/* ---- Before the move ---- */

/* All RAM but usable memory and what the FDT reserves: Linux kept off that, too, and some of it faults. */
static enum lb_err set_dead_ram(struct boot_context *ctx, struct region usable)
{
	struct region_set *dead = &ctx->crash.dead_ram;
	const struct machine *m = &ctx->machine;
	enum lb_err err;

	region_set_copy(dead, &m->ram);
	err = region_set_subtract(dead, usable.base, usable.size);
	for (size_t i = 0; !err && i < m->reserved_count; i++) {
		const struct region reserved = region_pages_around(m->reserved[i].range);

		err = region_set_subtract(dead, reserved.base, reserved.size);
	}
	return err;
}

enum lb_err crash_kexec_enter(struct boot_context *ctx)
{
	struct machine *m = &ctx->machine;
	const struct region usable = m->usable_memory;
	const struct region stage = {ctx->stage_pa, stage_image_size()};
	const struct region fdt = {ctx->entry.fdt_pa, ctx->fdt_size};
	enum lb_err err;

	if (!usable.size || !m->elfcorehdr.size)
		return LB_OK;
	if (!region_contains(usable, stage)) {
		log_warn(&ctx->log, "kexec: the stage is outside linux,usable-memory-range: that is ignored");
		return LB_OK;
	}
	ctx->crash.by_kexec = ctx->crash.capturing = true;
	ctx->crash.map_hash = crash_hash_ram(ctx);
	log_info(&ctx->log,
		 "kexec: started by a dying kernel, in [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " MiB",
		 usable.base, region_end(usable) - 1, usable.size / MIB);
	if (!region_set_contains(&m->ram, usable.base, usable.size) || !region_contains(usable, fdt) ||
	    !region_contains(usable, m->elfcorehdr) || !is_aligned(m->elfcorehdr.base, sizeof(uint64_t)))
		return diag_fail(&ctx->diag, LB_ERANGE,
				 "kexec: usable memory is no RAM, or FDT or core header are not in it");
	err = set_dead_ram(ctx, usable);
	region_set_clear(&m->ram);
	if (!err)
		err = region_set_add(&m->ram, usable.base, usable.size);
	return err ? diag_fail(&ctx->diag, err, "kexec: RAM is in too many pieces") : LB_OK;
}

static void read_notes(struct boot_context *ctx)
{
	const struct region where = ctx->machine.elfcorehdr;
	struct core_request *core = &ctx->crash.core;
	const void *header = stage_early_view(ctx, where.base, where.size, PTE_R | PTE_W);

	if (!header || elfcorehdr_read_notes(header, where.size, core->note, &core->note_count, &ctx->diag))
		log_warn(&ctx->log, "%s: the dump will have no registers", ctx->diag.text);
}

void crash_kexec_discover(struct boot_context *ctx)
{
	read_notes(ctx);
	if (ctx->machine.crash_region.size && crash_adopt_region(ctx))
		log_warn(&ctx->log, "%s", ctx->diag.text);
}

/* ---- After it ---- */

/* Keep the notes that are whole and in dead RAM. Return: where VMCOREINFO is; 0 if it is not there. */
static paddr_t check_notes(struct boot_context *ctx)
{
	struct core_request *core = &ctx->crash.core;
	const size_t named = core->note_count;
	paddr_t vmcoreinfo = 0;

	core->note_count = 0;
	for (size_t i = 0; i < named; i++) {
		const struct core_note note = core->note[i];
		const void *data = physmap_pointer(&ctx->physmap, note.pa);

		if (!is_aligned(note.pa, sizeof(uint32_t)) ||
		    !region_set_contains(&ctx->crash.dead_ram, note.pa, note.size) ||
		    !elfcorehdr_notes_end(data, note.size))
			continue;
		if (is_aligned(note.pa, PAGE_SIZE) && vmcoreinfo_is_note(data))
			vmcoreinfo = note.pa;
		core->note[core->note_count++] = note;
	}
	log_info(&ctx->log, "kexec: %zu of the %zu notes that its core header names are whole",
		 core->note_count, named);
	return vmcoreinfo;
}

static void meet_dead_kernel(struct boot_context *ctx)
{
	const paddr_t vmcoreinfo = check_notes(ctx);
	struct crash_dead dead;

	if (!crash_dead_open(ctx, vmcoreinfo, &dead)) {
		log_info(&ctx->log, "kexec: Linux %s died", ctx->crash.dead_info.release);
		crash_dead_count(ctx, &dead);
		crash_dead_last_words(ctx, &dead);
	}
}

/* The crash configuration, or the default one of a bundle that has none. */
static enum lb_err read_config(struct boot_context *ctx)
{
	const char *name = NULL;
	enum lb_err err = payload_reach(ctx);

	if (err)
		return err;
	if (!bundle_find_crash(&ctx->opened, &ctx->crash.config, &ctx->diag))
		name = ctx->crash.config.name;
	return payload_read(ctx, name);
}

static enum lb_err take_core_room(struct boot_context *ctx, struct region *room)
{
	enum lb_err err;

	room->size = CRASH_CORE_ROOM;
	err = region_set_find(&ctx->memmap.free, room->size, PAGE_SIZE, 0, ctx->physmap.limit, REGION_HIGHEST,
			      &room->base);
	if (!err)
		err = memmap_take(&ctx->memmap, room->base, room->size, MEMMAP_CRASH, "core header");
	return err ? diag_fail(&ctx->diag, err,
			       "kexec: no room for the core header: make crashkernel= larger")
		   : LB_OK;
}

/*
 * A staged crash kernel stays staged: if this one does not make it to an orderly end, the next boot, by reset, tries
 * that one.
 */
static enum lb_err note_attempt(struct boot_context *ctx)
{
	if (!ctx->crash.region.all.size)
		return LB_OK;
	ctx->crash.record.state = CRASH_CAPTURING;
	ctx->crash.record.crash_usable = ctx->machine.usable_memory;
	return crash_write_record(ctx);
}

static enum lb_err load_from_bundle(struct boot_context *ctx)
{
	struct region core = {0, 0};
	enum lb_err err = read_config(ctx);

	if (!err)
		err = take_core_room(ctx, &core);
	if (err)
		return err;
	/* Without bootargs of its own: those of kexec --command-line, or else the dead kernel's. */
	payload_set_bootargs(ctx, ctx->config.bootargs, ctx->config.bootargs ? "" : ctx->machine.bootargs);
	payload_drop_option(ctx, "crashkernel=");
	crash_wish(ctx, core, ctx->machine.usable_memory);
	err = payload_plan(ctx, &ctx->memmap);
	if (err == LB_ENOSPC)
		log_warn(&ctx->log,
			 "kexec: %" PRIu64 " MiB are too few for this bundle: make crashkernel= larger",
			 ctx->machine.usable_memory.size / MIB);
	if (!err)
		err = note_attempt(ctx);
	if (!err)
		err = payload_load(ctx);
	return err ? err : crash_write_core_header(ctx, core);
}

enum lb_err crash_kexec_prepare(struct boot_context *ctx)
{
	const bool staged = ctx->crash.region.all.size;
	enum lb_err err = LB_ENOENT;

	stage_allow_writes(ctx);
	meet_dead_kernel(ctx);
	if (ctx->bundle.size)
		err = load_from_bundle(ctx);
	else if (!staged)
		diag_fail(&ctx->diag, err, "kexec: no bundle (kexec -p lifeboat.bin --initrd=BUNDLE): %s",
			  ctx->bundle_diag.text);
	if (!err || !staged)
		return err;
	if (ctx->bundle.size)
		log_warn(&ctx->log, "%s", ctx->diag.text);
	log_info(&ctx->log, "kexec: starting the crash kernel that is staged in the crash region");
	return crash_prepare(ctx);
}
