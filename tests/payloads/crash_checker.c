// SPDX-License-Identifier: BSD-2-Clause
/*
 * A crash payload that looks at the dead kernel's RAM as Linux would: by linux,elfcorehdr and the PT_LOADs
 * behind it. It compares every word with what crash_primary.c wrote, says which ranges differ, and resets the
 * machine.
 */
#include "crash_pattern.h"
#include "fdt.h"

#define LOADS_MAX	256 /* notes, too */
#define DIFFERENCES_MAX 8

enum { PT_LOAD = 1, PT_NOTE = 4, ET_CORE = 4, EM_RISCV = 243 };

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct chosen {
	uint64_t core, core_size, usable, usable_size;
};

static _Noreturn void fail(const char *why)
{
	say("checker: FAIL %s", why);
	shut_down();
}

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("checker: trap %x at %x, stval %x", scause, sepc, stval);
	fail("trapped");
}

static struct chosen read_chosen(const void *fdt)
{
	struct chosen chosen = {0, 0, 0, 0};
	enum fdt_event event;
	struct fdt_walk walk;

	fdt_begin(&walk, fdt);
	while ((event = fdt_next(&walk)) != FDT_END) {
		if (event == FDT_BROKEN)
			fail("the FDT is broken");
		if (event != FDT_PROPERTY || walk.depth != 2 || walk.size != 16 ||
		    !is_same(walk.node[2], "chosen"))
			continue;
		if (is_same(walk.property, "linux,elfcorehdr")) {
			chosen.core = be_cells(walk.value, 2);
			chosen.core_size = be_cells(walk.value + 8, 2);
		} else if (is_same(walk.property, "linux,usable-memory-range")) {
			chosen.usable = be_cells(walk.value, 2);
			chosen.usable_size = be_cells(walk.value + 8, 2);
		}
	}
	return chosen;
}

/* struct elf_prstatus of 64-bit RISC-V in a note, as the Linux ABI has it. */
struct prstatus {
	uint32_t name_size, desc_size, type;
	char name[8];
	uint8_t before[112];
	uint64_t reg[32];
	uint64_t fpvalid;
	uint32_t end[3];
} __attribute__((packed));

/* Registers that a caller saved: those that differ from what crash_caller.c loads are bits of the mask. */
static size_t check_note(const struct program_header *note, uint64_t begun)
{
	const struct prstatus *status = (const void *)note->paddr;
	uint32_t hart, different = 0;

	if (note->offset != note->paddr || note->memsz < sizeof(struct prstatus) || status->name_size != 5 ||
	    status->desc_size != 376 || status->type != 1 || !is_same(status->name, "CORE"))
		return 0;
	hart = *(const uint32_t *)&status->before[32];
	for (uint32_t i = 0; i < 32; i++)
		different |= (uint32_t)(status->reg[i] != saved_register(hart, i)) << i;
	if (status->end[0])
		fail("a note does not end");
	say("checker: note of hart %u differs in %x, %u instructions ago", (uint64_t)hart,
	    (uint64_t)different, begun - status->reg[31]);
	return 1;
}

/* The words of [@start, @end): how many bytes are as they should be; ranges of others on the console. */
static uint64_t verify(uint64_t start, uint64_t end, uint64_t *differences)
{
	uint64_t same = 0, other = 0;

	for (uint64_t at = start; at < end; at += 8) {
		if (*(volatile uint64_t *)at == pattern(at)) {
			same += 8;
			if (other && (*differences)++ < DIFFERENCES_MAX)
				say("checker: differs %x..%x", other, at);
			other = 0;
		} else if (!other) {
			other = at;
		}
	}
	if (other && (*differences)++ < DIFFERENCES_MAX)
		say("checker: differs %x..%x", other, end);
	return same;
}

static void check_load(const struct program_header *load, size_t index, const struct chosen *chosen)
{
	const uint64_t end = load[index].paddr + load[index].memsz;

	if (load[index].offset != load[index].paddr || load[index].filesz != load[index].memsz ||
	    (load[index].paddr | end) % 4096 || end <= load[index].paddr)
		fail("a PT_LOAD makes no sense");
	if (load[index].paddr < chosen->usable + chosen->usable_size && end > chosen->usable)
		fail("a PT_LOAD touches usable memory");
	for (size_t i = 0; i < index; i++) {
		if (load[i].type == PT_LOAD && load[i].paddr < end &&
		    load[index].paddr < load[i].paddr + load[i].memsz)
			fail("two PT_LOADs overlap");
	}
}

static void check_core(const struct chosen *chosen, uint64_t begun)
{
	const struct elf_header *elf = (const void *)chosen->core;
	const struct program_header *load = (const void *)(chosen->core + sizeof(*elf));
	uint64_t total = 0, same = 0, differences = 0;
	size_t notes = 0, saved = 0;

	if (!begins_with((const char *)elf, "\177ELF\2\1\1") || elf->type != ET_CORE ||
	    elf->machine != EM_RISCV || elf->phoff != sizeof(*elf) || elf->phentsize != sizeof(*load) ||
	    elf->phnum > LOADS_MAX || sizeof(*elf) + elf->phnum * sizeof(*load) > chosen->core_size)
		fail("the core header is no core header");
	for (size_t i = 0; i < elf->phnum; i++) {
		if (load[i].type == PT_NOTE) {
			notes++;
			saved += check_note(&load[i], begun);
		}
		if (load[i].type != PT_LOAD)
			continue;
		check_load(load, i, chosen);
		total += load[i].memsz;
		same += verify(load[i].paddr, load[i].paddr + load[i].memsz, &differences);
	}
	if (!notes)
		fail("the core header has no note");
	say("checker: %u notes, %u of them registers", (uint64_t)notes, (uint64_t)saved);
	say("checker: verified %u of %u bytes, %u differences", same, total, differences);
}

/* What norelocate promises. */
static void check_entry(const struct entry_state *entry)
{
	const uint64_t bad_status = 1 << 1 | 3 << 9 | 3 << 13 | 1 << 18 | 1 << 19;

	for (size_t i = 1; i < 32; i++) {
		if (i != A0 && i != A1 && entry->x[i])
			fail("a register is not zero");
	}
	if (entry->satp || entry->sie || entry->sip & 0x22 || entry->sstatus & bad_status)
		fail("satp, sie, sip or sstatus is not as it must be");
}

void main(const struct entry_state *entry)
{
	const uint64_t begun = CSR_READ(instret); /* start.S had some forty */
	const struct chosen chosen = read_chosen((const void *)entry->x[A1]);

	check_entry(entry);
	say("checker: on hart %u", entry->x[A0]);
	if (!chosen.core || !chosen.usable)
		fail("the FDT says nothing of a core header, or of usable memory");
	if (chosen.core < chosen.usable ||
	    chosen.core + chosen.core_size > chosen.usable + chosen.usable_size)
		fail("the core header is not in usable memory");
	check_core(&chosen, begun);
	/* A UART forgets in a reset what it has not sent: let that be of a line that nobody waits for. */
	say("checker: done, resetting");
	sbi_call(SBI_SRST, 0, 1, 0, 0); /* cold reboot */
	fail("no reset");
}
