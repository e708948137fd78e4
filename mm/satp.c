// SPDX-License-Identifier: BSD-2-Clause
/* satp: probing which modes the hart has, and fences. The only CSR code in mm/. */
#include "mm/satp.h"

bool satp_accepts(uint64_t satp)
{
	uint64_t before, seen;

	/*
	 * One block: between the two writes only this code may be fetched, and no memory touched. Fenced on
	 * both sides of each write, since a write to satp orders neither table stores nor cached
	 * translations.
	 */
	__asm__ volatile("csrr		%0, satp\n\t"
			 "sfence.vma	x0, x0\n\t"
			 "csrw		satp, %2\n\t"
			 "sfence.vma	x0, x0\n\t"
			 "csrr		%1, satp\n\t"
			 "csrw		satp, %0\n\t"
			 "sfence.vma	x0, x0"
			 : "=&r"(before), "=&r"(seen)
			 : "r"(satp)
			 : "memory");
	return seen == satp;
}

void satp_switch(uint64_t satp)
{
	__asm__ volatile("sfence.vma	x0, x0\n\t"
			 "csrw		satp, %0\n\t"
			 "sfence.vma	x0, x0"
			 :
			 : "r"(satp)
			 : "memory");
}

void satp_flush(void)
{
	__asm__ volatile("sfence.vma x0, x0" ::: "memory");
}
