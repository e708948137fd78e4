// SPDX-License-Identifier: BSD-2-Clause
/*
 * Goes to a virtual address space, leaves it in one of several ways, and says where it arrives.
 *
 * The table builder, the trampoline tables and norelocate are the stage's own objects, linked in. LEVELS is
 * the mode, PREPARE one of the functions below, ENTER the one in assembly that leaves.
 */
#include "common.h"
#include "kexec/leave/trampoline.h"
#include "mm/layout.h"

/* From the linker script. */
extern char text_start[], text_end[], rw_start[], rw_end[], trampoline_start[], norelocate_satp[];

extern const char target[];
_Noreturn void ENTER(uint64_t hart_id, paddr_t fdt_pa, paddr_t target_pa);

static uint64_t own_pool[PAGETABLE_POOL_PAGES(SV57_LEVELS, 2)][PAGETABLE_ENTRIES]
	__attribute__((aligned(4096)));
static uint64_t trampoline_pool[TRAMPOLINE_POOL_PAGES][PAGETABLE_ENTRIES] __attribute__((aligned(4096)));
static const struct pte_attributes standard;
static paddr_t own_pa;

/* While paging is on no buffer has an address that the console knows: byte by byte. */
static void say_byte_by_byte(const char *text)
{
	while (*text)
		sbi_call(SBI_DBCN, 2, (unsigned char)*text++, 0, 0);
}

_Noreturn void fail(const char *what)
{
	say_byte_by_byte(what);
	shut_down();
}

/* Before paging, so that an address of ours is a physical one. */
static vaddr_t virtual(const char *p)
{
	return STAGE_VA + ((uintptr_t)p - own_pa);
}

enum lb_err no_trampoline(struct pagetable *pt)
{
	(void)pt;
	return LB_OK;
}

enum lb_err trampoline(struct pagetable *pt)
{
	return trampoline_build(pt, virtual(trampoline_start), (uintptr_t)trampoline_start);
}

/* A mutation: the page is not mapped at its physical address. */
enum lb_err trampoline_without_identity(struct pagetable *pt)
{
	return pagetable_map(pt, virtual(trampoline_start), (uintptr_t)trampoline_start, PAGE_SIZE,
			     PTE_R | PTE_X);
}

static void prepare_way(void)
{
	struct pagetable pt;
	enum lb_err err = pagetable_init(&pt, LEVELS, trampoline_pool, (uintptr_t)trampoline_pool,
					 ARRAY_SIZE(trampoline_pool), standard);

	if (!err)
		err = PREPARE(&pt);
	if (err)
		fail("handoff: no trampoline\n");
	trampoline_arm(trampoline_start, (size_t)(norelocate_satp - trampoline_start),
		       (uintptr_t)trampoline_start, pagetable_satp(&pt));
}

static enum lb_err map_own(struct pagetable *pt, const char *start, const char *end, uint64_t perms)
{
	return pagetable_map(pt, virtual(start), (uintptr_t)start, (uint64_t)(end - start), perms);
}

/* The tables map this program at its virtual address and nothing else, nowhere else. */
uint64_t prepare(void)
{
	struct pagetable pt;
	enum lb_err err;

	own_pa = (uintptr_t)text_start;
	say("handoff: begins at %x", own_pa);
	err = pagetable_init(&pt, LEVELS, own_pool, (uintptr_t)own_pool, ARRAY_SIZE(own_pool), standard);
	if (!err)
		err = map_own(&pt, text_start, text_end, PTE_R | PTE_X);
	if (!err)
		err = map_own(&pt, rw_start, rw_end, PTE_R | PTE_W);
	if (err)
		fail("handoff: no tables\n");
	prepare_way();
	return pagetable_satp(&pt);
}

/* Paging is on. */
_Noreturn void leave(void)
{
	say_byte_by_byte("handoff: at the virtual address\n");
	ENTER(0, 0, (uintptr_t)target - STAGE_VA + own_pa);
}

_Noreturn void arrived(uint64_t pc, uint64_t satp, uint64_t scause, uint64_t sepc)
{
	say("handoff: target pc %x satp %x scause %x sepc %x", pc, satp, scause, sepc);
	shut_down();
}
