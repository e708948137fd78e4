// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one boot flow, from head.S's call to the handoff. Read start() at the bottom first.
 *
 * console -> FDT -> platform -> memory map -> bundle -> crash region -> move the stage -> judge the last end
 * -> the crash kernel, or: put the crash kernel in its place -> choose -> load -> arm -> handoff
 * (Started by a dying kernel, by kexec, it has only usable memory, and nothing to judge.)
 */
#include "boot/start.h"

#include <inttypes.h>

#include "boot/choose/choose.h"
#include "boot/crash/crash.h"
#include "boot/end.h"
#include "boot/machine/core.h"
#include "boot/report.h"
#include "boot/smp.h"
#include "boot/trap.h"
#include "kexec/leave/handoff.h"

/* The one context. In bss, since it is too large for the stack; reached by argument only. */
static struct boot_context the_context;

extern uint64_t early_pool[EARLY_POOL_PAGES][PAGETABLE_ENTRIES];

/* A step that either works or ends the boot with the line that it left. */
static void require(struct boot_context *ctx, enum lb_err err)
{
	if (err)
		boot_fail(ctx, ctx->log.diag.text);
}

/* Take over the tables that head.S turned on, so that they can be added to. */
static void adopt_early_tables(struct stage *stage, const struct boot_entry *entry,
			       struct pte_attributes attributes)
{
	stage->pa = entry->stage_pa;
	stage->physmap = physmap_for_levels((unsigned)entry->early_levels);
	stage->tables = (struct pagetable){
		.levels = (unsigned)entry->early_levels,
		.pool = early_pool,
		.pool_pa = entry->stage_pa + ((uintptr_t)early_pool - STAGE_VA),
		.pool_pages = EARLY_POOL_PAGES,
		.used_pages = (size_t)entry->early_pages,
		.attributes = attributes,
	};
}

static void begin(struct boot_context *ctx, const struct boot_entry *entry)
{
	struct console console;

	trap_set_context(ctx);
	ctx->hw.entry = *entry;
	ctx->hw.core = hart_core();
	ctx->cost = (struct cost){.usable = entry->instret_usable, .start = entry->instret};
	ctx->facts = (struct facts){&ctx->hw,  &ctx->stage, &ctx->source, &ctx->trust,
				    &ctx->smp, &ctx->log,   &ctx->cost};
	console_init(&console, entry->stage_pa, entry->instret_usable);
	log_init(&ctx->log, &console);
	adopt_early_tables(&ctx->stage, entry, ctx->hw.core.attributes);
	report_begin(entry, &ctx->log);
}

/* What there is: machine, memory, bundle, crash region. */
static void discover(struct boot_context *ctx)
{
	const struct region *usable = NULL;

	require(ctx, discover_machine(&ctx->hw, &ctx->stage, &ctx->log));
	report_machine(&ctx->hw, &ctx->log);
	require(ctx, trust_find_keys(&ctx->trust, &ctx->hw, &ctx->log));
	require(ctx, crash_enter(ctx));
	if (WITH_CRASH && ctx->crash.way == WAY_KEXEC)
		usable = &ctx->hw.machine.usable_memory;
	require(ctx, discover_memory(&ctx->hw, usable, &ctx->memmap, &ctx->log.diag));
	source_find(&ctx->source, &ctx->hw, &ctx->stage, &ctx->memmap, &ctx->log);
	crash_discover(ctx);
	report_memory(&ctx->memmap, &ctx->log);
}

/* A dead kernel may still be waiting for the crash kernel that is in its place. */
static bool can_do_without_bundle(const struct boot_context *ctx)
{
	return WITH_CRASH && (ctx->crash.region.all.size || ctx->crash.way == WAY_KEXEC);
}

/* The bundle, and an initrd beside it; as one where they share a page. */
static void view_source(const struct boot_context *ctx, struct stage_request *request)
{
	const struct region initrd = region_pages_around(ctx->hw.machine.initrd);
	struct region where = region_pages_around(ctx->source.where);

	if (ranges_overlap(where.base, where.size, initrd.base, initrd.size))
		where = region_span(where, initrd);
	else if (where.size)
		request->view[request->view_count++] = (struct stage_view){initrd, PTE_R};
	request->view[request->view_count++] = (struct stage_view){where, ctx->source.is_ram ? 0 : PTE_R};
}

/* Out of the payload's way, onto the final tables. */
static enum lb_err try_to_move(struct boot_context *ctx)
{
	struct stage_request request = {
		.most_levels = discover_most_levels(&ctx->hw),
		.fdt = {ctx->hw.entry.fdt_pa, ctx->hw.fdt_size},
		.map = &ctx->memmap,
	};

	view_source(ctx, &request);
	crash_request_stage(ctx, &request);
	return stage_move(&ctx->stage, &request, &ctx->log);
}

static void move(struct boot_context *ctx)
{
	enum lb_err err = try_to_move(ctx);

	if (WITH_CRASH && err && crash_give_up(ctx))
		err = try_to_move(ctx);
	require(ctx, err);
	report_stage(&ctx->stage, &ctx->log);
	smp_gather(&ctx->hw, &ctx->stage, &ctx->log);
	source_reopen(&ctx->source, &ctx->stage);
}

static _Noreturn void leave(struct boot_context *ctx, struct exit to)
{
	const uint64_t hart_id = ctx->hw.entry.hart_id;

	if (WITH_SHA2)
		smp_call_off(&ctx->smp, &ctx->hw, &ctx->log);
	report_cost(&ctx->cost, &ctx->log);
	log_info(&ctx->log, "handoff: to %#" PRIx64 " with a0 = %" PRIu64 ", a1 = %#" PRIx64, to.entry,
		 hart_id, to.fdt);
	crash_save_log(ctx);
	smp_release(to.fdt, to.entry, &ctx->log);
	crash_mark_started(ctx);
	handoff(hart_id, to.fdt, to.entry);
}

/*
 * Returns only if there is nothing to start: then a normal boot is the best that is left, if there can be
 * one.
 */
static void start_crash_kernel(struct boot_context *ctx)
{
	struct exit to;
	enum lb_err err;

	if (ctx->crash.way == WAY_KEXEC)
		stage_allow_writes(&ctx->stage);
	err = crash_prepare_exit(ctx, &to);
	if (!err)
		leave(ctx, to);
	if (ctx->crash.way == WAY_KEXEC)
		boot_fail(ctx, ctx->log.diag.text);
	log_error(&ctx->log, "%s", ctx->log.diag.text);
	log_error(&ctx->log, "crash: the crash kernel can't be started; booting normally");
	ctx->crash.way = WAY_BOOT;
}

static _Noreturn void start_primary(struct boot_context *ctx)
{
	struct chosen chosen = {.may_arm = false};
	struct exit to;

	require(ctx, choose_primary(&ctx->facts, &ctx->memmap, &ctx->crash, &ctx->policy, &ctx->primary,
				    &chosen, &to));
	crash_arm(ctx, &chosen);
	leave(ctx, to);
}

static void do_without_crash_kernel(struct boot_context *ctx)
{
	(void)crash_give_up(ctx);
	start_primary(ctx);
}

/*
 * For a crash kernel all RAM is looked through, even what no payload may ever touch: where the FDT promises
 * too much, that must not cost the boot.
 */
static _Noreturn void boot_normally(struct boot_context *ctx)
{
	stage_allow_writes(&ctx->stage);
	if (WITH_CRASH) {
		ctx->on_trap = do_without_crash_kernel;
		crash_prepare(ctx);
		ctx->on_trap = NULL;
	}
	start_primary(ctx);
}

_Noreturn void start(const struct boot_entry *entry)
{
	struct boot_context *ctx = &the_context;

	begin(ctx, entry);
	discover(ctx);
	if (ctx->source.err && !can_do_without_bundle(ctx))
		boot_fail(ctx, ctx->source.why.text);
	move(ctx);
	if (WITH_CRASH && crash_judge(ctx))
		start_crash_kernel(ctx);
	if (ctx->source.err)
		boot_fail(ctx, ctx->source.why.text);
	boot_normally(ctx);
}
