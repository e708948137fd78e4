// SPDX-License-Identifier: BSD-2-Clause
/*
 * The system around the example of docs/integration.md, which EXAMPLE names: identity-mapped in Sv39, on four
 * harts, of which the third dies as soon as all are up.
 */
#include "crash_pattern.h"
#include "fdt.h"
#include "rtos.h"

#define PTE_TABLE 0x01
#define PTE_RWX	  UINT64_C(0xcf)
#define STACK	  4096
#define HARTS	  4

static uint64_t tables[4][512] __attribute__((aligned(4096)));
static uint8_t stacks[HARTS][STACK] __attribute__((aligned(16), used));
static uint64_t used_tables;
static volatile uint64_t arrived, dying;

void crash_setup(const void *fdt);
_Noreturn void panic(const struct crash_call_regs *regs);
_Noreturn void crash_ipi(const struct crash_call_regs *regs);
_Noreturn void live(uint64_t hart);
void begin_hart(void);

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("example: FAIL trap %x at %x, stval %x", scause, sepc, stval);
	shut_down();
}

bool fdt_find_range(const void *fdt, const char *compatible, const char *property, uint64_t *pa,
		    uint64_t *size)
{
	enum fdt_event event;
	struct fdt_walk walk;
	bool is_it = false;

	*pa = 0;
	fdt_begin(&walk, fdt);
	while ((event = fdt_next(&walk)) != FDT_END && event != FDT_BROKEN) {
		if (event == FDT_NODE) {
			is_it = false;
			continue;
		}
		if (event != FDT_PROPERTY)
			continue;
		is_it |=
			is_same(walk.property, "compatible") && is_same((const char *)walk.value, compatible);
		if (walk.size == 16 && is_same(walk.property, property)) {
			*pa = be_cells(walk.value, 2);
			*size = be_cells(walk.value + 8, 2);
		}
		if (is_it && *pa)
			return true;
	}
	return false;
}

static uint64_t *table_below(uint64_t *pte)
{
	if (!*pte)
		*pte = (uint64_t)(uintptr_t)tables[used_tables++] >> 12 << 10 | PTE_TABLE;
	return (uint64_t *)(*pte >> 10 << 12);
}

void map(uint64_t va, uint64_t pa, uint64_t size, uint64_t rights)
{
	for (uint64_t at = 0; at < size; at += 4096) {
		uint64_t *table = table_below(&tables[0][(va + at) >> 30 & 511]);

		table = table_below(&table[(va + at) >> 21 & 511]);
		table[(va + at) >> 12 & 511] = (pa + at) >> 12 << 10 | rights | 0xc1; /* D A V */
	}
	__asm__ volatile("sfence.vma" ::: "memory");
}

/* tp, as this system keeps it. */
uint64_t this_hart(void)
{
	uint64_t hart;

	__asm__("mv %0, tp" : "=r"(hart));
	return hart;
}

/* And waits until they have, however they are scheduled. */
void stop_other_harts(void)
{
	dying = 1;
	for (uint64_t hart = 0; hart < HARTS; hart++) {
		while (hart != this_hart() && sbi_call(SBI_HSM, HSM_STATUS, hart, 0, 0).value != HSM_STOPPED)
			;
	}
}

_Noreturn void machine_reset(void)
{
	say("example: FAIL it can't call");
	shut_down();
}

__asm__(".pushsection .text\n"
	"begin_hart:\n" /* a0 hart   a1 satp */
	"	mv	tp, a0\n"
	"	lla	sp, stacks\n"
	"	addi	t1, a0, 1\n"
	"	slli	t1, t1, 12\n"
	"	add	sp, sp, t1\n"
	"	csrw	satp, a1\n"
	"	sfence.vma\n"
	"	j	live\n"
	".popsection\n");

_Noreturn void live(uint64_t hart)
{
	struct crash_call_regs regs;

	for (uint64_t i = 0; i < 32; i++)
		((uint64_t *)&regs)[i] = saved_register(hart, i);
	if (hart == 2) {
		while (arrived != HARTS - 1)
			;
		panic(&regs);
	}
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
	while (!dying)
		;
	crash_ipi(&regs);
}

void main(const struct entry_state *entry)
{
	const uint64_t satp = UINT64_C(8) << 60 | (uint64_t)(uintptr_t)tables >> 12;
	const uint64_t own = entry->x[A0];

	used_tables = 1;
	arrived = dying = 0;
	for (size_t i = 0; i < sizeof(tables) / 8; i++)
		((uint64_t *)tables)[i] = 0;
	tables[0][2] = UINT64_C(0x80000000) >> 12 << 10 | PTE_RWX; /* the GiB that it lies in */
	__asm__ volatile("csrw satp, %0; sfence.vma" ::"r"(satp) : "memory");
	crash_setup((const void *)entry->x[A1]);
	for (uint64_t hart = 0; hart < HARTS; hart++) {
		if (hart != own)
			sbi_call(SBI_HSM, HSM_START, hart, (uintptr_t)begin_hart, satp);
	}
	__asm__ volatile("mv a0, %0; mv a1, %1; j begin_hart" ::"r"(own), "r"(satp) : "a0", "a1");
	__builtin_unreachable();
}

#include EXAMPLE
