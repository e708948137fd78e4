// SPDX-License-Identifier: BSD-2-Clause
/*
 * The stage as an object in memory: sections, mapping, and the move.
 *
 * The move is simple because nothing in the stage knows its physical address but by ctx->stage_pa: copy
 * the image, map the same virtual addresses to the copy, switch. Text and rodata are copied first and the
 * trampoline page is armed in the copy; what can still change (data, bss, stacks) is copied by stage_switch
 * (switch.S) right before the switch, with nothing but registers in use.
 */
#include "boot/stage.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/leave/trampoline.h"
#include "mm/satp.h"

#define BLOCK_ALIGN (2 * MIB) /* keeps the stage's pages out of others' large leaves */

/* From the linker script. */
extern const char stage_start[], stage_end[], stage_text_end[], stage_rodata_end[];
extern const char stage_rodata_start[], trap_stack_bottom[], trap_stack_top[], stage_rw_start[],
	stage_rw_end[];
extern const char trampoline_start[], norelocate_satp[];

/* From switch.S: copy @size bytes, install @satp, return satp as it reads back. */
uint64_t stage_switch(void *dest, const void *source, uint64_t size, uint64_t satp);

struct section {
	const char *start;
	const char *end;
	uint64_t perms;
};

/* What is not in a row (the guard pages) is not mapped. */
static const struct section sections[] = {
	{stage_start, stage_text_end, PTE_R | PTE_X},
	{stage_rodata_start, stage_rodata_end, PTE_R},
	{trap_stack_bottom, trap_stack_top, PTE_R | PTE_W},
	{stage_rw_start, stage_rw_end, PTE_R | PTE_W}, /* stack, data, bss */
};

uint64_t stage_image_size(void)
{
	return (uint64_t)(stage_end - stage_start);
}

/* The addresses in the rows are link addresses, so virtual ones, even before paging is on. */
enum lb_err stage_map(struct pagetable *pt, paddr_t stage_pa)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		vaddr_t va = (uintptr_t)sections[i].start;
		uint64_t size = (uint64_t)(sections[i].end - sections[i].start);
		enum lb_err err = pagetable_map(pt, va, va - STAGE_VA + stage_pa, size, sections[i].perms);

		if (err)
			return err;
	}
	return LB_OK;
}

void *stage_early_view(struct boot_context *ctx, paddr_t pa, uint64_t size, uint64_t perms)
{
	paddr_t first = align_down(pa, PAGE_SIZE);
	uint64_t end;
	enum lb_err err = LB_ERANGE;

	if (range_is_valid(pa, size) && align_up(pa + size, PAGE_SIZE, &end) && end <= ctx->physmap.limit)
		err = pagetable_map(&ctx->tables, (uintptr_t)physmap_pointer(&ctx->physmap, first), first,
				    end - first, perms);
	if (err) {
		diag_fail(&ctx->diag, err, "stage: cannot map [%#" PRIx64 "..%#" PRIx64 "]: %s", pa,
			  pa + size - 1, lb_err_name(err));
		return NULL;
	}
	satp_flush();
	return physmap_pointer(&ctx->physmap, pa);
}

static enum lb_err map_fdt(struct pagetable *pt, paddr_t pa, uint64_t size)
{
	uint64_t mapped;

	if (!align_up(pa % PAGE_SIZE + size, PAGE_SIZE, &mapped))
		return LB_ERANGE;
	return pagetable_map(pt, FDT_VA, align_down(pa, PAGE_SIZE), mapped, PTE_R);
}

const void *stage_fdt_view(struct boot_context *ctx, uint64_t size)
{
	enum lb_err err = map_fdt(&ctx->tables, ctx->entry.fdt_pa, size);

	if (err) {
		diag_fail(&ctx->diag, err, "fdt: cannot map the FDT at %#" PRIx64 ": %s", ctx->entry.fdt_pa,
			  lb_err_name(err));
		return NULL;
	}
	satp_flush();
	return (const void *)(FDT_VA + ctx->entry.fdt_pa % PAGE_SIZE);
}

/*
 * The block that the stage moves to: its image up to the early tables, then pages for tables: the
 * trampoline's, and one or two sets of the stage's. The second set differs in that free RAM is read-only: as
 * long as it may hold what a dead kernel left, the stage can't write there even by mistake.
 */
struct block {
	paddr_t pa;
	uint64_t image_size;
	size_t table_pages; /* of one set */
	size_t sets;
	char *view; /* through the early tables */
};

static paddr_t block_trampoline_tables(const struct block *block)
{
	return block->pa + block->image_size;
}

static paddr_t block_stage_tables(const struct block *block, size_t set)
{
	return block_trampoline_tables(block) +
	       (TRAMPOLINE_POOL_PAGES + set * block->table_pages) * PAGE_SIZE;
}

static uint64_t block_size(const struct block *block)
{
	return block_stage_tables(block, block->sets) - block->pa;
}

/*
 * Enough for: the stage (its sections and tables share one path), the FDT, the bundle, an initrd beside it, two
 * parts of a crash region and a cache's register, each piece of a dead kernel's RAM that is known by now, and each of
 * free RAM, two of which the move can add: it splits one, and leaves one behind.
 */
static size_t table_pages_needed(const struct boot_context *ctx)
{
	size_t mappings = 4 + ctx->memmap.free.count + 2 + 3 * (ctx->crash.region.all.size != 0) +
			  ctx->crash.dead_ram.count;

	return PAGETABLE_POOL_PAGES(SV57_LEVELS, mappings);
}

/* In the crash region if there is one, else at the top of free RAM. */
static enum lb_err find_block(const struct boot_context *ctx, struct block *block)
{
	const struct region *room = &ctx->crash.region.stage;
	enum lb_err err;

	if (room->size) {
		block->pa = room->base;
		return block_size(block) <= room->size ? LB_OK : LB_ENOSPC;
	}
	err = region_set_find(&ctx->memmap.free, block_size(block), BLOCK_ALIGN, 0, 4 * GIB, REGION_HIGHEST,
			      &block->pa);
	if (err)
		err = region_set_find(&ctx->memmap.free, block_size(block), BLOCK_ALIGN, 0,
				      ctx->physmap.limit, REGION_HIGHEST, &block->pa);
	return err;
}

static enum lb_err choose_block(struct boot_context *ctx, struct block *block)
{
	enum lb_err err;

	block->image_size = (uint64_t)(stage_rw_end - stage_start);
	block->table_pages = table_pages_needed(ctx);
	block->sets = ctx->crash.region.all.size ? 2 : 1;
	block->pa = 0;
	err = find_block(ctx, block);
	if (err)
		return diag_fail(&ctx->diag, err,
				 "stage: no free %" PRIu64
				 " KiB of RAM in one piece to move to: give the machine "
				 "more RAM, or reserve less",
				 block_size(block) / KIB);
	block->view = stage_early_view(ctx, block->pa, block_size(block), PTE_R | PTE_W);
	return block->view ? LB_OK : LB_ERANGE;
}

/* Read-write for what a payload may be placed on or come from, read-only for the rest. */
static enum lb_err map_memory(struct pagetable *pt, const struct physmap *map, const struct region *region,
			      uint64_t perms)
{
	paddr_t base = align_down(region->base, PAGE_SIZE);
	uint64_t end;

	if (!region->size || base >= map->limit)
		return LB_OK;
	if (!align_up(region_end(*region), PAGE_SIZE, &end) || end > map->limit)
		end = map->limit;
	return pagetable_map(pt, (uintptr_t)physmap_pointer(map, base), base, end - base, perms);
}

/* What of the crash region is not the block: usable memory, and what lies behind the block. */
static enum lb_err map_crash_region(const struct boot_context *ctx, const struct block *block,
				    struct pagetable *pt, const struct physmap *map)
{
	const struct crash_region *crash = &ctx->crash.region;
	paddr_t behind = block->pa + block_size(block);
	const struct region rest = {behind, region_end(crash->all) - behind};
	enum lb_err err;

	if (!crash->all.size)
		return LB_OK;
	err = map_memory(pt, map, &crash->usable, PTE_R | PTE_W);
	return err ? err : map_memory(pt, map, &rest, PTE_R | PTE_W);
}

static enum lb_err map_machine(const struct boot_context *ctx, struct pagetable *pt,
			       const struct physmap *map, uint64_t ram_perms)
{
	enum lb_err err = map_fdt(pt, ctx->entry.fdt_pa, ctx->fdt_size);

	for (size_t i = 0; !err && i < ctx->memmap.free.count; i++)
		err = map_memory(pt, map, &ctx->memmap.free.region[i], ram_perms);
	if (!err)
		err = map_memory(pt, map, &ctx->bundle, ctx->bundle_is_ram ? ram_perms : PTE_R);
	if (!err && ctx->bundle.size && ctx->machine.initrd.base != ctx->bundle.base)
		err = map_memory(pt, map, &ctx->machine.initrd, PTE_R);
	for (size_t i = 0; !err && i < ctx->crash.dead_ram.count; i++)
		err = map_memory(pt, map, &ctx->crash.dead_ram.region[i], PTE_R);
	return err;
}

/* The register by which machine/caches.c writes a cache back. */
static enum lb_err map_llc(const struct boot_context *ctx, struct pagetable *pt, const struct physmap *map)
{
	const paddr_t page = align_down(ctx->platform->llc_flush, PAGE_SIZE);

	if (!page || !ctx->crash.region.all.size)
		return LB_OK;
	return pagetable_map(pt, (uintptr_t)physmap_pointer(map, page), page, PAGE_SIZE,
			     PTE_R | PTE_W | PTE_DEVICE);
}

/* A set of the stage's tables in a mode with @levels, in the block: set 0 with free RAM writable. */
static enum lb_err build_tables(const struct boot_context *ctx, const struct block *block, unsigned levels,
				size_t set, struct pagetable *pt)
{
	const struct physmap map = physmap_for_levels(levels);
	const paddr_t pool_pa = block_stage_tables(block, set);
	const paddr_t all_tables = block_trampoline_tables(block);
	enum lb_err err;

	err = pagetable_init(pt, levels, block->view + (pool_pa - block->pa), pool_pa, block->table_pages,
			     ctx->core.attributes);
	if (!err)
		err = stage_map(pt, block->pa);
	if (!err)
		err = pagetable_map(pt, STAGE_VA + block->image_size, all_tables,
				    block->pa + block_size(block) - all_tables, PTE_R);
	if (!err)
		err = map_crash_region(ctx, block, pt, &map);
	if (!err)
		err = map_llc(ctx, pt, &map);
	if (!err)
		err = map_machine(ctx, pt, &map, set ? PTE_R : PTE_R | PTE_W);
	return err;
}

/* From the cap downwards, until the hart takes one. */
static enum lb_err choose_mode(struct boot_context *ctx, const struct block *block, unsigned cap,
			       struct pagetable *pt)
{
	for (unsigned levels = cap; levels >= SV39_LEVELS; levels--) {
		enum lb_err err;

		if (block->pa >= pagetable_identity_limit(levels))
			break;
		err = build_tables(ctx, block, levels, 0, pt);
		if (err)
			return diag_fail(&ctx->diag, err, "stage: cannot build %s tables: %s",
					 pagetable_mode_name(levels), lb_err_name(err));
		if (satp_accepts(pagetable_satp(pt)))
			return LB_OK;
	}
	return diag_fail(&ctx->diag, LB_EUNSUPPORTED,
			 "stage: the hart takes no paging mode up to %s that reaches %#" PRIx64,
			 pagetable_mode_name(cap), block->pa);
}

/* The smallest of: what the FDT says of this hart, what the user asked for, what there is. */
static unsigned mode_cap(const struct boot_context *ctx)
{
	const struct machine_hart *hart = machine_find_hart(&ctx->machine, ctx->entry.hart_id);
	unsigned cap = SV57_LEVELS;

	if (hart && hart->mmu_levels >= SV39_LEVELS && hart->mmu_levels < cap)
		cap = hart->mmu_levels;
	if (ctx->levels_limit && ctx->levels_limit < cap)
		cap = ctx->levels_limit;
	return cap;
}

/* The trampoline page of the copy, and its tables: final before the copy's text becomes read-only. */
static enum lb_err prepare_trampoline(struct boot_context *ctx, const struct block *block, unsigned levels)
{
	const uint64_t offset = (uint64_t)(trampoline_start - stage_start);
	struct pagetable pt;
	enum lb_err err;

	err = pagetable_init(&pt, levels, block->view + block->image_size, block_trampoline_tables(block),
			     TRAMPOLINE_POOL_PAGES, ctx->core.attributes);
	if (!err)
		err = trampoline_build(&pt, STAGE_VA + offset, block->pa + offset);
	if (err)
		return diag_fail(&ctx->diag, err, "trampoline: cannot map %#" PRIx64 " in %s: %s",
				 block->pa + offset, pagetable_mode_name(levels), lb_err_name(err));
	trampoline_arm(block->view + offset, (size_t)(norelocate_satp - trampoline_start), block->pa + offset,
		       pagetable_satp(&pt));
	return LB_OK;
}

/* From here on the memory map describes the machine as it is after the move. */
static enum lb_err update_memmap(struct boot_context *ctx, const struct block *block)
{
	enum lb_err err = LB_OK;

	/* With a crash region the old place is lost memory: firmware writes the stage there again. */
	if (!ctx->crash.region.all.size)
		err = memmap_release(&ctx->memmap, ctx->stage_pa, MEMMAP_STAGE);

	if (!err)
		err = memmap_take(&ctx->memmap, block->pa, block_size(block), MEMMAP_STAGE, "stage");
	if (err)
		return diag_fail(&ctx->diag, err, "stage: the memory map is full (%s)", lb_err_name(err));
	return LB_OK;
}

static void enter_block(struct boot_context *ctx, const struct block *block, struct pagetable *pt)
{
	const uint64_t rw_offset = (uint64_t)(stage_rw_start - stage_start);

	/* All that must be in the copy comes before the copying; there the old addresses are stale. */
	ctx->stage_pa = block->pa;
	ctx->physmap = physmap_for_levels(pt->levels);
	pt->pool = (void *)(uintptr_t)(STAGE_VA + (pt->pool_pa - block->pa));
	ctx->tables = *pt;
	ctx->log.console.stage_pa = block->pa;
	stage_switch(block->view + rw_offset, stage_rw_start, block->image_size - rw_offset,
		     pagetable_satp(pt));
}

/* The tables to start on: where a dead kernel may have left something, those that can't write there. */
static enum lb_err choose_set(struct boot_context *ctx, const struct block *block, struct pagetable *pt)
{
	const uint64_t writable_satp = pagetable_satp(pt);
	enum lb_err err;

	if (block->sets == 1)
		return LB_OK;
	err = build_tables(ctx, block, pt->levels, 1, pt);
	if (err)
		return diag_fail(&ctx->diag, err, "stage: cannot build read-only tables: %s",
				 lb_err_name(err));
	ctx->writable_satp = writable_satp;
	return LB_OK;
}

void stage_allow_writes(struct boot_context *ctx)
{
	if (!ctx->writable_satp)
		return;
	satp_switch(ctx->writable_satp);
	ctx->writable_satp = 0;
}

enum lb_err stage_move(struct boot_context *ctx)
{
	struct pagetable pt;
	struct block block;
	enum lb_err err;

	err = choose_block(ctx, &block);
	if (!err)
		err = update_memmap(ctx, &block);
	if (err)
		return err;
	memcpy(block.view, stage_start, (size_t)(stage_rodata_end - stage_start));
	__asm__ volatile("fence.i" ::: "memory");
	err = choose_mode(ctx, &block, mode_cap(ctx), &pt);
	if (!err)
		err = prepare_trampoline(ctx, &block, pt.levels);
	if (!err)
		err = choose_set(ctx, &block, &pt);
	if (!err)
		enter_block(ctx, &block, &pt);
	return err;
}
