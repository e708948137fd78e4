// SPDX-License-Identifier: BSD-2-Clause
/*
 * The whole planning for a board, on its FDT: platform, memory map, lost memory, crash region, both kernels'
 * places, the primary's FDT. Prints what came out, for test_boards.py to compare with what was reviewed.
 *
 *     plan_board FDT.dtb FDT_ADDRESS KERNEL_MIB [LOAD_ADDRESS]
 *
 * The code is the stage's own, boot/discover.c included; what is replaced is its view of physical memory, and
 * the order of the steps is start.c's. The payload is made up: a kernel Image of KERNEL_MIB (its bss as large
 * as an eighth of it) and 4 MiB of initramfs for either role, all in a bundle.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/machine/sbi.h"
#include "boot/source.h"
#include "fdt/fixup.h"
#include "kexec/crash/elfcorehdr.h"
#include "kexec/crash/lost.h"
#include "kexec/crash/region.h"
#include "kexec/place/place.h"
#include "platform/platforms.h"

#define STAGE_SIZE  (512 * KIB) /* what a stage with everything in it takes */
#define INITRD_SIZE (4 * MIB)
#define FDT_ROOM    (2 * MIB)

#define PLATFORM(name) &platform_##name##_notes,
static const struct platform_notes *const all_notes[] = {
#include "platforms.inc"
};
#undef PLATFORM

static struct log the_log;
static struct hw hw;
static struct stage the_stage;
static struct source source;
static struct memmap memmap, usable_map;
static struct crash_region crash_region;
static struct fdt_wishes wishes;
static struct plan the_plan;
static size_t reservation_count;
static struct fdt_reservation reservation[1 + CRASH_LOST_MAX];
static struct image kernel;
static uint8_t image_header[PAGE_SIZE], nothing[PAGE_SIZE];

static _Noreturn void end(const char *why)
{
	printf("FAILED: %s: %s\n", why, the_log.diag.text);
	exit(1);
}

static void must(enum lb_err err, const char *what)
{
	if (err)
		end(what);
}

/* ---- What stands for physical memory and the console ---- */

void console_write(struct console *console, const char *text, size_t size)
{
	(void)console;
	fwrite(text, 1, size, stdout);
}

bool sbi_is_hypervisor(void)
{
	return false;
}

uint64_t stage_image_size(void)
{
	return STAGE_SIZE;
}

const void *stage_fdt_view(struct stage *stage, paddr_t fdt_pa, uint64_t size, struct diag *diag)
{
	(void)stage, (void)fdt_pa, (void)size, (void)diag;
	return hw.fdt;
}

/* An Image where the bundle is, and zeros elsewhere: nobody looks behind a header that is none. */
void *stage_early_view(struct stage *stage, paddr_t pa, uint64_t size, uint64_t perms, struct diag *diag)
{
	(void)stage, (void)size, (void)perms, (void)diag;
	return pa == hw.machine.bundle.base ? image_header : nothing;
}

/* ---- The steps ---- */

static const struct platform_notes *notes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_notes); i++) {
		if (all_notes[i]->platform == hw.platform)
			return all_notes[i];
	}
	return NULL;
}

/* At the end of its heap block, so that the sanitizer sees a read behind it. */
static void *load_fdt(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *room = malloc(FDT_ROOM), *fdt;
	size_t size;

	if (!file || !room)
		end(path);
	size = fread(room, 1, FDT_ROOM, file);
	fclose(file);
	fdt = malloc(size);
	if (!fdt)
		end("memory");
	memcpy(fdt, room, size);
	free(room);
	return fdt;
}

static void print_range(const char *what, struct region r, const char *more)
{
	printf("%-9s [%#11" PRIx64 "..%#11" PRIx64 "] %8" PRIu64 " KiB  %s\n", what, r.base,
	       region_end(r) - 1, r.size / KIB, more);
}

/* The one that firmware would enter us on: some boards have others, without paging, before it. */
static uint64_t first_hart(void)
{
	size_t i = 0;

	while (i + 1 < hw.machine.hart_count && !hw.machine.hart[i].enabled)
		i++;
	return hw.machine.hart[i].id;
}

static void read_machine(const char *path, paddr_t fdt_pa, paddr_t load)
{
	size_t enabled = 0;

	the_log.level = LOG_WARN;
	hw.fdt = load_fdt(path);
	hw.entry.fdt_pa = fdt_pa;
	must(discover_machine(&hw, &the_stage, &the_log), "machine");
	hw.entry.hart_id = first_hart();
	if (!notes())
		end("the platform has no notes");
	hw.entry.stage_pa = the_stage.pa = load ? load : notes()->load;
	the_stage.physmap = physmap_for_levels(discover_most_levels(&hw));
	for (size_t i = 0; i < hw.machine.hart_count; i++)
		enabled += hw.machine.hart[i].enabled;
	printf("platform  %s for %s; %zu of %zu harts, %s\n", hw.platform->name, hw.machine.compatible,
	       enabled, hw.machine.hart_count, pagetable_mode_name(discover_most_levels(&hw)));
	for (size_t i = 0; i < ARRAY_SIZE(notes()->quirk) && *notes()->quirk[i].name; i++)
		printf("quirk     %s\n", notes()->quirk[i].name);
	must(discover_memory(&hw, NULL, &memmap, &the_log.diag), "memory");
	source_find(&source, &hw, &the_stage, &memmap, &the_log);
	the_log.diag = source.why;
	must(source.err, "bundle");
}

static void set_kernel(uint64_t mib)
{
	const uint64_t file = mib * MIB, memory = file + file / 8;

	kernel = (struct image){
		.kind = IMAGE_LINUX,
		.align = IMAGE_LINUX_ALIGN,
		.mem_size = memory,
		.segment_count = 1,
		.segment = {{.file_size = file, .mem_size = memory}},
	};
}

/* Where the two initramfs lie in the bundle: behind the kernel. */
static struct region initrd_in_bundle(size_t role)
{
	return (struct region){source.where.base + PAGE_SIZE + kernel.segment[0].file_size +
				       role * INITRD_SIZE,
			       INITRD_SIZE};
}

/* As load_plan(). @role 0: the primary, 1: the crash kernel. */
static void plan(size_t role, const struct memmap *map)
{
	struct place_request request = {
		.image = &kernel,
		.image_pa = source.where.base + PAGE_SIZE,
		.image_size = kernel.segment[0].file_size,
		.initrd = initrd_in_bundle(role),
		.limit = the_stage.physmap.limit,
	};

	if (!crash_region.all.size)
		request.bundle = source.where;
	wishes.initrd = request.initrd;
	must(fdt_payload_size(hw.fdt, &wishes, &request.fdt_size, &the_log.diag), "FDT size");
	must(place_plan(map, &request, &the_plan, &the_log.diag), role ? "crash kernel" : "primary");
	wishes.initrd = the_plan.initrd;
	for (size_t i = 0; i < the_plan.count; i++)
		print_range(role ? "  crash" : "primary",
			    (struct region){the_plan.item[i].dest, the_plan.item[i].mem_size},
			    the_plan.item[i].name);
}

/* The payload's FDT, made and read again. */
static void make_fdt(struct machine *made)
{
	uint64_t size;
	void *out;

	must(fdt_payload_size(hw.fdt, &wishes, &size, &the_log.diag), "FDT size");
	out = malloc(size);
	must(fdt_make_payload_fdt(hw.fdt, &wishes, out, size, &the_log.diag), "FDT");
	must(fdt_read_machine(out, size, made, &the_log.diag), "the FDT that was made");
}

/* Nothing of a plan may lie on what somebody else has. */
static void check_plan(const struct memmap *map)
{
	for (size_t i = 0; i < the_plan.count; i++) {
		const struct plan_item *item = &the_plan.item[i];

		if (!region_set_contains(&map->ram, item->dest, item->mem_size))
			end("a destination is no RAM");
		for (size_t j = 0; j < map->taken_count; j++) {
			const struct memmap_taken *taken = &map->taken[j];

			if (ranges_overlap(item->dest, item->mem_size, taken->range.base,
					   taken->range.size) &&
			    (crash_region.all.size || taken->kind != MEMMAP_BUNDLE))
				end("a destination is taken");
		}
	}
}

static bool place_region(void)
{
	struct crash_region *region = &crash_region;

	must(discover_lost(&hw, &memmap, &the_log.diag), "lost memory");
	if (crash_region_place(&memmap.free, region_set_size(&hw.machine.ram),
			       (struct crash_region_wish){0, 0}, the_stage.physmap.limit, region,
			       &the_log.diag)) {
		printf("no crash  %s\n", the_log.diag.text);
		*region = (struct crash_region){.all = {0, 0}};
		discover_lost_release(&memmap, &the_log);
		return false;
	}
	must(memmap_take(&memmap, region->all.base, region->all.size, MEMMAP_CRASH, ""), "crash region");
	print_range("region", region->all, "");
	return true;
}

static void plan_crash_kernel(void)
{
	static struct machine made;
	const struct region usable = crash_region.usable;
	const uint64_t room = ELFCOREHDR_SIZE_MAX + PAGE_SIZE;
	const struct region core = {region_end(usable) - room, room};

	memmap_init(&usable_map);
	must(memmap_add_ram(&usable_map, usable.base, usable.size), "usable memory");
	must(memmap_take(&usable_map, core.base, core.size, MEMMAP_CRASH, ""), "core header");
	wishes = (struct fdt_wishes){
		.bootargs = "nr_cpus=1",
		.elfcorehdr = {core.base, ELFCOREHDR_SIZE_MAX},
		.usable_memory = usable,
	};
	plan(1, &usable_map);
	check_plan(&usable_map);
	make_fdt(&made);
	if (made.usable_memory.base != usable.base || made.usable_memory.size != usable.size ||
	    made.elfcorehdr.base != core.base)
		end("the crash kernel's FDT says something else");
}

/* As reserve_all(). */
static void reserve(void)
{
	reservation[reservation_count++] = (struct fdt_reservation){"lifeboat-crash", FDT_CRASH_REGION,
								    crash_region.all, .no_map = true};
	for (size_t i = 0; i < memmap.taken_count; i++) {
		const struct memmap_taken *taken = &memmap.taken[i];

		if (!crash_is_lost(taken, crash_region.all))
			continue;
		if (reservation_count == ARRAY_SIZE(reservation))
			end("more is lost than a record holds");
		reservation[reservation_count++] = (struct fdt_reservation){
			.name = "lifeboat-lost", .range = region_pages_around(taken->range)};
	}
}

static void plan_primary(void)
{
	static struct machine made;

	wishes = (struct fdt_wishes){
		.bootargs = "console=ttyS0",
		.reservation = reservation,
		.reservation_count = reservation_count,
	};
	plan(0, &memmap);
	check_plan(&memmap);
	make_fdt(&made);
	for (size_t i = 0; i < made.reserved_count; i++)
		print_range("reserved", made.reserved[i].range, made.reserved[i].name);
	if (made.crash_region.base != crash_region.all.base ||
	    made.reserved_count != hw.machine.reserved_count + reservation_count)
		end("the primary's FDT lacks a reservation");
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: plan_board FDT.dtb FDT_ADDRESS KERNEL_MIB [LOAD_ADDRESS]\n");
		return 2;
	}
	memcpy(image_header + 0x38, "RSC\x05", 4);
	read_machine(argv[1], strtoull(argv[2], NULL, 0), argc == 5 ? strtoull(argv[4], NULL, 0) : 0);
	set_kernel(strtoull(argv[3], NULL, 0));
	for (size_t i = 0; i < hw.machine.ram.count; i++)
		print_range("RAM", hw.machine.ram.region[i], "");
	if (place_region())
		plan_crash_kernel();
	for (size_t i = 0; i < memmap.taken_count; i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s: %s", memmap_kind_name(memmap.taken[i].kind),
			 memmap.taken[i].name);
		print_range("taken", memmap.taken[i].range, text);
	}
	if (crash_region.all.size)
		reserve();
	plan_primary();
	return 0;
}
