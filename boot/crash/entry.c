// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash way by call, the dying half: from a system that gave up to the crash kernel, with paging off.
 *
 * Bounded and short: one checksum over a small state, one prepared page of the record copied, one look at
 * each other hart. Runs at the physical address, so there are no absolute addresses (no tables of pointers,
 * no printf).
 */
#include "boot/crash/entry.h"

#include "base/checksum.h"
#include "boot/entry/early.h"
#include "boot/machine/caches.h"
#include "boot/machine/sbi.h"
#include "kexec/crash/area.h"
#include "mm/cache.h"

/* Polls until a hart that does not stop is given up: some 10 ms, with firmware's own instructions. */
#define PATIENCE 100000

struct crash_entry_state crash_entry_state;

uint64_t crash_entry_sum(const struct crash_entry_state *state)
{
	const size_t harts = state->hart_count <= MACHINE_HARTS_MAX ? (size_t)state->hart_count : 0;
	const size_t end = offsetof(struct crash_entry_state, hart) + harts * sizeof(state->hart[0]);

	return crash_call_sum(&state->fdt,
			      (end - offsetof(struct crash_entry_state, fdt)) / sizeof(uint64_t));
}

/* The reset way finds the record armed, and the caller's mark. */
static _Noreturn void reset(const char *why)
{
	early_say("lifeboat: call: ");
	early_say(why);
	early_say(": resetting into the reset way\r\n");
	sbi_restart();
	early_say("lifeboat: ERROR: call: the firmware can't reset: reset the machine by hand\r\n");
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void crash_entry_trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	early_say_hex("lifeboat: call: trap: scause 0x", scause);
	early_say_hex(", sepc 0x", sepc);
	early_say_hex(", stval 0x", stval);
	early_say("\r\n");
	reset("trapped");
}

static void check_pieces(const struct crash_record *record)
{
	for (size_t i = 0; i < record->piece_count; i++) {
		const struct crash_piece *piece = &record->piece[i];

		if (piece->size && piece->sum &&
		    checksum((const void *)(uintptr_t)piece->pa, piece->size) != piece->sum)
			reset("a staged piece is damaged");
	}
}

/* Without HSM, or for an id that firmware does not know, there is nothing to wait for. */
static bool is_running(uint64_t id)
{
	const struct sbi_result status = sbi_hart_status(id);

	return !status.error && status.value != SBI_HART_STOPPED;
}

static void wait_for_harts(const struct crash_entry_state *state, uint64_t own_id, uint64_t flags)
{
	int patience = PATIENCE;

	for (size_t i = 0; i < state->hart_count; i++) {
		const uint64_t id = state->hart[i];

		if (id == own_id)
			continue;
		while (patience && is_running(id))
			patience--;
		if (patience)
			continue;
		if (flags & (CRASH_CALL_MUST_STOP | CRASH_CALL_RESET_FIRST))
			reset("a hart does not stop");
		early_say_hex("lifeboat: warning: call: it runs on, and can harm the dump: hart 0x", id);
		early_say("\r\n");
	}
}

/* (A platform's own hook is out of reach here. If the count is lost, the dump is taken twice.) */
static void write_back(void *context, const void *start, size_t size)
{
	const struct crash_entry_state *state = context;

	if (state->cache_block)
		cache_clean_range((uintptr_t)start, size, state->cache_block, caches_clean_block);
	__asm__ volatile("fence rw, rw" : : : "memory");
}

struct crash_entry_target crash_entry_decide(uint64_t hart_id, uint64_t flags)
{
	const struct crash_entry_state *state = &crash_entry_state;

	if (state->sum != crash_entry_sum(state) || !state->entry)
		reset("the prepared state is damaged, or there is none");
	flags |= state->flags;
	wait_for_harts(state, hart_id, flags);
	if (flags & CRASH_CALL_RESET_FIRST)
		reset(state->flags & CRASH_CALL_RESET_FIRST ? "a key is required" : "as the caller wishes");
	if (crash_record_was_loaded_since((const void *)(uintptr_t)state->record, &state->ready))
		reset("userspace has loaded a crash kernel");
	if (flags & CRASH_CALL_CHECK_ALL)
		check_pieces(crash_record_of_ready(&state->ready));
	crash_record_write_ready((void *)(uintptr_t)state->record, &state->ready, write_back,
				 &crash_entry_state);
	return (struct crash_entry_target){state->fdt, state->entry};
}
