// SPDX-License-Identifier: BSD-2-Clause
/*
 * RAM that a dead kernel left, with pokes as the input says: the note, the ring, the log as text, and the
 * core header that follows from them. The kernels are tests/unit/dead_ram.h's; what was poked is put back
 * after each input.
 */
#include "tests/fuzz/fuzz.h"

#include "kexec/crash/elfcorehdr.h"
#include "tests/unit/dead_ram.h"

#define RAM_SIZE  (5 * MIB)
#define KERNEL_PA (DEAD_BASE + 2 * MIB)
#define NOTE_PA	  (DEAD_BASE + 64 * KIB)
#define HOME_SIZE \
	(64 * KIB) /* all of the image that is searched for the note's address: the search is quick then */
#define POKES_MAX 48

struct world {
	struct dead_ram ram;
	struct dead_kernel kernel;
};
static struct world worlds[AGES];

static const char *const lines[] = {
	"Linux version 6.12.107",
	"Kernel panic - not syncing: sysrq",
	"reboot: Restarting system",
	"two\nlines",
	"kexec_core: Starting new kernel",
	"",
	"reboot: Power down",
	"sysrq: Resetting",
	"last words",
};

static void build(struct world *world, enum dead_age age)
{
	dead_ram_init(&world->ram, DEAD_BASE, RAM_SIZE);
	dead_kernel_init(&world->kernel, &world->ram, age, KERNEL_PA, NOTE_PA);
	world->kernel.linear = age == AGE_6_12;
	world->kernel.unnamed = age == AGE_7_2;
	dead_kernel_build(&world->kernel);
	dead_put(&world->ram, KERNEL_PA + HOME_SIZE - 8,
		 dead_get(&world->ram, KERNEL_PA + DEAD_IMAGE - 64, 8), 8);
	for (size_t i = 0; i < 5 * ARRAY_SIZE(lines); i++)
		(i % 7 == 3 ? dead_log_user : dead_log)(&world->kernel, lines[i % ARRAY_SIZE(lines)]);
	(void)dead_log_flags(&world->kernel, "and so on", LOG_CONT);
}

/* ---- Pokes ---- */

struct poke {
	paddr_t pa;
	uint64_t old;
};

struct pokes {
	size_t count;
	struct poke poke[POKES_MAX];
};

/* Where it hurts: by a window's number. */
static paddr_t window_base(const struct dead_kernel *kernel, uint32_t which)
{
	const paddr_t bases[] = {kernel->note_pa, kernel->note_pa, kernel->kernel_pa, kernel->uts,
				 kernel->prb,	  kernel->rb,	   kernel->descs,     kernel->infos,
				 kernel->data,	  DEAD_BASE,	   kernel->rb,	      kernel->descs};

	return bases[which % ARRAY_SIZE(bases)];
}

static void poke(struct world *world, struct feed *feed, struct pokes *pokes)
{
	const paddr_t base = window_base(&world->kernel, feed_below(feed, 256));
	const unsigned width = 1 + feed_below(feed, 8);
	const paddr_t pa = base + feed_below(feed, 8192);
	struct poke *kept = &pokes->poke[pokes->count++];

	*kept = (struct poke){pa, dead_get(&world->ram, pa, 8)};
	dead_put(&world->ram, pa, feed_number(feed, width), width);
}

static void put_back(struct world *world, struct pokes *pokes)
{
	while (pokes->count--)
		dead_put(&world->ram, pokes->poke[pokes->count].pa, pokes->poke[pokes->count].old, 8);
}

/* ---- What follows ---- */

struct seen {
	const struct world *world;
	size_t records;
	uint64_t bytes;
};

/* All of a record's text can be read. */
static void see(const struct printk_record *record, void *context)
{
	struct seen *seen = context;

	seen->records++;
	for (size_t i = 0; i < record->length; i++)
		seen->bytes += (uint8_t)record->text[i];
}

static void check_text(const struct printk_ring *ring, size_t room)
{
	char *out = malloc(room);
	const size_t size = printk_text(ring, out, room);

	assert_in_range(size, 0, room);
	for (size_t i = 0; i < size; i++)
		assert_true(out[i] == '\n' || (out[i] >= ' ' && out[i] <= '~'));
	if (size)
		assert_int_equal(out[size - 1], '\n');
	free(out);
}

static void check_ring(const struct world *world, const struct vmcoreinfo *info, uint32_t room)
{
	struct seen seen = {.world = world};
	struct diag diag = {""};
	struct printk_told told;
	struct printk_ring ring;

	if (printk_open(&world->ram.look, info, &ring, &diag)) {
		assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
		return;
	}
	told = printk_ending(&ring);
	if (told.ending != PRINTK_ENDING_CUT)
		see(&told.record, &seen);
	seen.records = 0;
	assert_int_equal(printk_visit_last(&ring, UINT32_MAX, see, &seen), seen.records);
	check_text(&ring, 256 + room);
}

/* Whatever the note says, there is a core header: a dump without names is better than none. */
static void check_core_header(const struct world *world, const struct vmcoreinfo *info)
{
	static struct elfcorehdr_request core;
	const struct region kernel = {info->kernel_pa, info->kernel_size};
	uint64_t size;
	void *out;

	core = (struct elfcorehdr_request){
		.ram = &world->ram.readable,
		.note_count = 1,
		.note = {{info->note.base, VMCOREINFO_NOTE_SIZE}},
		.page_offset = info->page_offset,
		.phys_ram_base = info->phys_ram_base,
	};
	if (kernel.size && region_set_contains(core.ram, kernel.base, kernel.size)) {
		core.kernel = kernel;
		core.kernel_va = info->kernel_pa + info->va_kernel_pa_offset;
	}
	size = elfcorehdr_size(&core);
	assert_in_range(size, PAGE_SIZE, ELFCOREHDR_SIZE_MAX);
	out = malloc(size);
	assert_int_equal(elfcorehdr_write(&core, out, size, NULL), LB_OK);
	free(out);
}

static void look(const struct world *world, uint32_t room)
{
	const struct vmcoreinfo_home home = {{KERNEL_PA, HOME_SIZE}, DEAD_BASE};
	struct diag diag = {""};
	struct vmcoreinfo info;
	size_t candidates = 0;

	if (vmcoreinfo_find(&world->ram.look, &world->ram.readable, &home, &info, &candidates, &diag)) {
		assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
		return;
	}
	assert_in_range(candidates, 1, VMCOREINFO_CANDIDATES_MAX);
	assert_non_null(memchr(info.release, '\0', sizeof(info.release)));
	assert_true(region_set_contains(&world->ram.readable, info.note.base, PAGE_SIZE));
	check_ring(world, &info, room);
	check_core_header(world, &info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = {data, size};
	struct pokes pokes = {0};
	struct world *world;
	uint32_t room;

	if (!worlds[0].ram.bytes) {
		for (int age = 0; age < AGES; age++)
			build(&worlds[age], age);
	}
	world = &worlds[feed_below(&feed, AGES)];
	room = feed_below(&feed, 4096);
	while (feed.left && pokes.count < POKES_MAX)
		poke(world, &feed, &pokes);
	look(world, room);
	put_back(world, &pokes);
	return 0;
}
