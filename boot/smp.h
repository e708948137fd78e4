/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other harts. With SBI HSM the firmware keeps them stopped and the payload starts them itself; until
 * then they can help with the checks.
 * Without HSM (SBI 0.1) firmware may start all harts at once into the stage: the losers of the lottery in
 * head.S wait, move with the stage, and enter the payload together with the boot hart.
 */
#ifndef LIFEBOAT_BOOT_SMP_H
#define LIFEBOAT_BOOT_SMP_H

#include "boot/discover.h"
#include "kexec/check/share.h"

#define SMP_HELPERS    3
#define SMP_STACK_SIZE 512

/** A hart that helps. It enters at the address of its share, which is the top of its stack as well (help.S). */
struct smp_helper {
	uint64_t hart_id;
	_Alignas(16) uint8_t stack[SMP_STACK_SIZE];
	struct share share;
};

/** Harts in the stage besides ours. */
struct smp {
	size_t count; /* helpers that were started, and are not known to have stopped again */
	struct smp_helper helper[SMP_HELPERS];
};

/**
 * See to the other harts after stage_move(): warn of those that run by HSM, or fetch the waiting ones over.
 */
void smp_gather(const struct hw *hw, const struct stage *stage, struct log *log);

/**
 * Give the share of the next helper, @smp->helper[@smp->count], to a hart that is stopped. It was made by
 * share_make(), and its data is a physical address.
 *
 * Return: has one started? It counts as a helper then.
 */
bool smp_start(struct smp *smp, const struct hw *hw, const struct stage *stage);

/**
 * Call all helpers off, and wait until firmware has them back. One that does not go in a bounded time is told of
 * in a warning, and stays a helper: its memory must not be used anew.
 */
void smp_call_off(struct smp *smp, const struct hw *hw, struct log *log);

/** Send waiting harts, if any, into the payload at @entry_pa; right before handoff(). */
void smp_release(paddr_t fdt_pa, paddr_t entry_pa, struct log *log);

#endif
