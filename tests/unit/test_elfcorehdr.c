// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core header, read back as Linux's fs/proc/vmcore.c and the tools on top of it read one.
 *
 * Random machines: RAM in grains smaller than a page, so that the oracle knows of each page whether Linux may
 * look at it. Then the numbers of a header that is known to work, and each refusal.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kexec/crash/elfcorehdr.h"

#define PAGE	    4096
#define PAGES	    192
#define GRAINS	    4 /* a page */
#define SCENES	    6000
#define ENTRIES_MAX 272

/* splitmix64: a number stream that is the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

static uint64_t seed_now; /* of the scene that is on */
#define CHECK(condition)                                                                       \
	do {                                                                                   \
		if (!(condition))                                                              \
			fail_msg("seed 0x%llx: %s", (unsigned long long)seed_now, #condition); \
	} while (0)

/* ---- Reading, as Linux does ---- */

struct vmcore {
	size_t notes, loads;
	Elf64_Phdr note[ENTRIES_MAX], load[ENTRIES_MAX];
};

/* Linux puts one PT_NOTE for all in the first place and closes up over the next n - 1, whatever they are. */
static void merge_notes(Elf64_Phdr *phdr, size_t *count, struct vmcore *core)
{
	for (size_t i = 0; i < *count; i++) {
		if (phdr[i].p_type == PT_NOTE)
			core->note[core->notes++] = phdr[i];
	}
	CHECK(core->notes > 0);
	memmove(phdr, phdr + core->notes, (*count - core->notes) * sizeof(*phdr));
	*count -= core->notes;
}

static void read_as_linux(const uint8_t *blob, uint64_t size, struct vmcore *core)
{
	static Elf64_Phdr phdr[ENTRIES_MAX];
	Elf64_Ehdr ehdr;
	size_t count;

	memset(core, 0, sizeof(*core));
	memcpy(&ehdr, blob, sizeof(ehdr));
	CHECK(memcmp(ehdr.e_ident, ELFMAG, SELFMAG) == 0);
	CHECK(ehdr.e_ident[EI_CLASS] == ELFCLASS64 && ehdr.e_ident[EI_DATA] == ELFDATA2LSB);
	CHECK(ehdr.e_ident[EI_VERSION] == EV_CURRENT && ehdr.e_version == EV_CURRENT);
	CHECK(ehdr.e_type == ET_CORE && ehdr.e_machine == EM_RISCV);
	CHECK(ehdr.e_ehsize == sizeof(ehdr) && ehdr.e_phentsize == sizeof(*phdr));
	CHECK(ehdr.e_phoff == sizeof(ehdr)); /* for readelf; Linux knows no other */
	CHECK(ehdr.e_phnum > 0 && ehdr.e_phnum < PN_XNUM && ehdr.e_phnum <= ENTRIES_MAX);
	CHECK(ehdr.e_entry == 0 && ehdr.e_shoff == 0 && ehdr.e_shnum == 0 && ehdr.e_flags == 0);
	count = ehdr.e_phnum;
	CHECK(sizeof(ehdr) + count * sizeof(*phdr) <= size);
	memcpy(phdr, blob + sizeof(ehdr), count * sizeof(*phdr));
	for (size_t i = 0; i < count; i++) {
		CHECK(phdr[i].p_offset == phdr[i].p_paddr && phdr[i].p_filesz == phdr[i].p_memsz);
		CHECK(phdr[i].p_type == PT_NOTE || phdr[i].p_type == PT_LOAD);
		CHECK(phdr[i].p_type == PT_NOTE || phdr[i].p_flags == (PF_R | PF_W | PF_X));
	}
	for (uint64_t at = sizeof(ehdr) + count * sizeof(*phdr); at < size; at++)
		CHECK(blob[at] == 0);
	merge_notes(phdr, &count, core);
	for (size_t i = 0; i < count; i++) {
		if (phdr[i].p_type == PT_LOAD)
			core->load[core->loads++] = phdr[i];
	}
}

/* As vmcore-dmesg and gdb: the first entry that covers the address. */
static bool find_va(const struct vmcore *core, uint64_t va, uint64_t *pa)
{
	for (size_t i = 0; i < core->loads; i++) {
		const Elf64_Phdr *p = &core->load[i];

		if (va >= p->p_vaddr && va - p->p_vaddr < p->p_memsz) {
			*pa = p->p_offset + (va - p->p_vaddr);
			return true;
		}
	}
	return false;
}

/* ---- Random machines ---- */

struct scene {
	paddr_t origin;
	bool ram[PAGES * GRAINS];
	bool whole[PAGES]; /* all of the page is RAM */
	struct region_set set;
	struct elfcorehdr_request request;
};

static bool is_whole(const struct scene *s, paddr_t pa)
{
	uint64_t page = (pa - s->origin) / PAGE;

	return pa >= s->origin && page < PAGES && s->whole[page];
}

static void make_ram(struct scene *s, uint64_t *seed)
{
	uint64_t run = 1 + below(seed, 120);
	bool is_ram = below(seed, 2);

	region_set_clear(&s->set);
	for (size_t i = 0; i < PAGES * GRAINS; i++) {
		if (below(seed, run) == 0)
			is_ram = !is_ram;
		s->ram[i] = is_ram;
		if (is_ram && region_set_add(&s->set, s->origin + i * (PAGE / GRAINS), (PAGE / GRAINS)))
			s->ram[i] = is_ram = false; /* the set is full */
	}
	for (size_t i = 0; i < PAGES; i++) {
		s->whole[i] = true;
		for (size_t g = 0; g < GRAINS; g++)
			s->whole[i] &= s->ram[i * GRAINS + g];
	}
}

/* A kernel image anywhere at all; true if it is one that may be described. */
static bool make_kernel(struct scene *s, uint64_t *seed)
{
	struct region k = {s->origin + below(seed, PAGES * PAGE), 1 + below(seed, 8 * PAGE)};

	if (below(seed, 2))
		k.base &= ~(uint64_t)(PAGE - 1);
	s->request.kernel_va = 0xffffffff80000000 + below(seed, 1 << 24);
	s->request.kernel = k;
	for (uint64_t at = 0; at < k.size; at++) {
		if (!is_whole(s, k.base + at))
			return false;
	}
	return true;
}

static void make_notes(struct scene *s, uint64_t *seed)
{
	s->request.note_count = 1 + below(seed, ELFCOREHDR_NOTES_MAX);
	for (size_t i = 0; i < s->request.note_count; i++) {
		s->request.note[i].pa = below(seed, UINT64_C(1) << 54) * 4;
		s->request.note[i].size = 12 + below(seed, 8192);
	}
}

static void make_linear_map(struct scene *s, uint64_t *seed)
{
	static const uint64_t offsets[] = {0xff60000000000000, 0xffffaf8000000000, 0xffffffd600000000,
					   0xffffffff00000000 - PAGES / 2 * PAGE};

	s->request.page_offset = below(seed, 5) ? offsets[below(seed, 4)] : 0;
	s->request.phys_ram_base = s->origin;
	if (below(seed, 2))
		s->request.phys_ram_base += below(seed, PAGES) * PAGE;
	if (below(seed, 8) == 0)
		s->request.phys_ram_base += 1 + below(seed, PAGE - 1);
}

/* Return: does the scene have a kernel image that can't be described? */
static bool make_scene(struct scene *s, uint64_t seed)
{
	bool bad_kernel = false;

	seed_now = seed;
	memset(s, 0, sizeof(*s));
	s->origin = below(&seed, 4) ? below(&seed, UINT64_C(1) << 40) * PAGE : 0;
	if (below(&seed, 16) == 0) /* up to 2^64 - 4 KiB, the last page that a region can hold */
		s->origin = -(uint64_t)(PAGES + 1) * PAGE;
	s->request.ram = &s->set;
	make_ram(s, &seed);
	make_notes(s, &seed);
	make_linear_map(s, &seed);
	if (below(&seed, 2))
		bad_kernel = !make_kernel(s, &seed);
	return bad_kernel;
}

static bool linear_map_is_known(const struct scene *s)
{
	return s->request.page_offset && s->request.phys_ram_base % PAGE == 0;
}

/* The number of entries that there must be: runs of whole pages, cut where the linear map begins. */
static size_t count_runs(const struct scene *s)
{
	size_t runs = 0;

	for (size_t i = 0; i < PAGES; i++) {
		bool cut = linear_map_is_known(s) && s->origin + i * PAGE == s->request.phys_ram_base;

		runs += s->whole[i] && (i == 0 || !s->whole[i - 1] || cut);
	}
	return runs;
}

/* Each entry but the kernel's: whole pages, in order, every one once. */
static void check_ram(const struct scene *s, const struct vmcore *core)
{
	bool seen[PAGES] = {false};

	for (size_t i = s->request.kernel.size ? 1 : 0; i < core->loads; i++) {
		const Elf64_Phdr *p = &core->load[i];

		CHECK(p->p_paddr % PAGE == 0 && p->p_memsz % PAGE == 0 && p->p_memsz > 0);
		for (uint64_t at = 0; at < p->p_memsz; at += PAGE) {
			CHECK(is_whole(s, p->p_paddr + at) && !seen[(p->p_paddr + at - s->origin) / PAGE]);
			seen[(p->p_paddr + at - s->origin) / PAGE] = true;
		}
	}
	CHECK(memcmp(seen, s->whole, sizeof(seen)) == 0);
}

/* Right addresses where the linear map is, and none elsewhere. */
static void check_linear_map(const struct scene *s, const struct vmcore *core)
{
	for (size_t i = s->request.kernel.size ? 1 : 0; i < core->loads; i++) {
		const Elf64_Phdr *p = &core->load[i];
		uint64_t room = 0xffffffff00000000 - s->request.page_offset, pa;
		bool mapped = linear_map_is_known(s) && p->p_paddr >= s->request.phys_ram_base &&
			      p->p_paddr - s->request.phys_ram_base + p->p_memsz <= room;

		CHECK((p->p_vaddr != 0) == mapped);
		for (uint64_t at = 0; mapped && at < p->p_memsz; at += PAGE - 8) {
			uint64_t want = p->p_paddr + at;

			CHECK(find_va(core, s->request.page_offset + (want - s->request.phys_ram_base), &pa));
			CHECK(pa == want);
		}
	}
}

static void check_kernel(const struct scene *s, const struct vmcore *core)
{
	struct region k = s->request.kernel;
	uint64_t pa;

	if (!k.size)
		return;
	CHECK(core->loads > 0 && core->load[0].p_paddr == k.base && core->load[0].p_memsz == k.size);
	CHECK(find_va(core, s->request.kernel_va, &pa) && pa == k.base);
	CHECK(find_va(core, s->request.kernel_va + k.size - 1, &pa) && pa == k.base + k.size - 1);
}

static void check_notes(const struct scene *s, const struct vmcore *core)
{
	CHECK(core->notes == s->request.note_count);
	for (size_t i = 0; i < core->notes; i++) {
		CHECK(core->note[i].p_offset == s->request.note[i].pa);
		CHECK(core->note[i].p_memsz == s->request.note[i].size);
		CHECK(core->note[i].p_vaddr == 0);
	}
}

/* Into a buffer of its very size, at any alignment. The caller frees. */
static uint8_t *write_header(const struct elfcorehdr_request *request, uint64_t size, unsigned offset,
			     enum lb_err want)
{
	uint8_t *buffer = malloc(size + offset);
	struct diag diag = {""};

	memset(buffer, 0xa5, size + offset);
	CHECK(elfcorehdr_write(request, buffer + offset, size, &diag) == want);
	CHECK((want == LB_OK) == (diag.text[0] == '\0'));
	for (uint64_t i = 0; i < (want ? size + offset : offset); i++)
		CHECK(buffer[i] == 0xa5);
	return buffer;
}

static void check_scene(const struct scene *s, uint64_t seed)
{
	static struct vmcore core;
	size_t entries = s->request.note_count + (s->request.kernel.size > 0) + count_runs(s);
	uint64_t size = elfcorehdr_size(&s->request);
	unsigned offset = (unsigned)(seed % 9);
	uint64_t more = seed % 3 * 1000;
	uint8_t *out = write_header(&s->request, size + more, offset, LB_OK);

	CHECK(size == (64 + 56 * entries + PAGE - 1) / PAGE * PAGE && size <= ELFCOREHDR_SIZE_MAX);
	read_as_linux(out + offset, size + more, &core);
	CHECK(core.loads + core.notes == entries);
	check_notes(s, &core);
	check_kernel(s, &core);
	check_ram(s, &core);
	check_linear_map(s, &core);
	free(out);
	free(write_header(&s->request, size - 1, offset, LB_ENOSPC));
}

static void linux_finds_exactly_the_whole_pages_of_ram_and_all_addresses(void **state)
{
	static struct scene scene;
	size_t kernels = 0, bad_kernels = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SCENES; seed++) {
		if (make_scene(&scene, seed)) {
			free(write_header(&scene.request, ELFCOREHDR_SIZE_MAX, 0, LB_ERANGE));
			scene.request.kernel.size = 0;
			bad_kernels++;
		}
		kernels += scene.request.kernel.size > 0;
		check_scene(&scene, seed);
	}
	assert_true(kernels > SCENES / 20 && bad_kernels > SCENES / 20);
}

/* ---- By hand ---- */

static struct region_set ram;
static struct vmcore core;

/* Debian's 6.12: the header that makedumpfile and vmcore-dmesg were seen to accept. */
static void debian_in_256_mib(struct elfcorehdr_request *request)
{
	region_set_clear(&ram);
	assert_int_equal(region_set_add(&ram, 0x80200000, 0xfe00000), LB_OK);
	*request = (struct elfcorehdr_request){
		.ram = &ram,
		.note_count = 1,
		.note = {{0x8fe9a000, 4132}},
		.kernel_va = 0xffffffff80002000,
		.kernel = {0x80202000, 0x1e69000},
		.page_offset = 0xffffffd600000000,
		.phys_ram_base = 0x80000000,
	};
}

static void the_header_that_is_known_to_work_comes_out_entry_by_entry(void **state)
{
	static const Elf64_Phdr want[] = {
		{PT_NOTE, 0, 0x8fe9a000, 0, 0x8fe9a000, 4132, 4132, 4},
		{PT_LOAD, 7, 0x80202000, 0xffffffff80002000, 0x80202000, 0x1e69000, 0x1e69000, 0},
		{PT_LOAD, 7, 0x80200000, 0xffffffd600200000, 0x80200000, 0xfe00000, 0xfe00000, 0},
	};
	struct elfcorehdr_request request;
	uint8_t *out;

	(void)state;
	debian_in_256_mib(&request);
	assert_int_equal(elfcorehdr_size(&request), 4096);
	out = write_header(&request, 4096, 0, LB_OK);
	assert_int_equal(out[56], 3); /* e_phnum */
	assert_memory_equal(out + 64, want, sizeof(want));
	free(out);
}

static void a_region_over_the_linear_maps_begin_is_split_there(void **state)
{
	struct elfcorehdr_request request;
	uint64_t pa;
	uint8_t *out;

	(void)state;
	debian_in_256_mib(&request);
	request.phys_ram_base = 0x80400000; /* 6.1 to 6.3: where the kernel is, not where RAM begins */
	request.kernel.size = 0;
	out = write_header(&request, 4096, 0, LB_OK);
	read_as_linux(out, 4096, &core);
	assert_int_equal(core.loads, 2);
	assert_int_equal(core.load[0].p_paddr, 0x80200000);
	assert_int_equal(core.load[0].p_memsz, 0x200000);
	assert_int_equal(core.load[0].p_vaddr, 0);
	assert_true(find_va(&core, 0xffffffd600000000, &pa) && pa == 0x80400000);
	assert_false(find_va(&core, 0xffffffd5ffffffff, &pa));
	free(out);
}

static void the_largest_request_has_room_and_every_entry(void **state)
{
	struct elfcorehdr_request request;
	uint8_t *out;

	(void)state;
	debian_in_256_mib(&request);
	for (uint64_t i = 1; i < REGION_SET_MAX; i++)
		assert_int_equal(region_set_add(&ram, 0x100000000 + i * 0x10000, PAGE), LB_OK);
	request.phys_ram_base = 0x80400000;
	request.note_count = ELFCOREHDR_NOTES_MAX;
	for (size_t i = 0; i < ELFCOREHDR_NOTES_MAX; i++)
		request.note[i] = (struct elfcorehdr_note){0x80200000 + 0x1000 * i, 408};
	assert_int_equal(elfcorehdr_size(&request), ELFCOREHDR_SIZE_MAX);
	out = write_header(&request, ELFCOREHDR_SIZE_MAX, 0, LB_OK);
	read_as_linux(out, ELFCOREHDR_SIZE_MAX, &core);
	assert_int_equal(core.notes, ELFCOREHDR_NOTES_MAX);
	assert_int_equal(core.loads, 130);
	free(out);
}

static void a_header_grows_by_a_page_when_it_must(void **state)
{
	struct elfcorehdr_request request;

	(void)state;
	debian_in_256_mib(&request);
	for (size_t entries = 3; entries <= 100; entries++) {
		assert_int_equal(elfcorehdr_size(&request), entries <= 72 ? 4096 : 8192);
		assert_int_equal(region_set_add(&ram, 0x100000000 + entries * 0x10000, PAGE), LB_OK);
	}
	assert_int_equal(elfcorehdr_write(&request, NULL, 4096, NULL), LB_ENOSPC); /* no diag is fine */
}

static void notes_that_linux_could_not_walk_are_refused(void **state)
{
	static const struct elfcorehdr_note bad[] = {
		{0x80200002, 64}, {0x80200001, 64},	     {0x80200000, 0},	      {0x80200000, 11},
		{0, 0},		  {UINT64_MAX - 15, 16 + 1}, {0x80200000, UINT64_MAX}};
	struct elfcorehdr_request request;

	(void)state;
	debian_in_256_mib(&request);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		request.note_count = 2;
		request.note[1] = bad[i];
		free(write_header(&request, 4096, 0, LB_EINVAL));
		request.note_count = 1; /* what is not counted does not matter */
		free(write_header(&request, 4096, 0, LB_OK));
	}
	request.note[0].size = 12;
	free(write_header(&request, 4096, 0, LB_OK));
	request.note_count = 0;
	free(write_header(&request, 4096, 0, LB_EINVAL));
	request.note_count = ELFCOREHDR_NOTES_MAX + 1;
	free(write_header(&request, ELFCOREHDR_SIZE_MAX, 0, LB_EINVAL));
	request.note_count = SIZE_MAX;
	free(write_header(&request, ELFCOREHDR_SIZE_MAX, 0, LB_EINVAL));
	assert_true(elfcorehdr_size(&request) <= ELFCOREHDR_SIZE_MAX);
}

static void a_kernel_that_is_not_all_ram_is_refused(void **state)
{
	static const struct region bad[] = {
		{0x801ff000, 0x2000},	  /* begins before RAM */
		{0x801fffff, 2},	  /* in the page before it */
		{0x8ffff000, 0x1001},	  /* ends in the page behind it */
		{0x10000000, 0x1000},	  /* in a device */
		{0x80202000, UINT64_MAX}, /* wraps around */
		{0x80202000, UINT64_MAX - 0x80202000},
		{UINT64_MAX, 1},
	};
	struct elfcorehdr_request request;

	(void)state;
	debian_in_256_mib(&request);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		request.kernel = bad[i];
		request.kernel_va = 0;
		free(write_header(&request, 4096, 0, LB_ERANGE));
	}
	request.kernel = (struct region){0x80200000, 0xfe00000};
	request.kernel_va = UINT64_MAX - 0xfe00000;
	free(write_header(&request, 4096, 0, LB_OK));
	request.kernel_va++;
	free(write_header(&request, 4096, 0, LB_ERANGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_finds_exactly_the_whole_pages_of_ram_and_all_addresses),
		cmocka_unit_test(the_header_that_is_known_to_work_comes_out_entry_by_entry),
		cmocka_unit_test(a_region_over_the_linear_maps_begin_is_split_there),
		cmocka_unit_test(the_largest_request_has_room_and_every_entry),
		cmocka_unit_test(a_header_grows_by_a_page_when_it_must),
		cmocka_unit_test(notes_that_linux_could_not_walk_are_refused),
		cmocka_unit_test(a_kernel_that_is_not_all_ram_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
