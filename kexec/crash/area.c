// SPDX-License-Identifier: BSD-2-Clause
/*
 * The call area, for both sides: the stage makes it and reads notes, a caller prepares and writes notes.
 *
 * Nothing of the C library in here: programs without one use it (client/lifeboat_call.h).
 */
#include "kexec/crash/area.h"

#define NOTE_NAME_SIZE 5 /* "CORE" and its 0 */
#define NOTE_DESC_SIZE 376
#define NOTE_PRSTATUS  1

/* An NT_PRSTATUS note (struct elf_prstatus of 64-bit RISC-V) in its slot. */
struct slot {
	uint32_t unused;
	uint32_t name_size; /* 0: vacant. Written last */
	uint32_t desc_size;
	uint32_t type;
	char name[8];
	uint8_t info[32]; /* signals: none */
	uint32_t pid;	  /* the hart's id */
	uint8_t times[76];
	struct crash_call_regs regs;
	uint64_t fpvalid;
	uint32_t end[3]; /* a zero note header */
	uint8_t rest[100];
};

#define ASSERT_AT(type, field, offset) \
	_Static_assert(offsetof(struct type, field) == (offset), "docs/abi.md says where " #field " is")
ASSERT_AT(crash_call, magic, 0x00);
ASSERT_AT(crash_call, version, 0x08);
ASSERT_AT(crash_call, size, 0x0c);
ASSERT_AT(crash_call, pa, 0x10);
ASSERT_AT(crash_call, entry, CRASH_CALL_AT_ENTRY);
ASSERT_AT(crash_call, page, 0x20);
ASSERT_AT(crash_call, words, 0x24);
ASSERT_AT(crash_call, pool, 0x28);
ASSERT_AT(crash_call, pool_pages, 0x2c);
ASSERT_AT(crash_call, notes, 0x30);
ASSERT_AT(crash_call, note_count, 0x34);
ASSERT_AT(crash_call, cache_block, CRASH_CALL_AT_BLOCK);
ASSERT_AT(crash_call, leaf_bits, 0x40);
ASSERT_AT(crash_call, sum, 0x78);
ASSERT_AT(crash_call, self, CRASH_CALL_AT_SELF);
ASSERT_AT(crash_call, page_va, CRASH_CALL_AT_PAGE_VA);
ASSERT_AT(crash_call, notes_va, CRASH_CALL_AT_NOTES_VA);
ASSERT_AT(crash_call, caller_sum, CRASH_CALL_AT_SUM);
ASSERT_AT(crash_call, made, CRASH_CALL_AT_MADE);
ASSERT_AT(crash_call, started, CRASH_CALL_AT_STARTED);
ASSERT_AT(crash_call, hart, CRASH_CALL_AT_HARTS);
ASSERT_AT(crash_call, end, CRASH_CALL_AT_HARTS + 8 * CRASH_CALL_HARTS);
ASSERT_AT(slot, name_size, CRASH_CALL_NOTE_AT);
ASSERT_AT(slot, pid, CRASH_CALL_NOTE_AT + 20 + 32);
ASSERT_AT(slot, regs, CRASH_CALL_NOTE_AT + 20 + 112);
ASSERT_AT(slot, end, CRASH_CALL_NOTE_AT + CRASH_CALL_NOTE_SIZE - 12);
_Static_assert(sizeof(struct crash_call) <= PAGE_SIZE, "the header is a page");
_Static_assert(sizeof(struct slot) == CRASH_CALL_SLOT_SIZE, "no padding");
_Static_assert(CRASH_CALL_SLOT_SIZE == 1 << CRASH_CALL_SLOT_SHIFT, "the client shifts");
_Static_assert(CRASH_CALL_SIZE % PAGE_SIZE == 0, "whole pages");

uint64_t crash_call_sum(const void *words, size_t count)
{
	const uint64_t *word = words;
	uint64_t sum = FNV_BASIS;

	while (count--)
		sum = fnv_update(sum, *word++);
	return sum;
}

static uint64_t sum_before(const struct crash_call *area, size_t offset)
{
	return crash_call_sum(area, offset / sizeof(uint64_t));
}

static void update_sum(struct crash_call *area)
{
	area->sum = sum_before(area, offsetof(struct crash_call, sum));
}

void crash_call_init(struct crash_call *area, const struct crash_call_facts *facts)
{
	uint64_t *word = (uint64_t *)area;

	for (size_t i = 0; i < CRASH_CALL_SIZE / sizeof(*word); i++)
		word[i] = 0;
	for (size_t i = 0; i < CRASH_CALL_HARTS; i++)
		area->hart[i] = CRASH_CALL_NO_HART;
	area->end = CRASH_CALL_NO_HART;
	area->magic = CRASH_CALL_MAGIC;
	area->version = CRASH_CALL_VERSION;
	area->size = (uint32_t)CRASH_CALL_SIZE;
	area->pa = facts->pa;
	area->entry = facts->entry;
	area->page = (uint32_t)CRASH_CALL_PAGE;
	area->words = (uint32_t)facts->words;
	area->pool = (uint32_t)CRASH_CALL_POOL;
	area->pool_pages = TRAMPOLINE_POOL_PAGES;
	area->notes = (uint32_t)CRASH_CALL_NOTES;
	area->cache_block = facts->cache_block;
	area->leaf_bits = facts->leaf_bits;
	update_sum(area);
}

bool crash_call_add_hart(struct crash_call *area, uint64_t id)
{
	if (area->note_count == CRASH_CALL_HARTS || id == CRASH_CALL_NO_HART)
		return false;
	area->hart[area->note_count++] = id;
	update_sum(area);
	return true;
}

/* A part of whole pages behind the header, inside the area. */
static bool is_part(const struct crash_call *area, uint64_t offset, uint64_t size)
{
	return offset >= PAGE_SIZE && is_aligned(offset, PAGE_SIZE) && range_fits(offset, size, area->size);
}

enum lb_err crash_call_check(const struct crash_call *area, uint64_t size)
{
	if (area->magic != CRASH_CALL_MAGIC)
		return LB_ENOENT;
	if (area->version != CRASH_CALL_VERSION)
		return LB_EUNSUPPORTED;
	if (area->sum != sum_before(area, offsetof(struct crash_call, sum)) || area->size > size)
		return LB_EFORMAT;
	if (!is_aligned(area->pa, PAGE_SIZE) || !is_part(area, area->page, PAGE_SIZE) ||
	    !is_part(area, area->pool, (uint64_t)area->pool_pages * PAGE_SIZE) ||
	    !is_part(area, area->notes, (uint64_t)area->note_count * CRASH_CALL_SLOT_SIZE) ||
	    area->note_count > CRASH_CALL_HARTS || area->words > PAGE_SIZE - 16 ||
	    !is_aligned(area->words, sizeof(uint64_t)))
		return LB_EFORMAT;
	return LB_OK;
}

static enum lb_err build_tables(struct crash_call *area, vaddr_t page_va, unsigned levels, uint64_t *satp)
{
	void *pool = (char *)area + area->pool;
	struct pagetable pt;
	enum lb_err err = pagetable_init(&pt, levels, pool, area->pa + area->pool, area->pool_pages,
					 (struct pte_attributes){.ram = area->leaf_bits});

	if (!err)
		err = trampoline_build(&pt, page_va, area->pa + area->page);
	if (!err)
		*satp = pagetable_satp(&pt);
	return err;
}

enum lb_err crash_call_prepare(struct crash_call *area, uint64_t size, vaddr_t page_va, unsigned levels)
{
	enum lb_err err = crash_call_check(area, size);
	uint64_t satp = 0;

	if (err)
		return err;
	area->self = 0;
	if (levels)
		err = build_tables(area, page_va, levels, &satp);
	else if (page_va != area->pa + area->page)
		err = LB_EINVAL;
	if (err)
		return err;
	trampoline_arm((char *)area + area->page, area->words, area->pa + area->page, satp);
	area->page_va = page_va;
	area->notes_va = (uintptr_t)area + area->notes;
	area->self = (uintptr_t)area;
	area->caller_sum = sum_before(area, offsetof(struct crash_call, caller_sum));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return LB_OK;
}

static struct slot *slot_of(const struct crash_call *area, size_t index)
{
	return (struct slot *)((uintptr_t)area + area->notes + index * CRASH_CALL_SLOT_SIZE);
}

static void write_note(struct slot *slot, uint64_t id, const struct crash_call_regs *regs)
{
	*(volatile uint32_t *)&slot->name_size = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	slot->desc_size = NOTE_DESC_SIZE;
	slot->type = NOTE_PRSTATUS;
	for (size_t i = 0; i < sizeof(slot->name); i++)
		slot->name[i] = "CORE\0\0\0"[i];
	slot->pid = (uint32_t)id;
	slot->regs = *regs;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)&slot->name_size = NOTE_NAME_SIZE;
}

enum lb_err crash_call_save(struct crash_call *area, uint64_t id, const struct crash_call_regs *regs)
{
	for (size_t i = 0; i < area->note_count && i < CRASH_CALL_HARTS; i++) {
		if (area->hart[i] == id) {
			write_note(slot_of(area, i), id, regs);
			return LB_OK;
		}
	}
	return LB_ENOENT;
}

bool crash_call_has_note(const struct crash_call *area, size_t index)
{
	const struct slot *slot = slot_of(area, index);
	const uint32_t core = 0x45524f43; /* "CORE" */
	uint32_t name;

	__builtin_memcpy(&name, slot->name, sizeof(name));
	return slot->name_size == NOTE_NAME_SIZE && slot->desc_size == NOTE_DESC_SIZE &&
	       slot->type == NOTE_PRSTATUS && name == core && !slot->name[4] && !slot->end[0];
}

uint64_t crash_call_note_offset(const struct crash_call *area, size_t index)
{
	return area->notes + index * CRASH_CALL_SLOT_SIZE + CRASH_CALL_NOTE_AT;
}
