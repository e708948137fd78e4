// SPDX-License-Identifier: BSD-2-Clause
/* Making memory outlive a reset. */
#include "boot/retain.h"

#include "boot/trap.h"
#include "mm/cache.h"

/* cbo.clean (Zicbom), by its encoding: old assemblers do not know the name. */
static void clean_block(uintptr_t address)
{
	__asm__ volatile(".insn i 0x0f, 2, x0, %0, 1" : : "r"(address) : "memory");
}

void retain_write_back(const void *start, size_t size)
{
	const struct boot_context *ctx = trap_context();

	if ((ctx->machine.isa & ISA_ZICBOM) && ctx->machine.cbom_block_size)
		cache_clean_range((uintptr_t)start, size, ctx->machine.cbom_block_size, clean_block);
	if (ctx->platform->write_back)
		ctx->platform->write_back(start, size);
	__asm__ volatile("fence rw, rw" : : : "memory");
}
