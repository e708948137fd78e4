// SPDX-License-Identifier: BSD-2-Clause
/* The other harts: stopped by HSM, or parked by us where there is no HSM. */
#include "boot/smp.h"

#include <inttypes.h>

#include "boot/machine/sbi.h"

/* Polls before a hart that does not answer is given up; each is a few dozen cycles. */
#define PATIENCE 200000000

/* From park.S, in the place where the stage runs now. */
extern const char stage_start[], smp_park[];
extern volatile uint64_t smp_mailbox, smp_parked, smp_release_entry, smp_release_fdt, smp_left;

static size_t other_harts(const struct boot_context *ctx)
{
	size_t count = 0;

	for (size_t i = 0; i < ctx->machine.hart_count; i++)
		count += ctx->machine.hart[i].enabled && ctx->machine.hart[i].id != ctx->entry.hart_id;
	return count;
}

static void warn_of_running(struct boot_context *ctx)
{
	for (size_t i = 0; i < ctx->machine.hart_count; i++) {
		const struct machine_hart *hart = &ctx->machine.hart[i];
		struct sbi_result status;

		if (!hart->enabled || hart->id == ctx->entry.hart_id)
			continue;
		status = sbi_hart_status(hart->id);
		if (!status.error && status.value != SBI_HART_STOPPED)
			log_warn(&ctx->log,
				 "smp: hart %" PRIu64 " is not stopped (HSM state %" PRIu64
				 "): the payload can't start it",
				 hart->id, status.value);
	}
}

static bool wait_until(const volatile uint64_t *counter, uint64_t wanted)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (*counter >= wanted)
			return true;
	}
	return false;
}

/* The old place is ordinary free RAM by now; its mailbox is at the same offset as ours. */
static void fetch_waiting(struct boot_context *ctx)
{
	paddr_t old_mailbox = ctx->entry.stage_pa + ((uintptr_t)&smp_mailbox - STAGE_VA);
	paddr_t park = ctx->stage_pa + ((uintptr_t)smp_park - STAGE_VA);
	size_t expected = other_harts(ctx);

	__asm__ volatile("fence rw, rw" ::: "memory");
	*(volatile uint64_t *)physmap_pointer(&ctx->physmap, old_mailbox) = park;
	if (!wait_until(&smp_parked, expected))
		log_warn(&ctx->log, "smp: no HSM, and only %" PRIu64 " of %zu other harts came", smp_parked,
			 expected);
}

void smp_gather(struct boot_context *ctx)
{
	if (sbi_probe(SBI_EXT_HSM))
		warn_of_running(ctx);
	else if (other_harts(ctx))
		fetch_waiting(ctx);
}

void smp_release(struct boot_context *ctx, paddr_t fdt_pa, paddr_t entry_pa)
{
	uint64_t parked = smp_parked;

	if (!parked)
		return;
	log_info(&ctx->log, "smp: no HSM: %" PRIu64 " other harts enter the payload, too", parked);
	smp_release_fdt = fdt_pa;
	__asm__ volatile("fence rw, rw" ::: "memory");
	smp_release_entry = entry_pa;
	if (!wait_until(&smp_left, parked))
		log_warn(&ctx->log, "smp: only %" PRIu64 " of %" PRIu64 " parked harts left", smp_left,
			 parked);
}
