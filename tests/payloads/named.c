// SPDX-License-Identifier: BSD-2-Clause
/*
 * A payload that says which one it is (NAME), and switches off; with DIE it dies by a reset, with STAY it
 * stays; with TIME it tells when it came.
 */
#include "common.h"

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("named: FAIL trap %x at %x, stval %x", scause, sepc, stval);
	shut_down();
}

void main(const struct entry_state *entry)
{
	const uint64_t now = CSR_READ(time);

	(void)entry;
	(void)now;
	say("named: %s", NAME);
#ifdef TIME
	say("named: at %u ticks", now);
#endif
#ifdef DIE
	sbi_call(SBI_SRST, 0, 1, 0, 0); /* cold reboot */
#endif
#ifndef STAY
	shut_down();
#endif
	for (;;)
		;
}
