// SPDX-License-Identifier: BSD-2-Clause
/* The C code that runs before paging. */
#include "boot/entry/early.h"

#include "boot/machine/core.h"
#include "boot/machine/sbi.h"
#include "boot/stage.h"

extern uint64_t early_pool[EARLY_POOL_PAGES][PAGETABLE_ENTRIES];

uint64_t early_build_tables(paddr_t stage_pa, uint64_t found[2])
{
	unsigned levels = SV39_LEVELS;
	struct pagetable pt;
	enum lb_err err;

	/* Sv39 is in every hart that has paging at all; larger modes are only tried where it can't reach. */
	while (levels < SV57_LEVELS && stage_pa + stage_image_size() > pagetable_identity_limit(levels))
		levels++;

	err = pagetable_init(&pt, levels, early_pool, (uintptr_t)early_pool, EARLY_POOL_PAGES,
			     hart_core().attributes);
	if (!err)
		err = stage_map(&pt, stage_pa);
	if (!err) /* where start() can add views */
		err = pagetable_map(&pt, (uintptr_t)early_pool - stage_pa + STAGE_VA, (uintptr_t)early_pool,
				    sizeof(early_pool), PTE_R | PTE_W);
	if (!err)
		err = pagetable_map(&pt, stage_pa, stage_pa, PAGE_SIZE, PTE_R | PTE_X);
	if (err)
		return 0;
	found[0] = levels;
	found[1] = pt.used_pages;
	return pagetable_satp(&pt);
}

/* Paging is off, so the address of a local variable is a physical one, as DBCN wants it. */
static void put_char(char c)
{
	if (sbi_console_write((uintptr_t)&c, 1).error)
		sbi_console_putchar(c);
}

void early_say(const char *text)
{
	while (*text)
		put_char(*text++);
}

void early_say_hex(const char *label, uint64_t value)
{
	early_say(label);
	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned digit = value >> shift & 0xf;

		put_char((char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
	}
}

void early_fail(unsigned reason, uint64_t scause, uint64_t sepc, uint64_t stval)
{
	early_say("lifeboat: ERROR: ");
	if (reason == 0) {
		early_say("head: trap before paging");
		early_say_hex(": scause 0x", scause);
		early_say_hex(", sepc 0x", sepc);
		early_say_hex(", stval 0x", stval);
	} else if (reason == 1) {
		early_say("head: loaded where no page can be mapped at its own address, or not at a page "
			  "boundary");
	} else {
		early_say("head: the hart refuses Sv39: lifeboat needs an MMU");
	}
	early_say("; shutting down\r\n");
	sbi_reset(SBI_RESET_SHUTDOWN);
}
