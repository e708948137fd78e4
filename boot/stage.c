// SPDX-License-Identifier: BSD-2-Clause
/*
 * The stage as an object in memory: sections, mapping, and the move.
 *
 * The move is simple because nothing in the stage knows its physical address but by struct stage's pa: copy
 * the image, map the same virtual addresses to the copy, switch. Text and rodata are copied first and the
 * trampoline page is armed in the copy; what can still change (data, bss, stacks) is copied by stage_switch
 * (switch.S) right before the switch, with nothing but registers in use.
 */
#include "boot/stage.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/leave/trampoline.h"
#include "mm/satp.h"
#include "mm/tables.h"

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

void *stage_early_view(struct stage *stage, paddr_t pa, uint64_t size, uint64_t perms, struct diag *diag)
{
	paddr_t first = align_down(pa, PAGE_SIZE);
	uint64_t end;
	enum lb_err err = LB_ERANGE;

	if (range_is_valid(pa, size) && align_up(pa + size, PAGE_SIZE, &end) && end <= stage->physmap.limit)
		err = pagetable_map(&stage->tables, (uintptr_t)physmap_pointer(&stage->physmap, first), first,
				    end - first, perms);
	if (err) {
		diag_fail(diag, err, "stage: cannot map [%#" PRIx64 "..%#" PRIx64 "]: %s", pa, pa + size - 1,
			  lb_err_name(err));
		return NULL;
	}
	satp_flush();
	return physmap_pointer(&stage->physmap, pa);
}

bool stage_can_spare_view(const struct stage *stage)
{
	const struct pagetable *pt = &stage->tables;
	const size_t views = 1 + 2; /* the block's, and another block's if that comes to nothing */

	return pt->used_pages + PAGETABLE_POOL_PAGES(pt->levels, views) - 1 <= pt->pool_pages;
}

static enum lb_err map_fdt(struct pagetable *pt, paddr_t pa, uint64_t size)
{
	uint64_t mapped;

	if (!align_up(pa % PAGE_SIZE + size, PAGE_SIZE, &mapped))
		return LB_ERANGE;
	return pagetable_map(pt, FDT_VA, align_down(pa, PAGE_SIZE), mapped, PTE_R);
}

const void *stage_fdt_view(struct stage *stage, paddr_t fdt_pa, uint64_t size, struct diag *diag)
{
	enum lb_err err = map_fdt(&stage->tables, fdt_pa, size);

	if (err) {
		diag_fail(diag, err, "fdt: cannot map the FDT at %#" PRIx64 ": %s", fdt_pa, lb_err_name(err));
		return NULL;
	}
	satp_flush();
	return (const void *)(FDT_VA + fdt_pa % PAGE_SIZE);
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
 * Is it lost on a reset, and so no dead kernel's? The other harts' mailbox lies in the old place; and once
 * crash support is given up a payload may lie in all of it.
 */
static bool is_lost(const struct memmap_taken *taken, const struct block *block)
{
	return taken->kind == MEMMAP_LOST || (taken->kind == MEMMAP_STAGE && taken->range.base != block->pa);
}

static size_t count_lost(const struct memmap *map, const struct block *block)
{
	size_t count = 0;

	for (size_t i = 0; i < map->taken_count; i++)
		count += is_lost(&map->taken[i], block);
	return count;
}

/*
 * Enough for the stage (its sections and tables share one path), the FDT, the views, and the sets of memory
 * by what they take: with many pieces the worst case would be far more than that.
 */
static size_t table_pages_needed(const struct stage_request *request, const struct block *block)
{
	/* The move can add two pieces of free RAM: it splits one, and leaves one behind. */
	const size_t mappings =
		2 + request->view_count + (request->own.size != 0) + 2 + count_lost(request->map, block);
	size_t pages = PAGETABLE_POOL_PAGES(SV57_LEVELS, mappings);

	pages += tables_for_set(SV57_LEVELS, &request->map->free);
	return pages + (WITH_CRASH && request->dead ? tables_for_set(SV57_LEVELS, request->dead) : 0);
}

/* In the room that we have of our own, or else at the top of free RAM. */
static enum lb_err find_block(const struct stage *stage, const struct stage_request *request,
			      struct block *block)
{
	const struct region_set *free = &request->map->free;
	enum lb_err err;

	if (WITH_CRASH && request->own.size) {
		block->pa = request->own.base;
		return block_size(block) <= request->room ? LB_OK : LB_ERANGE;
	}
	err = region_set_find(free, block_size(block), BLOCK_ALIGN, 0, 4 * GIB, REGION_HIGHEST, &block->pa);
	if (err)
		err = region_set_find(free, block_size(block), BLOCK_ALIGN, 0, stage->physmap.limit,
				      REGION_HIGHEST, &block->pa);
	return err;
}

static enum lb_err choose_block(struct stage *stage, const struct stage_request *request, struct block *block,
				struct diag *diag)
{
	enum lb_err err;

	block->image_size = (uint64_t)(stage_rw_end - stage_start);
	block->sets = WITH_CRASH && request->keep_free ? 2 : 1;
	block->pa = 0;
	block->table_pages = table_pages_needed(request, block);
	err = find_block(stage, request, block);
	if (WITH_CRASH && err == LB_ERANGE)
		return diag_fail(diag, err, "stage: RAM is in too many pieces to move into the crash region");
	if (err)
		return diag_fail(diag, err,
				 "stage: no free %" PRIu64
				 " KiB of RAM in one piece to move to: give the machine "
				 "more RAM, or reserve less",
				 block_size(block) / KIB);
	block->view = stage_early_view(stage, block->pa, block_size(block), PTE_R | PTE_W, diag);
	return block->view ? LB_OK : LB_ERANGE;
}

/* A region by the physmap, as far as that reaches. */
static enum lb_err map_memory(struct pagetable *pt, const struct physmap *map, struct region region,
			      uint64_t perms)
{
	paddr_t base = align_down(region.base, PAGE_SIZE);
	uint64_t end;

	if (!region.size || base >= map->limit)
		return LB_OK;
	if (!align_up(region_end(region), PAGE_SIZE, &end) || end > map->limit)
		end = map->limit;
	return pagetable_map(pt, (uintptr_t)physmap_pointer(map, base), base, end - base, perms);
}

static enum lb_err map_set(struct pagetable *pt, const struct physmap *map, const struct region_set *set,
			   uint64_t perms)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < set->count; i++)
		err = map_memory(pt, map, set->region[i], perms);
	return err;
}

/* What of our own the block leaves. */
static enum lb_err map_own(struct pagetable *pt, const struct physmap *map, struct region own,
			   const struct block *block)
{
	const paddr_t behind = block->pa + block_size(block);

	if (!own.size)
		return LB_OK;
	return map_memory(pt, map, (struct region){behind, region_end(own) - behind}, PTE_R | PTE_W);
}

static enum lb_err map_lost(struct pagetable *pt, const struct physmap *map, const struct memmap *memmap,
			    const struct block *block)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < memmap->taken_count; i++) {
		const struct memmap_taken *taken = &memmap->taken[i];

		if (is_lost(taken, block))
			err = map_memory(pt, map, taken->range, PTE_R | PTE_W);
	}
	return err;
}

/* All that is not the stage itself. */
static enum lb_err map_machine(struct pagetable *pt, const struct physmap *map,
			       const struct stage_request *request, uint64_t free_perms)
{
	enum lb_err err = map_fdt(pt, request->fdt.base, request->fdt.size);

	if (!err)
		err = map_set(pt, map, &request->map->free, free_perms);
	for (size_t i = 0; !err && i < request->view_count; i++) {
		const struct stage_view *view = &request->view[i];

		err = map_memory(pt, map, view->where, view->perms ? view->perms : free_perms);
	}
	if (WITH_CRASH && !err && request->dead)
		err = map_set(pt, map, request->dead, request->dead_perms ? request->dead_perms : free_perms);
	return err;
}

/* A set of the stage's tables in a mode with @levels, in the block: set 0 with free RAM writable. */
static enum lb_err build_tables(const struct stage *stage, const struct stage_request *request,
				const struct block *block, unsigned levels, size_t set, struct pagetable *pt)
{
	const struct physmap map = physmap_for_levels(levels);
	const paddr_t pool_pa = block_stage_tables(block, set);
	const paddr_t all_tables = block_trampoline_tables(block);
	enum lb_err err;

	err = pagetable_init(pt, levels, block->view + (pool_pa - block->pa), pool_pa, block->table_pages,
			     stage->tables.attributes);
	if (!err)
		err = stage_map(pt, block->pa);
	if (!err)
		err = pagetable_map(pt, STAGE_VA + block->image_size, all_tables,
				    block->pa + block_size(block) - all_tables, PTE_R);
	if (WITH_CRASH && !err)
		err = map_own(pt, &map, request->own, block);
	if (!err)
		err = map_lost(pt, &map, request->map, block);
	if (!err)
		err = map_machine(pt, &map, request, set ? PTE_R : PTE_R | PTE_W);
	return err;
}

/* From the cap downwards, until the hart takes one. */
static enum lb_err choose_mode(const struct stage *stage, const struct stage_request *request,
			       const struct block *block, struct pagetable *pt, struct diag *diag)
{
	for (unsigned levels = request->most_levels; levels >= SV39_LEVELS; levels--) {
		enum lb_err err;

		if (block->pa >= pagetable_identity_limit(levels))
			break;
		err = build_tables(stage, request, block, levels, 0, pt);
		if (err)
			return diag_fail(diag, err, "stage: cannot build %s tables: %s",
					 pagetable_mode_name(levels), lb_err_name(err));
		if (satp_accepts(pagetable_satp(pt)))
			return LB_OK;
	}
	return diag_fail(diag, LB_EUNSUPPORTED,
			 "stage: the hart takes no paging mode up to %s that reaches %#" PRIx64,
			 pagetable_mode_name(request->most_levels), block->pa);
}

/* The trampoline page of the copy, and its tables: final before the copy's text becomes read-only. */
static enum lb_err prepare_trampoline(const struct block *block, const struct pagetable *like,
				      struct diag *diag)
{
	const uint64_t offset = (uint64_t)(trampoline_start - stage_start);
	struct pagetable pt;
	enum lb_err err;

	err = pagetable_init(&pt, like->levels, block->view + block->image_size,
			     block_trampoline_tables(block), TRAMPOLINE_POOL_PAGES, like->attributes);
	if (!err)
		err = trampoline_build(&pt, STAGE_VA + offset, block->pa + offset);
	if (err)
		return diag_fail(diag, err, "trampoline: cannot map %#" PRIx64 " in %s: %s",
				 block->pa + offset, pagetable_mode_name(like->levels), lb_err_name(err));
	trampoline_arm(block->view + offset, (size_t)(norelocate_satp - trampoline_start), block->pa + offset,
		       pagetable_satp(&pt));
	return LB_OK;
}

/* From here on the memory map describes the machine as it is after the move. */
static enum lb_err update_memmap(const struct stage *stage, const struct stage_request *request,
				 const struct block *block, struct diag *diag)
{
	enum lb_err err = LB_OK;

	/* What must be kept over a reset can't be in the old place: firmware writes the stage there again. */
	if (!WITH_CRASH || !request->keep_free)
		err = memmap_release(request->map, stage->pa, MEMMAP_STAGE);

	if (!err)
		err = memmap_take(request->map, block->pa, block_size(block), MEMMAP_STAGE, "stage");
	if (err)
		return diag_fail(diag, err, "stage: the memory map is full (%s)", lb_err_name(err));
	return LB_OK;
}

static void enter_block(struct stage *stage, const struct block *block, struct pagetable *pt,
			struct console *console)
{
	const uint64_t rw_offset = (uint64_t)(stage_rw_start - stage_start);

	/* All that must be in the copy comes before the copying; there the old addresses are stale. */
	stage->pa = block->pa;
	stage->physmap = physmap_for_levels(pt->levels);
	pt->pool = (void *)(uintptr_t)(STAGE_VA + (pt->pool_pa - block->pa));
	stage->tables = *pt;
	console->stage_pa = block->pa;
	stage_switch(block->view + rw_offset, stage_rw_start, block->image_size - rw_offset,
		     pagetable_satp(pt));
}

/* The tables to start on: where a dead kernel may have left something, those that can't write there. */
static enum lb_err choose_set(struct stage *stage, const struct stage_request *request,
			      const struct block *block, struct pagetable *pt, struct diag *diag)
{
	const uint64_t writable_satp = pagetable_satp(pt);
	enum lb_err err;

	if (!WITH_CRASH || block->sets == 1)
		return LB_OK;
	err = build_tables(stage, request, block, pt->levels, 1, pt);
	if (err)
		return diag_fail(diag, err, "stage: cannot build read-only tables: %s", lb_err_name(err));
	stage->writable_satp = writable_satp;
	return LB_OK;
}

void stage_allow_writes(struct stage *stage)
{
	if (!WITH_CRASH || !stage->writable_satp)
		return;
	satp_switch(stage->writable_satp);
	stage->writable_satp = 0;
}

/* Copy the stage to the block, and make there all that it takes to go on in it. */
static enum lb_err fill_block(struct stage *stage, const struct stage_request *request,
			      const struct block *block, struct pagetable *pt, struct diag *diag)
{
	enum lb_err err;

	memcpy(block->view, stage_start, (size_t)(stage_rodata_end - stage_start));
	__asm__ volatile("fence.i" ::: "memory");
	err = choose_mode(stage, request, block, pt, diag);
	if (!err)
		err = prepare_trampoline(block, pt, diag);
	return err ? err : choose_set(stage, request, block, pt, diag);
}

enum lb_err stage_move(struct stage *stage, const struct stage_request *request, struct log *log)
{
	struct pagetable pt;
	struct block block;
	enum lb_err err;

	err = choose_block(stage, request, &block, &log->diag);
	if (!err)
		err = update_memmap(stage, request, &block, &log->diag);
	if (err)
		return err;
	err = fill_block(stage, request, &block, &pt, &log->diag);
	if (!err)
		enter_block(stage, &block, &pt, &log->console);
	else
		(void)!memmap_release(request->map, block.pa, MEMMAP_STAGE);
	return err;
}
