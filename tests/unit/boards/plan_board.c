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

#include "boot/crash/crash.h"
#include "boot/discover.h"
#include "boot/machine/sbi.h"
#include "boot/stage.h"
#include "kexec/crash/lost.h"
#include "platform/platforms.h"

#define STAGE_SIZE  (512 * KIB) /* what a stage with everything in it takes */
#define INITRD_SIZE (4 * MIB)
#define FDT_ROOM    (2 * MIB)

#define PLATFORM(name) &platform_##name##_notes,
static const struct platform_notes *const all_notes[] = {
#include "platforms.inc"
};
#undef PLATFORM

static struct boot_context ctx;
static struct image kernel;
static uint8_t image_header[PAGE_SIZE], nothing[PAGE_SIZE];

static _Noreturn void end(const char *why)
{
	printf("FAILED: %s: %s\n", why, ctx.diag.text);
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

const void *stage_fdt_view(struct boot_context *context, uint64_t size)
{
	(void)size;
	return context->fdt;
}

/* An Image where the bundle is, and zeros elsewhere: nobody looks behind a header that is none. */
void *stage_early_view(struct boot_context *context, paddr_t pa, uint64_t size, uint64_t perms)
{
	(void)size, (void)perms;
	return pa == context->machine.bundle.base ? image_header : nothing;
}

/* ---- The steps ---- */

static const struct platform_notes *notes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_notes); i++) {
		if (all_notes[i]->platform == ctx.platform)
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

static unsigned mode(void)
{
	unsigned levels = SV57_LEVELS;

	for (size_t i = 0; i < ctx.machine.hart_count; i++) {
		const struct machine_hart *hart = &ctx.machine.hart[i];

		if (hart->enabled && hart->mmu_levels >= SV39_LEVELS && hart->mmu_levels < levels)
			levels = hart->mmu_levels;
	}
	return levels;
}

static void read_machine(const char *path, paddr_t fdt_pa, paddr_t load)
{
	size_t enabled = 0;

	ctx.log.level = LOG_WARN;
	ctx.fdt = load_fdt(path);
	ctx.entry.fdt_pa = fdt_pa;
	must(discover_machine(&ctx), "machine");
	if (!notes())
		end("the platform has no notes");
	ctx.entry.stage_pa = ctx.stage_pa = load ? load : notes()->load;
	ctx.physmap = physmap_for_levels(mode());
	for (size_t i = 0; i < ctx.machine.hart_count; i++)
		enabled += ctx.machine.hart[i].enabled;
	printf("platform  %s for %s; %zu of %zu harts, %s\n", ctx.platform->name, ctx.machine.compatible,
	       enabled, ctx.machine.hart_count, pagetable_mode_name(mode()));
	for (size_t i = 0; i < ARRAY_SIZE(notes()->quirk) && *notes()->quirk[i].name; i++)
		printf("quirk     %s\n", notes()->quirk[i].name);
	must(discover_memory(&ctx), "memory");
	must(discover_bundle(&ctx), "bundle");
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
	return (struct region){ctx.bundle.base + PAGE_SIZE + kernel.segment[0].file_size + role * INITRD_SIZE,
			       INITRD_SIZE};
}

/* As payload_plan(). @role 0: the primary, 1: the crash kernel. */
static void plan(size_t role, const struct memmap *map)
{
	struct place_request request = {
		.image = &kernel,
		.image_pa = ctx.bundle.base + PAGE_SIZE,
		.image_size = kernel.segment[0].file_size,
		.initrd = initrd_in_bundle(role),
		.limit = ctx.physmap.limit,
	};

	if (!ctx.crash.region.all.size)
		request.bundle = ctx.bundle;
	ctx.wishes.initrd = request.initrd;
	must(fdt_payload_size(ctx.fdt, &ctx.wishes, &request.fdt_size, &ctx.diag), "FDT size");
	must(place_plan(map, &request, &ctx.plan, &ctx.diag), role ? "crash kernel" : "primary");
	ctx.wishes.initrd = ctx.plan.initrd;
	for (size_t i = 0; i < ctx.plan.count; i++)
		print_range(role ? "  crash" : "primary",
			    (struct region){ctx.plan.item[i].dest, ctx.plan.item[i].mem_size},
			    ctx.plan.item[i].name);
}

/* The payload's FDT, made and read again. */
static void make_fdt(struct machine *made)
{
	uint64_t size;
	void *out;

	must(fdt_payload_size(ctx.fdt, &ctx.wishes, &size, &ctx.diag), "FDT size");
	out = malloc(size);
	must(fdt_make_payload_fdt(ctx.fdt, &ctx.wishes, out, size, &ctx.diag), "FDT");
	must(fdt_read_machine(out, size, made, &ctx.diag), "the FDT that was made");
}

/* Nothing of a plan may lie on what somebody else has. */
static void check_plan(const struct memmap *map)
{
	for (size_t i = 0; i < ctx.plan.count; i++) {
		const struct plan_item *item = &ctx.plan.item[i];

		if (!region_set_contains(&map->ram, item->dest, item->mem_size))
			end("a destination is no RAM");
		for (size_t j = 0; j < map->taken_count; j++) {
			const struct memmap_taken *taken = &map->taken[j];

			if (ranges_overlap(item->dest, item->mem_size, taken->range.base,
					   taken->range.size) &&
			    (ctx.crash.region.all.size || taken->kind != MEMMAP_BUNDLE))
				end("a destination is taken");
		}
	}
}

static bool place_region(void)
{
	struct crash_region *region = &ctx.crash.region;

	must(discover_lost(&ctx), "lost memory");
	if (crash_region_place(&ctx.memmap.free, region_set_size(&ctx.machine.ram), 0, ctx.physmap.limit,
			       region, &ctx.diag)) {
		printf("no crash  %s\n", ctx.diag.text);
		*region = (struct crash_region){.all = {0, 0}};
		discover_lost_release(&ctx);
		return false;
	}
	must(memmap_take(&ctx.memmap, region->all.base, region->all.size, MEMMAP_CRASH, ""), "crash region");
	print_range("region", region->all, "");
	return true;
}

static void plan_crash_kernel(void)
{
	static struct machine made;
	const struct region usable = ctx.crash.region.usable;
	const struct region core = {region_end(usable) - CRASH_CORE_ROOM, CRASH_CORE_ROOM};

	memmap_init(&ctx.crash.usable);
	must(memmap_add_ram(&ctx.crash.usable, usable.base, usable.size), "usable memory");
	must(memmap_take(&ctx.crash.usable, core.base, core.size, MEMMAP_CRASH, ""), "core header");
	ctx.wishes = (struct fdt_wishes){
		.bootargs = "nr_cpus=1",
		.elfcorehdr = {core.base, ELFCOREHDR_SIZE_MAX},
		.usable_memory = usable,
	};
	plan(1, &ctx.crash.usable);
	check_plan(&ctx.crash.usable);
	make_fdt(&made);
	if (made.usable_memory.base != usable.base || made.usable_memory.size != usable.size ||
	    made.elfcorehdr.base != core.base)
		end("the crash kernel's FDT says something else");
}

/* As reserve_all(). */
static void reserve(void)
{
	ctx.reservation[ctx.reservation_count++] = (struct fdt_reservation){
		"lifeboat-crash", FDT_CRASH_REGION, ctx.crash.region.all, .no_map = true};
	for (size_t i = 0; i < ctx.memmap.taken_count; i++) {
		const struct memmap_taken *taken = &ctx.memmap.taken[i];

		if (!crash_is_lost(taken, ctx.crash.region.all))
			continue;
		if (ctx.reservation_count == ARRAY_SIZE(ctx.reservation))
			end("more is lost than a record holds");
		ctx.reservation[ctx.reservation_count++] = (struct fdt_reservation){
			.name = "lifeboat-lost", .range = region_pages_around(taken->range)};
	}
}

static void plan_primary(void)
{
	static struct machine made;

	ctx.wishes = (struct fdt_wishes){
		.bootargs = "console=ttyS0",
		.reservation = ctx.reservation,
		.reservation_count = ctx.reservation_count,
	};
	plan(0, &ctx.memmap);
	check_plan(&ctx.memmap);
	make_fdt(&made);
	for (size_t i = 0; i < made.reserved_count; i++)
		print_range("reserved", made.reserved[i].range, made.reserved[i].name);
	if (made.crash_region.base != ctx.crash.region.all.base ||
	    made.reserved_count != ctx.machine.reserved_count + ctx.reservation_count)
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
	for (size_t i = 0; i < ctx.machine.ram.count; i++)
		print_range("RAM", ctx.machine.ram.region[i], "");
	if (place_region())
		plan_crash_kernel();
	for (size_t i = 0; i < ctx.memmap.taken_count; i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s: %s", memmap_kind_name(ctx.memmap.taken[i].kind),
			 ctx.memmap.taken[i].name);
		print_range("taken", ctx.memmap.taken[i].range, text);
	}
	if (ctx.crash.region.all.size)
		reserve();
	plan_primary();
	return 0;
}
