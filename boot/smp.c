// SPDX-License-Identifier: BSD-2-Clause
/* The other harts: stopped by HSM until they help, or parked by us where there is no HSM. */
#include "boot/smp.h"

#include <inttypes.h>

#include "boot/machine/sbi.h"

/* Polls before a hart that does not answer is given up; each is a few dozen cycles. */
#define PATIENCE 200000000
/* The same of a helper that was called off: each is a call to firmware. Its next look at us is not as far. */
#define PATIENCE_CALLS 100000

/* From park.S and help.S, in the place where the stage runs now. */
extern const char stage_start[], smp_park[], smp_help[];
extern volatile uint64_t smp_mailbox, smp_parked, smp_release_entry, smp_release_fdt, smp_left;

/* Where harts without paging see what is in the stage. */
static paddr_t stage_physical(const struct stage *stage, const volatile void *what)
{
	return stage->pa + ((uintptr_t)what - STAGE_VA);
}

static size_t other_harts(const struct hw *hw)
{
	size_t count = 0;

	for (size_t i = 0; i < hw->machine.hart_count; i++)
		count += hw->machine.hart[i].enabled && hw->machine.hart[i].id != hw->entry.hart_id;
	return count;
}

static void warn_of_running(const struct hw *hw, struct log *log)
{
	for (size_t i = 0; i < hw->machine.hart_count; i++) {
		const struct machine_hart *hart = &hw->machine.hart[i];
		struct sbi_result status;

		if (!hart->enabled || hart->id == hw->entry.hart_id)
			continue;
		status = sbi_hart_status(hart->id);
		if (!status.error && status.value != SBI_HART_STOPPED)
			log_warn(log,
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
static void fetch_waiting(const struct hw *hw, const struct stage *stage, struct log *log)
{
	paddr_t old_mailbox = hw->entry.stage_pa + ((uintptr_t)&smp_mailbox - STAGE_VA);
	paddr_t park = stage_physical(stage, smp_park);
	size_t expected = other_harts(hw);

	__asm__ volatile("fence rw, rw" ::: "memory");
	*(volatile uint64_t *)physmap_pointer(&stage->physmap, old_mailbox) = park;
	if (!wait_until(&smp_parked, expected))
		log_warn(log, "smp: no HSM, and only %" PRIu64 " of %zu other harts came", smp_parked,
			 expected);
}

void smp_gather(const struct hw *hw, const struct stage *stage, struct log *log)
{
	if (sbi_probe(SBI_EXT_HSM))
		warn_of_running(hw, log);
	else if (other_harts(hw))
		fetch_waiting(hw, stage, log);
}

bool smp_start(struct smp *smp, const struct hw *hw, const struct stage *stage)
{
	struct share *share = &smp->share;

	smp->place.name = "lifeboat-stage";
	smp->place.range = (struct region){stage->pa, stage_image_size()};
	share->blocks = (hash_blocks *)stage_physical(stage, (const void *)share->blocks);
	__asm__ volatile("fence rw, rw" ::: "memory");
	for (size_t i = 0; !smp->helping && i < hw->machine.hart_count; i++) {
		smp->hart_id = hw->machine.hart[i].id;
		/* (What runs is refused: this hart, too.) */
		smp->helping = hw->machine.hart[i].enabled &&
			       !sbi_hart_start(smp->hart_id, stage_physical(stage, smp_help),
					       stage_physical(stage, share));
	}
	return smp->helping;
}

void smp_call_off(struct smp *smp, const struct hw *hw, struct log *log)
{
	share_call_off(&smp->share);
	while (smp->helping && smp->polls++ < PATIENCE_CALLS)
		smp->helping = sbi_hart_status(smp->hart_id).value != SBI_HART_STOPPED;
	if (smp->helping)
		warn_of_running(hw, log);
}

void smp_release(paddr_t fdt_pa, paddr_t entry_pa, struct log *log)
{
	uint64_t parked = smp_parked;

	if (!parked)
		return;
	log_info(log, "smp: no HSM: %" PRIu64 " other harts enter the payload, too", parked);
	smp_release_fdt = fdt_pa;
	__asm__ volatile("fence rw, rw" ::: "memory");
	smp_release_entry = entry_pa;
	if (!wait_until(&smp_left, parked))
		log_warn(log, "smp: only %" PRIu64 " of %" PRIu64 " parked harts left", smp_left, parked);
}
