// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checks everything that a payload may rely on when it is entered, says one verdict line and switches off.
 *
 * What the test wants is built in by the WANT_ macros. The first thing that is wrong ends the run.
 */
#include "fdt.h"

/* The bootargs, whole. */
#ifndef WANT_BOOTARGS
#define WANT_BOOTARGS ""
#endif
/* Bytes of the initrd; 0: there must be none. */
#ifndef WANT_INITRD_SIZE
#define WANT_INITRD_SIZE 0
#define WANT_INITRD_CRC	 0
#endif
/* Harts that the FDT lists as enabled; 0: any number. */
#ifndef WANT_HARTS
#define WANT_HARTS 0
#endif
/* Bytes of RAM in all memory nodes; 0: any number. */
#ifndef WANT_MEMORY
#define WANT_MEMORY 0
#endif
/* Where this program has to lie, and at a multiple of what; 0: anywhere. */
#ifndef WANT_LOAD
#define WANT_LOAD 0
#endif
#ifndef WANT_ALIGN
#define WANT_ALIGN 0x200000
#endif
/* Whether bss must be zero: ELF promises it, the Image format does not. */
#ifndef WANT_ZERO_BSS
#define WANT_ZERO_BSS 0
#endif

#define RANGES_MAX 32
#define HARTS_MAX  64

#define FDT_MAGIC   0xd00dfeed
#define FDT_VERSION 17

#define SIP_SSIP (UINT64_C(1) << 1)
#define SIP_STIP (UINT64_C(1) << 5)

struct range {
	uint64_t base, size;
};

struct ranges {
	struct range range[RANGES_MAX];
	size_t count;
};

struct hart {
	uint64_t id;
	bool enabled;
};

/** What the FDT says. */
struct machine {
	uint32_t address_cells, size_cells;
	uint64_t timebase;
	struct ranges ram, reserved;
	struct hart hart[HARTS_MAX];
	size_t hart_count;
	bool has_initrd_start, has_initrd_end;
	uint64_t initrd_start, initrd_end;
	const char *bootargs;
};

static struct machine the_machine;
static volatile uint32_t harts_arrived;

static _Noreturn void fail(const char *what, uint64_t got, uint64_t wanted)
{
	say("contract: FAIL %s got %x wanted %x", what, got, wanted);
	shut_down();
}

static void want(const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		fail(what, got, wanted);
}

_Noreturn void trapped(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	say("contract: FAIL trap scause %x sepc %x stval %x", scause, sepc, stval);
	shut_down();
}

/* The registers and CSRs that start.S kept. */

static void check_registers(const struct entry_state *entry)
{
	char name[] = "x0 (integer register)";
	char name2[] = "x00 (integer register)";

	for (uint64_t i = 1; i < 32; i++) {
		if (i == A0 || i == A1)
			continue;
		name[1] = name2[2] = (char)('0' + i % 10);
		name2[1] = (char)('0' + i / 10);
		want(i < 10 ? name : name2, entry->x[i], 0);
	}
}

static void check_csrs(const struct entry_state *entry)
{
	/* SPIE is not here: the return instruction that entered has set it. */
	static const struct {
		char name[16];
		uint64_t mask;
	} status[] = {
		{"sstatus.SIE", 1 << 1},  {"sstatus.UBE", 1 << 6}, {"sstatus.VS", 3 << 9},
		{"sstatus.FS", 3 << 13},  {"sstatus.XS", 3 << 15}, {"sstatus.SUM", 1 << 18},
		{"sstatus.MXR", 1 << 19},
	};

	want("satp", entry->satp, 0);
	want("sie", entry->sie, 0);
	want("sip.SSIP", entry->sip & SIP_SSIP, 0);
	want("sip.STIP", entry->sip & SIP_STIP, 0);
	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++)
		want(status[i].name, entry->sstatus & status[i].mask, 0);
	want("sscratch", entry->sscratch, 0);
	want("stvec alignment", entry->stvec & 3, 0);
}

/* Ranges. */

static bool overlap(struct range a, struct range b)
{
	return a.size && b.size && (a.base - b.base < b.size || b.base - a.base < a.size);
}

static bool is_inside(const struct ranges *outer, struct range inner)
{
	for (size_t i = 0; i < outer->count; i++) {
		uint64_t offset = inner.base - outer->range[i].base;

		if (offset < outer->range[i].size && inner.size <= outer->range[i].size - offset)
			return true;
	}
	return false;
}

static void add_range(struct ranges *ranges, uint64_t base, uint64_t size)
{
	if (ranges->count == RANGES_MAX)
		fail("ranges in the FDT", ranges->count + 1, RANGES_MAX);
	ranges->range[ranges->count++] = (struct range){base, size};
}

/* The FDT. */

static void add_reg(struct ranges *ranges, const struct machine *machine, const struct fdt_walk *walk)
{
	uint32_t step = 4 * (machine->address_cells + machine->size_cells);

	if (!step || walk->size % step)
		fail("size of a reg", walk->size, step);
	for (uint32_t at = 0; at < walk->size; at += step) {
		const uint8_t *entry = walk->value + at;

		add_range(ranges, be_cells(entry, machine->address_cells),
			  be_cells(entry + 4 * machine->address_cells, machine->size_cells));
	}
}

static void read_root(struct machine *machine, const struct fdt_walk *walk)
{
	if (is_same(walk->property, "#address-cells"))
		machine->address_cells = be32(walk->value);
	else if (is_same(walk->property, "#size-cells"))
		machine->size_cells = be32(walk->value);
}

static void read_chosen(struct machine *machine, const struct fdt_walk *walk)
{
	if (is_same(walk->property, "bootargs")) {
		machine->bootargs = (const char *)walk->value;
		want("end of bootargs", walk->value[walk->size - 1], 0);
		want("length of bootargs", length_of(machine->bootargs) + 1, walk->size);
	} else if (is_same(walk->property, "linux,initrd-start")) {
		machine->has_initrd_start = true;
		machine->initrd_start = be_cells(walk->value, walk->size / 4);
	} else if (is_same(walk->property, "linux,initrd-end")) {
		machine->has_initrd_end = true;
		machine->initrd_end = be_cells(walk->value, walk->size / 4);
	}
}

static void read_cpu(struct machine *machine, const struct fdt_walk *walk)
{
	struct hart *hart = &machine->hart[machine->hart_count - 1];

	if (is_same(walk->property, "reg"))
		hart->id = be_cells(walk->value, walk->size / 4);
	else if (is_same(walk->property, "status"))
		hart->enabled = is_same((const char *)walk->value, "okay");
}

static void read_property(struct machine *machine, const struct fdt_walk *walk)
{
	const char *top = walk->depth > 1 ? walk->node[2] : "";
	bool is_reg = is_same(walk->property, "reg");

	if (walk->depth == 1)
		read_root(machine, walk);
	else if (walk->depth == 2 && is_same(top, "chosen"))
		read_chosen(machine, walk);
	else if (walk->depth == 2 && is_same(top, "cpus") && is_same(walk->property, "timebase-frequency"))
		machine->timebase = be_cells(walk->value, walk->size / 4);
	else if (walk->depth == 2 && begins_with(top, "memory@") && is_reg)
		add_reg(&machine->ram, machine, walk);
	else if (walk->depth == 3 && is_same(top, "cpus") && begins_with(walk->node[3], "cpu@"))
		read_cpu(machine, walk);
	else if (walk->depth == 3 && is_same(top, "reserved-memory") && is_reg)
		add_reg(&machine->reserved, machine, walk);
}

static void read_node(struct machine *machine, const struct fdt_walk *walk)
{
	if (walk->depth != 3 || !is_same(walk->node[2], "cpus") || !begins_with(walk->node[3], "cpu@"))
		return;
	if (machine->hart_count == HARTS_MAX)
		fail("harts in the FDT", HARTS_MAX + 1, HARTS_MAX);
	machine->hart[machine->hart_count++] = (struct hart){.id = UINT64_MAX, .enabled = true};
}

static void read_fdt(struct machine *machine, const void *fdt)
{
	struct fdt_walk walk;
	enum fdt_event event;

	fdt_begin(&walk, fdt);
	while ((event = fdt_next(&walk)) != FDT_END) {
		if (event == FDT_BROKEN)
			fail("FDT structure at offset", walk.at, walk.end);
		if (event == FDT_NODE)
			read_node(machine, &walk);
		if (event == FDT_PROPERTY)
			read_property(machine, &walk);
	}
}

static void read_memreserve(struct machine *machine, const uint8_t *fdt)
{
	const struct fdt_header *header = (const void *)fdt;
	const uint8_t *entry = fdt + be32(&header->off_mem_rsvmap);

	for (; be_cells(entry + 8, 2); entry += 16)
		add_range(&machine->reserved, be_cells(entry, 2), be_cells(entry + 8, 2));
}

static uint32_t check_fdt_header(uint64_t fdt)
{
	const struct fdt_header *header;
	uint32_t total;

	if (!fdt || fdt % 8)
		fail("alignment of a1, the FDT's address", fdt, fdt & ~UINT64_C(7));
	header = (const void *)fdt;
	total = be32(&header->totalsize);
	want("FDT magic", be32(&header->magic), FDT_MAGIC);
	want("FDT version", be32(&header->version), FDT_VERSION);
	if (be32(&header->last_comp_version) > FDT_VERSION)
		fail("FDT last_comp_version", be32(&header->last_comp_version), FDT_VERSION);
	if ((uint64_t)be32(&header->off_dt_struct) + be32(&header->size_dt_struct) > total)
		fail("end of the FDT's structure", be32(&header->off_dt_struct), total);
	if ((uint64_t)be32(&header->off_dt_strings) + be32(&header->size_dt_strings) > total)
		fail("end of the FDT's strings", be32(&header->off_dt_strings), total);
	return total;
}

static void check_bootargs(const struct machine *machine)
{
	const char *got = machine->bootargs ? machine->bootargs : "";

	if (is_same(got, WANT_BOOTARGS))
		return;
	say("contract: FAIL bootargs got \"%s\" wanted \"%s\"", got, WANT_BOOTARGS);
	shut_down();
}

static void check_boot_hart(const struct machine *machine, uint64_t id)
{
	size_t enabled = 0;
	bool listed = false;

	for (size_t i = 0; i < machine->hart_count; i++) {
		enabled += machine->hart[i].enabled;
		listed |= machine->hart[i].enabled && machine->hart[i].id == id;
	}
	if (!listed)
		fail("a0, which is no enabled hart of the FDT:", id, machine->hart[0].id);
	if (WANT_HARTS)
		want("harts in the FDT", enabled, WANT_HARTS);
}

/* What lies where. */

static struct range own_range(void)
{
	return (struct range){(uintptr_t)image_start, (uintptr_t)image_end - (uintptr_t)image_start};
}

static struct range initrd_range(const struct machine *machine)
{
	return (struct range){machine->initrd_start, machine->initrd_end - machine->initrd_start};
}

static void check_initrd(const struct machine *machine)
{
	struct range initrd = initrd_range(machine);

	want("presence of linux,initrd-start", machine->has_initrd_start, WANT_INITRD_SIZE != 0);
	want("presence of linux,initrd-end", machine->has_initrd_end, WANT_INITRD_SIZE != 0);
	want("size of the initrd", initrd.size, WANT_INITRD_SIZE);
	if (initrd.size && !is_inside(&machine->ram, initrd))
		fail("initrd in RAM, which begins elsewhere:", initrd.base, machine->ram.range[0].base);
	want("CRC of the initrd", crc32((const void *)initrd.base, initrd.size), WANT_INITRD_CRC);
}

static void check_own_place(const struct machine *machine)
{
	struct range own = own_range();

	if (WANT_LOAD)
		want("load address", own.base, WANT_LOAD);
	if (WANT_ALIGN)
		want("load address modulo its alignment", own.base % (WANT_ALIGN ? WANT_ALIGN : 1), 0);
	if (!is_inside(&machine->ram, own))
		fail("image and bss in RAM, which begins elsewhere:", own.base, machine->ram.range[0].base);
}

static void check_overlaps(const struct machine *machine, struct range fdt)
{
	struct range own = own_range(), initrd = initrd_range(machine);

	if (!is_inside(&machine->ram, fdt))
		fail("FDT in RAM, which begins elsewhere:", fdt.base, machine->ram.range[0].base);
	if (overlap(own, fdt))
		fail("image or bss over the FDT:", own.base, fdt.base);
	if (overlap(own, initrd))
		fail("image or bss over the initrd:", own.base, initrd.base);
	if (overlap(fdt, initrd))
		fail("FDT over the initrd:", fdt.base, initrd.base);
	for (size_t i = 0; i < machine->reserved.count; i++) {
		struct range reserved = machine->reserved.range[i];

		/* An FDT or an initrd may be what an entry of the reservation block protects. */
		if (overlap(own, reserved))
			fail("image or bss over reserved memory:", own.base, reserved.base);
		if (overlap(fdt, reserved) && fdt.base != reserved.base)
			fail("FDT over reserved memory:", fdt.base, reserved.base);
		if (overlap(initrd, reserved) && initrd.base != reserved.base)
			fail("initrd over reserved memory:", initrd.base, reserved.base);
	}
}

static void check_memory(const struct machine *machine, const struct entry_state *entry)
{
	uint64_t size = 0;

	if (!machine->ram.count)
		fail("memory nodes", 0, 1);
	for (size_t i = 0; i < machine->ram.count; i++)
		size += machine->ram.range[i].size;
	if (WANT_MEMORY)
		want("RAM in the FDT", size, WANT_MEMORY);
	if (!is_inside(&machine->ram, (struct range){entry->stvec, 4}))
		fail("stvec in RAM, which begins elsewhere:", entry->stvec, machine->ram.range[0].base);
}

static void check_image(void)
{
	const uint8_t *data = (const uint8_t *)(&image_crc + 1);

	want("CRC of the image", crc32(data, (uint64_t)(file_end - data)), image_crc);
}

/* Before the first static object is used. */
static void check_and_clear_bss(void)
{
	for (volatile uint64_t *word = (volatile uint64_t *)bss_start; word < (uint64_t *)bss_end; word++) {
		if (WANT_ZERO_BSS)
			want("bss", *word, 0);
		*word = 0;
	}
}

/* The other harts, and time. */

static void check_stopped(const struct hart *hart)
{
	struct sbi_result status = sbi_call(SBI_HSM, HSM_STATUS, hart->id, 0, 0);

	if (!status.error && status.value == HSM_STOPPED)
		return;
	say("contract: FAIL hart %u got HSM state %u (error %x) wanted %u", hart->id, status.value,
	    (uint64_t)status.error, (uint64_t)HSM_STOPPED);
	shut_down();
}

extern void other_hart(void);

static void start_hart(const struct hart *hart, const struct machine *machine)
{
	uint32_t before = harts_arrived;
	uint64_t deadline = CSR_READ(time) + 60 * machine->timebase;
	struct sbi_result result =
		sbi_call(SBI_HSM, HSM_START, hart->id, (uintptr_t)other_hart, (uintptr_t)&harts_arrived);

	want("hart_start", (uint64_t)result.error, 0);
	while (harts_arrived == before && CSR_READ(time) < deadline)
		;
	want("harts that report in", harts_arrived, before + 1);
}

static size_t check_other_harts(const struct machine *machine, uint64_t boot_hart)
{
	size_t others = 0;

	for (size_t i = 0; i < machine->hart_count; i++) {
		if (machine->hart[i].enabled && machine->hart[i].id != boot_hart)
			check_stopped(&machine->hart[i]);
	}
	for (size_t i = 0; i < machine->hart_count; i++) {
		if (!machine->hart[i].enabled || machine->hart[i].id == boot_hart)
			continue;
		start_hart(&machine->hart[i], machine);
		others++;
	}
	return others;
}

/* stimecmp, or never where S-mode has none: the trap goes to 1. */
static uint64_t read_stimecmp(void)
{
	uint64_t value = UINT64_MAX, old;

	__asm__ volatile("csrr	%1, stvec\n\t"
			 "lla	t0, 1f\n\t"
			 "csrw	stvec, t0\n\t"
			 "csrr	%0, 0x14d\n\t"
			 ".balign 4\n"
			 "1:	csrw	stvec, %1"
			 : "+r"(value), "=&r"(old)::"t0", "memory");
	return value;
}

static void check_no_timer(const struct machine *machine)
{
	uint64_t end = CSR_READ(time) + machine->timebase / 100;

	want("stimecmp", read_stimecmp(), UINT64_MAX);
	while (CSR_READ(time) < end)
		want("sip.STIP after a while", CSR_READ(sip) & SIP_STIP, 0);
	want("sip.SSIP after a while", CSR_READ(sip) & SIP_SSIP, 0);
}

void main(const struct entry_state *entry)
{
	struct machine *machine = &the_machine;
	struct range fdt = {.base = entry->x[A1]};
	size_t others;

	check_and_clear_bss();
	check_image();
	check_registers(entry);
	check_csrs(entry);
	fdt.size = check_fdt_header(fdt.base);
	read_fdt(machine, (const void *)fdt.base);
	read_memreserve(machine, (const void *)fdt.base);
	check_boot_hart(machine, entry->x[A0]);
	check_memory(machine, entry);
	check_own_place(machine);
	check_initrd(machine);
	check_overlaps(machine, fdt);
	check_bootargs(machine);
	others = check_other_harts(machine, entry->x[A0]);
	check_no_timer(machine);
	say("contract: PASS hart %u at %x, FDT %x, initrd %x, other harts %u", entry->x[A0],
	    (uint64_t)(uintptr_t)image_start, fdt.base, machine->initrd_start, (uint64_t)others);
}
