// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one boot flow, from head.S's call to the handoff. Read start() at the bottom first.
 *
 * console -> FDT -> platform -> memory map -> bundle -> crash region -> move the stage -> judge the last end
 * -> the crash kernel, or: stage the crash kernel -> choose -> payload -> plan -> arm -> handoff
 * (Started by a dying kernel, by kexec, it has only usable memory, and nothing to judge.)
 */
#include "boot/start.h"

#include <inttypes.h>

#include "boot/choose/choose.h"
#include "boot/crash/crash.h"
#include "boot/crash/kexec.h"
#include "boot/discover.h"
#include "boot/load/trust.h"
#include "boot/machine/core.h"
#include "boot/machine/instret.h"
#include "boot/machine/sbi.h"
#include "boot/smp.h"
#include "boot/stage.h"
#include "boot/trap.h"
#include "kexec/leave/handoff.h"
#include "version.h"

#define MEMORY_LINES 14 /* of the memory map, at level info: the log shall fit a screen */

/* The one context. In bss, since it is too large for the stack; reached by argument only. */
static struct boot_context the_context;

extern uint64_t early_pool[EARLY_POOL_PAGES][PAGETABLE_ENTRIES];

_Noreturn void boot_halt(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void boot_fail(struct boot_context *ctx, const char *line)
{
	log_error(&ctx->log, "%s", line);
	/* A capture is counted, so this is no endless loop; the bundle's policy may want one. */
	if (ctx->crash.capturing || ctx->crash.boot_policy.reset_when_all_bad) {
		log_error(&ctx->log, "boot: resetting");
		sbi_reset(SBI_RESET_WARM);
		sbi_reset(SBI_RESET_COLD);
	}
	log_error(&ctx->log, "boot: nothing was started; shutting down");
	sbi_reset(SBI_RESET_SHUTDOWN);
	log_error(&ctx->log, "boot: the firmware can't switch off (no SBI SRST): reset the machine by hand");
	boot_halt();
}

/* Every step but the last either works or ends the boot with the line that it left in ctx->diag. */
static void require(struct boot_context *ctx, enum lb_err err)
{
	if (err)
		boot_fail(ctx, ctx->diag.text);
}

static void begin(struct boot_context *ctx, const struct boot_entry *entry)
{
	struct console console;
	uint64_t firmware_version, spec = sbi_spec_version();
	const char *firmware = sbi_implementation(&firmware_version);

	trap_set_context(ctx);
	ctx->entry = *entry;
	ctx->stage_pa = entry->stage_pa;
	console_init(&console, entry->stage_pa, entry->instret_usable);
	log_init(&ctx->log, &console);

	/* Take over the tables that head.S turned on, so that they can be added to. */
	ctx->core = hart_core();
	ctx->physmap = physmap_for_levels((unsigned)entry->early_levels);
	ctx->tables = (struct pagetable){
		.levels = (unsigned)entry->early_levels,
		.pool = early_pool,
		.pool_pa = entry->stage_pa + ((uintptr_t)early_pool - STAGE_VA),
		.pool_pages = EARLY_POOL_PAGES,
		.used_pages = (size_t)entry->early_pages,
		.attributes = ctx->core.attributes,
	};
	log_info(&ctx->log,
		 "boot: lifeboat " LIFEBOAT_VERSION " at %#" PRIx64 ", hart %" PRIu64 ", FDT at %#" PRIx64
		 ", %s %" PRIu64 ".%" PRIu64 " (SBI %" PRIu64 ".%" PRIu64 ")",
		 entry->stage_pa, entry->hart_id, entry->fdt_pa, firmware, firmware_version >> 16,
		 firmware_version & 0xffff, spec >> 24, spec & 0xffffff);
}

static void print_machine(struct boot_context *ctx)
{
	const struct machine *m = &ctx->machine;
	size_t enabled = 0;

	for (size_t i = 0; i < m->hart_count; i++)
		enabled += m->hart[i].enabled;
	log_info(&ctx->log, "machine: %s (platform %s), %zu of %zu harts enabled, %" PRIu64 " MiB of RAM",
		 m->compatible ? m->compatible : "without a name", ctx->platform->name, enabled,
		 m->hart_count, region_set_size(&m->ram) / MIB);
	if (!machine_find_hart(m, ctx->entry.hart_id))
		log_warn(&ctx->log, "machine: the FDT does not list hart %" PRIu64 ", on which we run",
			 ctx->entry.hart_id);
}

/* A line of the memory map; on a machine with many ranges all but the first are for lifeboat.log=debug. */
static enum log_level memory_level(size_t line)
{
	return line < MEMORY_LINES ? LOG_INFO : LOG_DEBUG;
}

void boot_print_memory(struct boot_context *ctx)
{
	const struct memmap *map = &ctx->memmap;
	size_t line = 0;

	for (size_t i = 0; i < map->ram.count; i++)
		log_line(&ctx->log, memory_level(line++), "memory: [%#" PRIx64 "..%#" PRIx64 "] RAM",
			 map->ram.region[i].base, region_end(map->ram.region[i]) - 1);
	for (size_t i = 0; i < map->taken_count; i++)
		log_line(&ctx->log, memory_level(line++), "memory: [%#" PRIx64 "..%#" PRIx64 "]   %s: %s",
			 map->taken[i].range.base, region_end(map->taken[i].range) - 1,
			 memmap_kind_name(map->taken[i].kind), map->taken[i].name);
	if (line > MEMORY_LINES && ctx->log.level < LOG_DEBUG)
		log_info(&ctx->log, "memory: and %zu more: see them with lifeboat.log=debug",
			 line - MEMORY_LINES);
}

static void print_stage(struct boot_context *ctx)
{
	log_info(&ctx->log, "stage: moved to %#" PRIx64 ", running in %s on %zu tables", ctx->stage_pa,
		 pagetable_mode_name(ctx->tables.levels), ctx->tables.used_pages);
}

static void print_cost(struct boot_context *ctx)
{
	const struct console *console = &ctx->log.console;
	uint64_t total = instret_read(console->instret_usable) - ctx->entry.instret;

	if (!console->instret_usable || !total) /* Linux stops the counter that it does not use. */
		return;
	log_info(&ctx->log,
		 "cost: %" PRIu64 " instructions of our own, %" PRIu64 " for %" PRIu64 " KiB copied, %" PRIu64
		 " for the console",
		 total - ctx->copy_instret - ctx->check_instret - ctx->signature_instret -
			 ctx->unpack_instret - console->instret,
		 ctx->copy_instret, ctx->copy_bytes / KIB, console->instret);
	if (ctx->check_bytes)
		log_info(&ctx->log, "cost: %" PRIu64 " instructions for %" PRIu64 " KiB checked",
			 ctx->check_instret, ctx->check_bytes / KIB);
	if (ctx->unpack_bytes)
		log_info(&ctx->log, "cost: %" PRIu64 " instructions for %" PRIu64 " KiB unpacked",
			 ctx->unpack_instret, ctx->unpack_bytes / KIB);
	if (ctx->signature_instret)
		log_info(&ctx->log, "cost: %" PRIu64 " instructions for signatures", ctx->signature_instret);
}

static _Noreturn void leave(struct boot_context *ctx)
{
	print_cost(ctx);
	log_info(&ctx->log, "handoff: to %#" PRIx64 " with a0 = %" PRIu64 ", a1 = %#" PRIx64, ctx->plan.entry,
		 ctx->entry.hart_id, ctx->plan.fdt);
	crash_save_log(ctx);
	smp_release(ctx, ctx->plan.fdt, ctx->plan.entry);
	handoff(ctx->entry.hart_id, ctx->plan.fdt, ctx->plan.entry);
}

/* Returns only if there is nothing to start: then a normal boot is the best that is left. */
static void start_crash_kernel(struct boot_context *ctx)
{
	enum lb_err err = crash_prepare(ctx);

	if (!err)
		leave(ctx);
	log_error(&ctx->log, "%s", ctx->diag.text);
	log_error(&ctx->log, "crash: the crash kernel can't be started; booting normally");
	ctx->crash.capturing = false;
}

static _Noreturn void start_primary(struct boot_context *ctx)
{
	stage_allow_writes(ctx);
	crash_arm(ctx);
	choose_primary(ctx);
	crash_arm_record(ctx);
	leave(ctx);
}

_Noreturn void start(const struct boot_entry *entry)
{
	struct boot_context *ctx = &the_context;
	enum lb_err bundle_err;

	begin(ctx, entry);
	require(ctx, discover_machine(ctx));
	print_machine(ctx);
	require(ctx, trust_find_keys(ctx));
	require(ctx, crash_kexec_enter(ctx));
	require(ctx, discover_memory(ctx));
	/* Without a bundle a dead kernel may still be waiting for the crash kernel that is staged. */
	bundle_err = discover_bundle(ctx);
	ctx->bundle_diag = ctx->diag;
	if (ctx->crash.by_kexec)
		crash_kexec_discover(ctx);
	else
		crash_discover(ctx);
	boot_print_memory(ctx);
	if (bundle_err && !ctx->crash.region.all.size && !ctx->crash.by_kexec)
		boot_fail(ctx, ctx->bundle_diag.text);

	require(ctx, stage_move(ctx));
	print_stage(ctx);
	smp_gather(ctx);

	if (ctx->crash.by_kexec) {
		require(ctx, crash_kexec_prepare(ctx));
		leave(ctx);
	}
	if (crash_judge(ctx))
		start_crash_kernel(ctx);
	if (bundle_err)
		boot_fail(ctx, ctx->bundle_diag.text);
	start_primary(ctx);
}
