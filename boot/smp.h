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
#include "fdt/fixup.h"
#include "kexec/check/share.h"

#define SMP_STACK_SIZE 512

/**
 * A hart that helps: one, since a configuration has two large images, a kernel and an initramfs. It enters
 * (help.S) at the address of its share, which is the top of its stack, too. All is zero before there is one.
 */
struct smp {
	bool helping;	/* it was started, and is not known to have stopped again */
	unsigned polls; /* until it did, in all */
	uint64_t hart_id;
	struct fdt_reservation place; /* the stage's: what it runs, if it may come yet */
	_Alignas(16) uint8_t stack[SMP_STACK_SIZE];
	struct share share;
};

/**
 * See to the other harts after stage_move(): warn of those that run by HSM, or fetch the waiting ones over.
 */
void smp_gather(const struct hw *hw, const struct stage *stage, struct log *log);

/**
 * Give @smp->share to a hart that is stopped. share_make() has made it; its data is a physical address.
 *
 * Return: has one started?
 */
bool smp_start(struct smp *smp, const struct hw *hw, const struct stage *stage);

/**
 * Call the helper off, if there is one, and wait until firmware has it back. If it does not go in a bounded
 * time, a warning tells; it stays the helper: it gets no other share, and @smp->place is to be reserved.
 */
void smp_call_off(struct smp *smp, const struct hw *hw, struct log *log);

/** Send waiting harts, if any, into the payload at @entry_pa; right before handoff(). */
void smp_release(paddr_t fdt_pa, paddr_t entry_pa, struct log *log);

#endif
