/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash way by reset: stage a crash kernel before the primary starts; after a reset that was not orderly,
 * start it. DESIGN: the record's states are empty -> armed -> capturing -> done.
 *
 * Nothing here stops a boot: whatever goes wrong is told in one line, and the primary starts without a crash
 * kernel, or the machine boots normally instead of capturing.
 */
#ifndef LIFEBOAT_BOOT_CRASH_CRASH_H
#define LIFEBOAT_BOOT_CRASH_CRASH_H

#include "boot/context.h"

/**
 * Look for a crash configuration, choose the crash region and read the record in it.
 *
 * Takes the region in the memory map. Context: before stage_move(), after discover_bundle().
 */
void crash_discover(struct boot_context *ctx);

/**
 * Must a crash kernel be started? Reads the record and, where it is armed, the dead kernel's log.
 *
 * Prints the reason and the dead kernel's last words. Context: after stage_move(); RAM is mapped read-only.
 */
bool crash_judge(struct boot_context *ctx);

/**
 * Make the staged crash kernel ready to be entered: ctx->plan is what to hand over to.
 *
 * Writes nowhere outside the crash region. Counts the attempt in the record first, so that whatever happens from
 * here on can't happen for ever.
 * Return: LB_OK; on error ctx->diag says why, and the machine should boot normally.
 */
LB_MUST_CHECK enum lb_err crash_prepare(struct boot_context *ctx);

/**
 * Stage the crash kernel and arm the record, for an orderly boot: the primary may start afterwards.
 *
 * Wipes the notes of former kernels from RAM. Fills ctx->reservation for the primary's FDT. On failure the
 * record is left empty and one line says why.
 */
void crash_arm(struct boot_context *ctx);

/** Write ctx->crash.record to the crash region as the newest. Return: LB_OK; LB_EINVAL it is not sound (a bug). */
LB_MUST_CHECK enum lb_err crash_write_record(struct boot_context *ctx);

/** Which of ctx->choices the boot counter has demoted: a bit each. Says so, and reads the bundle's policy. */
uint32_t crash_find_demoted(struct boot_context *ctx);

/** Arm the record: last of all before the primary starts. Context: after payload_load() of the primary. */
void crash_arm_record(struct boot_context *ctx);

/**
 * Take the region that an earlier stage reserved, as the FDT says, with its record and what is staged in it.
 *
 * Context: before stage_move(). Return: LB_OK; else ctx->diag says why there is nothing to adopt.
 */
LB_MUST_CHECK enum lb_err crash_adopt_region(struct boot_context *ctx);

/** Room for a core header, then for a note of our own. */
#define CRASH_CORE_ROOM (ELFCOREHDR_SIZE_MAX + PAGE_SIZE)

/** Wish for a crash kernel's FDT, in @usable, with its core header in @core: bootargs are ctx->bootargs, completed. */
void crash_wish(struct boot_context *ctx, struct region core, struct region usable);

/**
 * Write the core header of ctx->crash.core to @room, CRASH_CORE_ROOM bytes: dead_ram, the kernel's mapping and linear
 * map as far as dead_info knows them, the notes that are there and the dead kernel's VMCOREINFO.
 */
LB_MUST_CHECK enum lb_err crash_write_core_header(struct boot_context *ctx, struct region room);

/** Where the crash region keeps the core header of a staged crash kernel: CRASH_CORE_ROOM bytes. */
struct region crash_core_room(const struct boot_context *ctx);

/** Where the FDT of the staged crash kernel is. */
paddr_t crash_staged_fdt(const struct boot_context *ctx);

/** Keep the log of this run in the crash region, where the next run and userspace find it. */
void crash_save_log(struct boot_context *ctx);

#endif
