// SPDX-License-Identifier: BSD-2-Clause
/*
 * A payload that says which one it is (NAME), and switches off; with DIE it dies by a reset, with STAY it
 * stays.
 */
#include "common.h"

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("named: FAIL trap %x at %x, stval %x", scause, sepc, stval);
	shut_down();
}

void main(const struct entry_state *entry)
{
	(void)entry;
	say("named: %s", NAME);
#ifdef DIE
	sbi_call(SBI_SRST, 0, 1, 0, 0); /* cold reboot */
#endif
#ifndef STAY
	shut_down();
#endif
	for (;;)
		;
}
