/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crash entry: where a dying system comes in by itself (the call way), with paging off, at the resident
 * stage's physical address. crash_entry.S and crash_entry.c run there; boot/crash/call.c prepares what they
 * need while all is well.
 */
#ifndef LIFEBOAT_BOOT_CRASH_ENTRY_H
#define LIFEBOAT_BOOT_CRASH_ENTRY_H

#include "fdt/machine.h"
#include "kexec/crash/record.h"

/** All that the entry relies on, in the resident stage's own memory. Physical addresses only. */
struct crash_entry_state {
	uint64_t sum;	    /* crash_call_sum() of all behind it, up to the last hart that counts */
	paddr_t fdt, entry; /* of the crash kernel */
	paddr_t record;
	uint64_t cache_block;		 /* bytes that cbo.clean writes back; 0: none */
	uint64_t flags;			 /* that hold for any call, beside the caller's */
	struct crash_record_ready ready; /* the record of a crash kernel that was started */
	uint64_t hart_count;
	uint64_t hart[MACHINE_HARTS_MAX]; /* the enabled ones, with a note slot or without */
};

/** The one there is; the entry finds it pc-relative, wherever the stage lies. */
extern struct crash_entry_state crash_entry_state;

/** Its checksum, of as many words as count; 0 harts if hart_count can't be. */
uint64_t crash_entry_sum(const struct crash_entry_state *state);

/** Where to go; by the calling convention in a0 and a1. */
struct crash_entry_target {
	paddr_t fdt, entry;
};

/**
 * Decide and count the attempt: all between crash_entry.S's two halves. Returns only if the crash kernel can
 * be started.
 *
 * Context: paging off.
 * @flags  CRASH_CALL_RESET_FIRST, CRASH_CALL_CHECK_ALL, CRASH_CALL_MUST_STOP
 */
struct crash_entry_target crash_entry_decide(uint64_t hart_id, uint64_t flags);

/** A trap on the way. Says so and resets. Context: paging off. */
_Noreturn void crash_entry_trapped(uint64_t scause, uint64_t sepc, uint64_t stval);

#endif
