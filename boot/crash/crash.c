// SPDX-License-Identifier: BSD-2-Clause
/* The face of the crash side: hands the parts of the context to the files that do the work. */
#include "boot/crash/crash.h"

#include "boot/crash/call.h"
#include "boot/crash/dead.h"
#include "boot/crash/judge.h"
#include "boot/crash/kexec.h"
#include "boot/crash/logs.h"
#include "boot/crash/prepare.h"
#include "boot/crash/region.h"

enum lb_err crash_enter(struct boot_context *ctx)
{
	return WITH_CRASH ? kexec_enter(&ctx->hw, &ctx->crash, &ctx->log) : LB_OK;
}

void crash_discover(struct boot_context *ctx)
{
	if (!WITH_CRASH) {
		log_info(&ctx->log,
			 "crash: no crash kernel: this build has no crash support (-Dcrash=false)");
		return;
	}
	if (ctx->crash.way == WAY_KEXEC)
		kexec_discover(&ctx->facts, &ctx->stage, &ctx->crash, &ctx->dead);
	else
		region_discover(&ctx->facts, &ctx->stage, &ctx->memmap, &ctx->crash);
	if (ctx->crash.way == WAY_KEXEC || ctx->crash.region.all.size)
		dead_find_ram(&ctx->facts, &ctx->memmap, &ctx->crash, &ctx->dead);
}

bool crash_give_up(struct boot_context *ctx)
{
	if (!WITH_CRASH || !ctx->crash.region.all.size)
		return false;
	region_give_up(&ctx->facts, &ctx->memmap, &ctx->crash, &ctx->log.diag);
	return true;
}

static void add_view(struct stage_request *request, struct region where, uint64_t perms)
{
	request->view[request->view_count++] = (struct stage_view){where, perms};
}

void crash_request_stage(const struct boot_context *ctx, struct stage_request *request)
{
	const struct crash_region *region = &ctx->crash.region;
	const struct region llc = {align_down(ctx->hw.platform->llc_flush, PAGE_SIZE), PAGE_SIZE};

	if (!WITH_CRASH)
		return;
	request->dead = &ctx->dead.beside;
	request->dead_perms = ctx->crash.way == WAY_KEXEC ? PTE_R : 0;
	if (!region->all.size)
		return;
	request->own = (struct region){region->stage.base, region_end(region->all) - region->stage.base};
	request->room = region->stage.size;
	request->keep_free = true;
	if (ctx->crash.way != WAY_KEXEC || !ctx->crash.lent) /* else it is the dead kernel's */
		add_view(request, region->usable, PTE_R | PTE_W);
	add_view(request, region->kept, PTE_R);
	if (ctx->hw.platform->llc_flush)
		add_view(request, llc, PTE_R | PTE_W | PTE_DEVICE);
}

/* How this machine's caches are written back, now that all its ways are mapped. */
static void init_caches(struct boot_context *ctx)
{
	const struct machine *machine = &ctx->hw.machine;
	const struct caches told = {
		.physmap = ctx->stage.physmap,
		.cbom_block = machine->isa & ISA_ZICBOM ? machine->cbom_block_size : 0,
		.thead = ctx->hw.core.thead_cache_ops,
		.llc_flush = ctx->hw.platform->llc_flush,
		.log = &ctx->log,
	};

	caches_init(&ctx->crash.caches, &told, ctx);
}

bool crash_judge(struct boot_context *ctx)
{
	if (!WITH_CRASH)
		return false;
	if (ctx->crash.region.all.size) /* or there is nothing to keep */
		init_caches(ctx);
	return ctx->crash.way == WAY_KEXEC || judge(&ctx->facts, &ctx->memmap, &ctx->crash, &ctx->dead);
}

enum lb_err crash_prepare_exit(struct boot_context *ctx, struct exit *exit)
{
	if (!WITH_CRASH)
		return LB_EUNSUPPORTED;
	if (ctx->crash.way == WAY_KEXEC)
		return kexec_exit(&ctx->facts, &ctx->memmap, &ctx->crash, &ctx->crash_kernel, &ctx->dead,
				  exit);
	return prepare_exit(&ctx->facts, &ctx->crash, &ctx->crash_kernel, &ctx->dead, exit);
}

void crash_prepare(struct boot_context *ctx)
{
	if (WITH_CRASH)
		arm_prepare(&ctx->facts, &ctx->memmap, &ctx->crash, &ctx->dead, &ctx->crash_kernel);
}

void crash_arm(struct boot_context *ctx, const struct chosen *chosen)
{
	if (!WITH_CRASH || !ctx->crash.can_arm || !chosen->may_arm)
		return;
	arm_record(&ctx->facts, &ctx->memmap, &ctx->crash, chosen, &ctx->dead);
}

void crash_save_log(struct boot_context *ctx)
{
	if (WITH_CRASH)
		logs_save(&ctx->facts, &ctx->crash);
}

void crash_mark_started(struct boot_context *ctx)
{
	if (WITH_CRASH && ctx->crash.region.all.size)
		call_mark_started(&ctx->facts, &ctx->crash);
}
