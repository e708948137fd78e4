/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traps in the stage: all of them are bugs or broken hardware, so say everything and end; but for what a
 * boot can do without.
 */
#ifndef LIFEBOAT_BOOT_TRAP_H
#define LIFEBOAT_BOOT_TRAP_H

#include "boot/context.h"

/**
 * Registers at the trap, as trap.S stores them: x0 holds the pc's place, so x[n] is register n for n >= 1.
 */
struct trap_frame {
	uint64_t epc;
	uint64_t x1_to_x31[31];
	uint64_t scause;
	uint64_t stval;
	uint64_t sstatus;
};

_Static_assert(sizeof(struct trap_frame) <= 288, "trap.S reserves 288 bytes");

/**
 * Let traps find @ctx: from now on it is in tp, which compiled code never touches.
 */
static inline void trap_set_context(struct boot_context *ctx)
{
	__asm__ volatile("mv tp, %0" : : "r"(ctx));
}

/**
 * Called by trap.S on the trap stack. Without a ctx->on_trap: print cause, registers and backtrace, then
 * switch off.
 *
 * Return: ctx->on_trap, which trap.S calls with @ctx on an empty stack, once; ctx->log's diag says what trap
 * it was. Interrupts are off in the stage, so that all else in the hart is as before.
 */
boot_step *trap_handle(const struct trap_frame *frame, struct boot_context *ctx);

#endif
