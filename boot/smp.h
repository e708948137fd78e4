/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other harts. With SBI HSM the firmware keeps them stopped and the payload starts them itself.
 * Without HSM (SBI 0.1) firmware may start all harts at once into the stage: the losers of the lottery in
 * head.S wait, move with the stage, and enter the payload together with the boot hart.
 */
#ifndef LIFEBOAT_BOOT_SMP_H
#define LIFEBOAT_BOOT_SMP_H

#include "boot/discover.h"

/**
 * See to the other harts after stage_move(): warn of those that run by HSM, or fetch the waiting ones over.
 */
void smp_gather(const struct hw *hw, const struct stage *stage, struct log *log);

/** Send waiting harts, if any, into the payload at @entry_pa; right before handoff(). */
void smp_release(paddr_t fdt_pa, paddr_t entry_pa, struct log *log);

#endif
