// SPDX-License-Identifier: BSD-2-Clause
/*
 * A primary without a log: fills all RAM that its FDT gives it with a pattern that depends on the address,
 * says how much that was, and dies by a reset (or waits for one, with WAIT). crash_checker.c looks for the
 * pattern.
 */
#include "crash_fill.h"

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("primary: FAIL trap %x at %x, stval %x", scause, sepc, stval);
	shut_down();
}

void main(const struct entry_state *entry)
{
	fill_ram((const void *)entry->x[A1]);
#ifndef WAIT
	sbi_call(SBI_SRST, 0, 1, 0, 0); /* cold reboot */
#endif
	for (;;)
		;
}
