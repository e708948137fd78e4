// SPDX-License-Identifier: BSD-2-Clause
/*
 * Making memory outlive a reset. Three ways to write a cache back, each where the machine has it: Zicbom by
 * the FDT, T-Head's own instructions by the core, SiFive's last-level cache by the platform.
 */
#include "boot/machine/caches.h"

#include "boot/machine/try.h"
#include "mm/cache.h"

#define LLC_LINE   64
#define THEAD_LINE 64

/* th.dcache.cva: write a line back to memory, by its virtual address (T-Head extension spec, XTheadCmo). */
static void thead_clean_line(uintptr_t address)
{
	__asm__ volatile(".insn r 0x0b, 0, 1, x0, %0, x5" : : "r"(address) : "memory");
}

/* th.sync.s: all of them are done, on every hart. */
static void thead_sync(void)
{
	__asm__ volatile(".insn r 0x0b, 0, 0, x0, x0, x25" : : : "memory");
}

TRY(try_store, "sd	%3, (%2)")
TRY(try_cbo_clean, ".insn i 0x0f, 2, x0, %2, 1")
TRY(try_thead_clean, ".insn r 0x0b, 0, 1, x0, %2, x5")

static void warn(const struct caches *caches)
{
	log_warn(caches->log, "crash: the firmware keeps a cache from us: a reset may lose what is in it");
}

void caches_init(struct caches *caches, const struct caches *told, const void *probe)
{
	*caches = *told;
	if (caches->cbom_block && !try_cbo_clean((uintptr_t)probe, 0))
		caches->cbom_block = 0;
	if (caches->thead && !try_thead_clean((uintptr_t)probe, 0))
		caches->thead = false;
	if (caches->cbom_block != told->cbom_block || caches->thead != told->thead)
		warn(caches);
}

static void clean_llc(struct caches *caches, const void *start, size_t size)
{
	const paddr_t begin = (uintptr_t)start - caches->physmap.base, first = align_down(begin, LLC_LINE);
	volatile uint64_t *flush = physmap_pointer(&caches->physmap, caches->llc_flush);

	__asm__ volatile("fence rw, iorw" : : : "memory");
	if (!try_store((uintptr_t)flush, first)) {
		caches->llc_flush = 0;
		warn(caches);
		return;
	}
	for (paddr_t line = first; line < begin + size; line += LLC_LINE)
		*flush = line;
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

void caches_write_back(void *context, const void *start, size_t size)
{
	struct caches *caches = context;

	if (!size)
		return;
	if (caches->cbom_block)
		cache_clean_range((uintptr_t)start, size, caches->cbom_block, caches_clean_block);
	if (caches->thead) {
		cache_clean_range((uintptr_t)start, size, THEAD_LINE, thead_clean_line);
		thead_sync();
	}
	if (caches->llc_flush)
		clean_llc(caches, start, size);
	__asm__ volatile("fence rw, rw" : : : "memory");
}
