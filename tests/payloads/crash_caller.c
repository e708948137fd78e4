// SPDX-License-Identifier: BSD-2-Clause
/*
 * A primary that calls the crash kernel: fills RAM as crash_primary.c does, goes to a high virtual address on
 * tables of its own, and dies by client/lifeboat_call.h, in as bad a state as it is told.
 */
#include "client/lifeboat_call.h"

#include "crash_fill.h"

/* Levels of the paging mode; 0: none. */
#ifndef LEVELS
#define LEVELS 0
#endif
/* How many indices the trampoline page's VA shares with its PA, from the root on; LEVELS: it is the PA. */
#ifndef SHARED
#define SHARED 0
#endif
/* Which hart dies; -1: the one that boots, and no other is started. */
#ifndef DYING_HART
#define DYING_HART -1
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
/* Are the registers given, or taken as they are? */
#ifndef GIVEN
#define GIVEN 0
#endif
/*
 * What else is wrong: stvec leads nowhere; or interrupts are on, one is pending, and a timer is about to be.
 */
#ifndef BAD_STVEC
#define BAD_STVEC 0
#endif
#ifndef INTERRUPTS
#define INTERRUPTS 0
#endif
/* That timer, in ticks from then. */
#ifndef SOON
#define SOON 10
#endif
/*
 * Do the other harts report, or run on? LATE: not before the call is made, so that it has to wait for them.
 */
#ifndef COOPERATE
#define COOPERATE 1
#endif
#ifndef LATE
#define LATE 0
#endif
/* The other harts report as nobody: as -1, which ends the area's list of harts. */
#ifndef NOBODY
#define NOBODY 0
#endif
/*
 * What the test breaks: BREAK_LEAF the page's identity mapping, BREAK_HEADER, BREAK_NOTE another hart's,
 * BREAK_REGS, BREAK_RECORD, or a word at BREAK_WORD bytes from the crash entry.
 */
#ifndef BREAK_WORD
#define BREAK_WORD 0
#endif

#define HARTS	      8
#define POOL_PAGES    24
#define STACK	      4096
#define IMAGE_VA      UINT64_C(0xffffffff80000000)
#define AREA_VA	      UINT64_C(0xffffffffa0000000)
#define PTE(pa, bits) ((pa) >> 12 << 10 | (bits))
#define PTE_TABLE     UINT64_C(0x01)
#define PTE_RX	      UINT64_C(0x4b)
#define PTE_RW	      UINT64_C(0xc7)
#define PTE_RWX	      UINT64_C(0xcf)
#define SIE_STIE      (1 << 5)
#define SIP_SSIP      (1 << 1)
#define SSTATUS_SIE   (1 << 1)
#define SBI_TIME      0x54494d45

static struct {
	uint64_t area_pa, area_size, page_va, satp, offset, entry_pa;
	volatile uint64_t arrived, dead;
	uint64_t used_pages;
} shared;

static uint64_t pool[POOL_PAGES][512] __attribute__((aligned(4096)));
static uint8_t stacks[HARTS][STACK] __attribute__((aligned(16)));
static struct crash_call_regs given[HARTS];

/* Physical address of something of ours; run with paging off. */
static uint64_t here(const void *symbol)
{
	return (uintptr_t)symbol;
}

/* With paging on no address is good for DBCN. */
static _Noreturn void fail_high(const char *why)
{
	while (*why)
		sbi_call(1, 0, (uint8_t)*why++, 0, 0);
	sbi_call(1, 0, '\n', 0, 0);
	shut_down();
}

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	if (!CSR_READ(satp))
		say("primary: trap %x at %x, stval %x", scause, sepc, stval);
	fail_high("primary: FAIL trapped");
}

/* ---- The tables ---- */

static uint64_t *new_table(void)
{
	uint64_t *table = pool[shared.used_pages++];

	if (shared.used_pages > POOL_PAGES) {
		say("primary: FAIL too many tables");
		shut_down();
	}
	for (size_t i = 0; i < 512; i++)
		table[i] = 0;
	return table;
}

static void map_page(uint64_t va, uint64_t pa, uint64_t bits)
{
	uint64_t *table = pool[0];

	for (int level = LEVELS - 1; level > 0; level--) {
		uint64_t *pte = &table[va >> (12 + 9 * level) & 511];

		if (!*pte)
			*pte = PTE(here(new_table()), PTE_TABLE);
		table = (uint64_t *)(*pte >> 10 << 12);
	}
	table[va >> 12 & 511] = PTE(pa, bits);
}

static void map_range(uint64_t va, uint64_t pa, uint64_t size, uint64_t bits)
{
	for (uint64_t at = 0; at < size; at += 4096)
		map_page(va + at, pa + at, bits);
}

/* The high half's bits of a mode. */
static uint64_t upper_half(void)
{
	return -(UINT64_C(1) << (12 + 9 * LEVELS - 1));
}

static uint64_t page_va_for(uint64_t pa)
{
	if (!LEVELS || SHARED == LEVELS)
		return pa;
	if (!SHARED)
		return pa | upper_half();
	return pa ^ UINT64_C(1) << (12 + 9 * (LEVELS - 1 - SHARED));
}

static void build_tables(const struct crash_call *area)
{
	const uint64_t page_pa = shared.area_pa + area->page;

	shared.used_pages = 0;
	new_table();
	map_range(IMAGE_VA, here(image_start), (uint64_t)(image_end - image_start), PTE_RWX);
	map_range(AREA_VA, shared.area_pa, shared.area_size, PTE_RW);
	map_page(shared.page_va, page_pa, PTE_RX);
	shared.satp = (UINT64_C(5) + LEVELS) << 60 | here(pool) >> 12;
	shared.offset = IMAGE_VA - here(image_start);
}

/* ---- Dying ---- */

_Noreturn void die(struct crash_call *area, uint64_t hart, const struct crash_call_regs *regs, uint64_t flags,
		   bool report);
_Noreturn void go_high(uint64_t satp, uint64_t offset, uint64_t hart, uint64_t stack);
_Noreturn void live_high(uint64_t hart);
void start_hart(void);

/* Every register gets a value of its own (crash_pattern.h), the stack pointer too. */
__asm__("	.pushsection .text\n"
	"	.macro	load_registers\n"
	"	li	t0, 0x5ea0000000000000\n"
	"	slli	t1, a1, 16\n"
	"	add	t0, t0, t1\n"
	"	.irp	n, 1,2,3,4,6,7,8,9,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	addi	x\\n, t0, \\n * 0x11\n"
	"	.endr\n"
	"	addi	t0, t0, 5 * 0x11\n"
	"	rdinstret t6\n"
	"	.endm\n"
	"die:	bnez	a4, 1f\n"
	"	load_registers\n"
	"	j	lifeboat_call_crash\n"
	"1:	load_registers\n"
	"	j	lifeboat_call_report\n"

	"go_high:\n" /* a0 satp   a1 VA less PA   a2 hart   a3 stack: the fetch behind the switch faults */
	"	lla	t0, 1f\n"
	"	add	t0, t0, a1\n"
	"	csrw	stvec, t0\n"
	"	add	sp, a3, a1\n"
	"	sfence.vma\n"
	"	beqz	a0, 1f\n"
	"	csrw	satp, a0\n"
	"	.balign	4\n"
	"1:	sfence.vma\n"
	"	lla	t0, caller_trap\n"
	"	csrw	stvec, t0\n"
	"	mv	a0, a2\n"
	"	j	live_high\n"

	"	.balign	4\n"
	"caller_trap:\n" /* an interrupt: no more of them */
	"	csrw	sscratch, t0\n"
	"	csrr	t0, scause\n"
	"	bgez	t0, 1f\n"
	"	csrw	sie, zero\n"
	"	csrr	t0, sscratch\n"
	"	sret\n"
	"1:	lla	sp, stacks + 4096\n"
	"	csrr	a0, scause\n"
	"	csrr	a1, sepc\n"
	"	csrr	a2, stval\n"
	"	call	trapped\n"

	"	.balign	4\n"
	"start_hart:\n" /* a0 hart, satp = 0 */
	"	mv	a2, a0\n"
	"	lla	t0, shared\n"
	"	ld	a0, 24(t0)\n"
	"	ld	a1, 32(t0)\n"
	"	lla	a3, stacks\n"
	"	addi	t1, a2, 1\n"
	"	slli	t1, t1, 12\n"
	"	add	a3, a3, t1\n"
	"	j	go_high\n"
	"	.popsection\n");

static struct crash_call *area_here(void)
{
	return (void *)(LEVELS ? AREA_VA : shared.area_pa);
}

static const struct crash_call_regs *registers_of(uint64_t hart)
{
	uint64_t *word = (uint64_t *)&given[hart];

#ifdef BREAK_REGS
	return (const void *)UINT64_C(0x4444000);
#endif
	if (!GIVEN)
		return NULL;
	for (uint64_t i = 0; i < 32; i++)
		word[i] = saved_register(hart, i);
	word[31] = CSR_READ(instret);
	return &given[hart];
}

static void make_trouble(void)
{
	if (INTERRUPTS) {
		__asm__ volatile("csrw sie, %0" ::"r"(SIE_STIE));
		__asm__ volatile("csrs sip, %0" ::"r"(SIP_SSIP));
		sbi_call(SBI_TIME, 0, CSR_READ(time) + SOON, 0, 0);
		__asm__ volatile("csrs sstatus, %0" ::"r"(SSTATUS_SIE));
	}
	if (BAD_STVEC)
		__asm__ volatile("csrw stvec, %0" ::"r"(0x10));
}

static void break_things(struct crash_call *area, uint64_t own)
{
#ifdef BREAK_LEAF
	const uint64_t pa = area->pa + area->page;
	uint64_t *words = (uint64_t *)((uintptr_t)area + area->page + area->words);
	const uint64_t root = words[0] << 20 >> 8; /* PPN to PA */
	uint64_t *table = (uint64_t *)((uintptr_t)area + (root - area->pa));

	for (int level = LEVELS - 1; level > 0; level--)
		table = (uint64_t *)((uintptr_t)area +
				     ((table[pa >> (12 + 9 * level) & 511] >> 10 << 12) - area->pa));
	table[pa >> 12 & 511] = 0;
#endif
#ifdef BREAK_HEADER
	area->entry += 8;
#endif
	(void)own;
#ifdef WAIT_KEY /* what the test breaks from outside */
	say("primary: waits for a key");
	while ((int64_t)sbi_call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0).error < 0)
		;
#endif
#ifdef BREAK_NOTE
	const uint64_t other = own ^ 1; /* with four harts its slot has that number, too */

	if (lifeboat_call_save(area, other, registers_of(own)))
		fail_high("primary: FAIL another hart has no slot");
	*(uint32_t *)((uintptr_t)area + area->notes + (other << CRASH_CALL_SLOT_SHIFT) + 8) = 1 << 30;
#endif
#ifdef BREAK_RECORD /* somebody wrote the newest slot since; with paging off */
	uint64_t slot = area->pa + area->size + 0x88000; /* docs/abi.md: behind it are three logs */

	if ((int32_t)(*(uint32_t *)(slot + 4096 + 0x14) - *(uint32_t *)(slot + 0x14)) > 0)
		slot += 4096;
	*(uint32_t *)(slot + 8) ^= 1;
#endif
	if (BREAK_WORD)
		*(volatile uint64_t *)(area->entry + (uint64_t)(int64_t)BREAK_WORD) ^= 1;
}

static void start_others(uint64_t own)
{
	for (uint64_t hart = 0; hart < HARTS; hart++) {
		if (hart != own)
			sbi_call(SBI_HSM, HSM_START, hart, shared.entry_pa, 0);
	}
}

/* Those that were started and have not come yet are among them. */
static uint64_t running_others(uint64_t own)
{
	uint64_t running = 0;

	for (uint64_t hart = 0; hart < HARTS; hart++) {
		const struct sbi_result status = sbi_call(SBI_HSM, HSM_STATUS, hart, 0, 0);

		running += hart != own && !status.error && status.value != HSM_STOPPED;
	}
	return running;
}

/* However the harts are scheduled: all have come, and all that cooperate have reported and stopped. */
static void gather_others(uint64_t own)
{
	uint64_t arrived;

	do
		arrived =
			shared.arrived; /* before the look: whoever started the others arrives behind that */
	while (arrived != running_others(own));
	shared.dead = 1;
	while (COOPERATE && !LATE && running_others(own))
		;
}

/* No slot behind the last hart's may have got a note: it is nobody's, or memory of somebody else. */
static void check_behind_slots(const struct crash_call *area)
{
	const uintptr_t behind =
		(uintptr_t)area + area->notes + ((uintptr_t)area->note_count << CRASH_CALL_SLOT_SHIFT);

	if (*(const volatile uint32_t *)(behind + CRASH_CALL_NOTE_AT))
		fail_high("primary: FAIL a note behind the last slot");
}

static bool is_dying_hart(uint64_t hart)
{
	return DYING_HART < 0 || hart == (uint64_t)(int64_t)DYING_HART;
}

_Noreturn void live_high(uint64_t hart)
{
	struct crash_call *area = area_here();

	if (!area->self) { /* the first hart */
		if (lifeboat_call_prepare(area, shared.area_size, shared.page_va, LEVELS))
			fail_high("primary: FAIL not prepared");
		break_things(area, hart);
		if (DYING_HART >= 0)
			start_others(hart);
	}
	if (is_dying_hart(hart)) {
		gather_others(hart);
		check_behind_slots(area);
		make_trouble();
		die(area, hart, registers_of(hart), FLAGS, false);
	}
	__atomic_fetch_add(&shared.arrived, 1, __ATOMIC_SEQ_CST);
	while (!COOPERATE || !shared.dead || (LATE && *(volatile uint64_t *)&area->made != CRASH_CALL_MADE))
		;
	die(area, NOBODY ? UINT64_MAX : hart, registers_of(hart), 0, true);
}

static void find_area(const void *fdt)
{
	enum fdt_event event;
	struct fdt_walk walk;

	fdt_begin(&walk, fdt);
	while ((event = fdt_next(&walk)) != FDT_END && event != FDT_BROKEN) {
		if (event != FDT_PROPERTY || walk.depth != 3 || walk.size != 16 ||
		    !is_same(walk.property, "lifeboat,crash-call"))
			continue;
		shared.area_pa = be_cells(walk.value, 2);
		shared.area_size = be_cells(walk.value + 8, 2);
	}
}

void main(const struct entry_state *entry)
{
	const void *fdt = (const void *)entry->x[A1];
	struct crash_call *area;

	for (size_t i = 0; i < sizeof(shared) / 8; i++)
		((uint64_t *)&shared)[i] = 0;
	find_area(fdt);
	fill_ram(fdt); /* the FDT too */
	area = (void *)shared.area_pa;
	if (!area || lifeboat_call_check(area, shared.area_size)) {
		say("primary: FAIL no call area at %x", shared.area_pa);
		shut_down();
	}
	shared.page_va = page_va_for(shared.area_pa + area->page);
	shared.entry_pa = here((const void *)start_hart);
	if (LEVELS)
		build_tables(area);
	say("primary: hart %u begins, page at %x, also at %x", entry->x[A0], shared.area_pa + area->page,
	    shared.page_va);
	go_high(shared.satp, shared.offset, entry->x[A0], here(stacks[entry->x[A0] + 1]));
}
