// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compressed kernels.
 *
 * How large a kernel is in memory is known only once its header is unpacked. So it is unpacked first, to where the
 * plan would most likely put it, and planned then: as an image that lies where it should. Only if it turns out to
 * fit badly (an ELF, whose segments have their own addresses; a bss that is larger than the room left for it) it is
 * moved once more.
 */
#include "boot/load/unpack.h"

#include <inttypes.h>
#include <string.h>

#include "boot/load/load.h"
#include "boot/machine/instret.h"

#define BSS_SHARE 8 /* a kernel's bss is most often less than this fraction of its file, and 2 MiB */

/* Room to choose from: what is free, below the limit. The plan's own set serves, since it is not made yet. */
static enum lb_err make_room(struct boot_context *ctx, const struct memmap *map)
{
	const paddr_t limit = align_down(ctx->physmap.limit, PAGE_SIZE);

	region_set_copy(&ctx->plan.room, &map->free);
	return region_set_subtract(&ctx->plan.room, limit, UINT64_MAX - limit);
}

static enum lb_err take_room(struct boot_context *ctx, uint64_t size, struct region *found)
{
	struct region_set *room = &ctx->plan.room;
	enum lb_err err = region_set_find(room, size, PAGE_SIZE, 0, UINT64_MAX, REGION_HIGHEST, &found->base);

	found->size = size;
	return err ? err : region_set_subtract(room, found->base, region_pages_around(*found).size);
}

/* Does the bundle say where this has to lie? Of Linux and of an ELF nothing is believed. */
static bool has_own_place(const struct boot_context *ctx, uint64_t bound)
{
	const struct bundle_blob *kernel = &ctx->config.kernel;

	return kernel->load && kernel->os && strcmp(kernel->os, "linux") != 0 &&
	       strcmp(kernel->os, "elf") != 0 && region_set_contains(&ctx->plan.room, kernel->load, bound);
}

static enum lb_err choose_place(struct boot_context *ctx, uint64_t bound, paddr_t *base)
{
	const struct region_set *room = &ctx->plan.room;
	uint64_t with_bss;
	enum lb_err err = LB_ENOSPC;

	if (has_own_place(ctx, bound)) {
		*base = ctx->config.kernel.load;
		return LB_OK;
	}
	if (!__builtin_add_overflow(bound, bound / BSS_SHARE + IMAGE_LINUX_ALIGN, &with_bss))
		err = region_set_find(room, with_bss, IMAGE_LINUX_ALIGN, 0, UINT64_MAX, REGION_LOWEST, base);
	if (err)
		err = region_set_find(room, bound, IMAGE_LINUX_ALIGN, 0, UINT64_MAX, REGION_LOWEST, base);
	if (err)
		return diag_fail(&ctx->diag, LB_ENOSPC,
				 "bundle: kernel '%.40s' unpacks to as much as %" PRIu64
				 " KiB; the largest free piece is %" PRIu64
				 " KiB: give the machine more RAM, or copy the bundle again",
				 ctx->config.kernel.node, bound / KIB,
				 region_set_largest(room, IMAGE_LINUX_ALIGN) / KIB);
	return LB_OK;
}

static struct packed_bytes packed_bytes(const struct boot_context *ctx)
{
	const paddr_t pa = ctx->bundle.base + ctx->config.kernel.offset + ctx->config.packed.offset;

	return (struct packed_bytes){physmap_pointer(&ctx->physmap, pa), ctx->config.packed.size};
}

/* Choose both places and do it. */
static enum lb_err unpack(struct boot_context *ctx)
{
	const struct decompressor *by = ctx->config.packed.by;
	const bool usable = ctx->log.console.instret_usable;
	struct region work, *out = &ctx->unpacked;
	uint64_t bound = 0, begin;
	enum lb_err err = decompress_measure(by, packed_bytes(ctx), &bound, &ctx->diag);

	if (err)
		return err;
	if (take_room(ctx, DECOMPRESS_WORK_SIZE, &work))
		return diag_fail(&ctx->diag, LB_ENOSPC,
				 "bundle: no room to unpack in: give the machine more RAM");
	err = choose_place(ctx, bound, &out->base);
	if (err)
		return err;
	begin = instret_read(usable);
	err = by->unpack(physmap_pointer(&ctx->physmap, work.base), packed_bytes(ctx),
			 physmap_pointer(&ctx->physmap, out->base), bound, &out->size, &ctx->diag);
	ctx->unpack_instret += instret_read(usable) - begin;
	ctx->unpack_bytes += out->size;
	if (!err && !out->size)
		err = diag_fail(&ctx->diag, LB_EFORMAT, "bundle: there is nothing in kernel '%.40s'",
				ctx->config.kernel.node);
	return err;
}

static bool is_in_place(const struct boot_context *ctx)
{
	const struct image *image = &ctx->config.image;

	return !image->fixed || (image->kind == IMAGE_RAW && image->segment[0].address == ctx->unpacked.base);
}

/* Segments with their own addresses could lie on each other's bytes: get these out of the way, as high as can be. */
static enum lb_err make_way(struct boot_context *ctx)
{
	const struct region at = ctx->unpacked;
	struct region away;

	if (region_set_subtract(&ctx->plan.room, at.base, region_pages_around(at).size) ||
	    take_room(ctx, at.size, &away))
		return LB_OK; /* The plan sees whether it can be done without. */
	memmove(physmap_pointer(&ctx->physmap, away.base), physmap_pointer(&ctx->physmap, at.base), at.size);
	ctx->copy_bytes += at.size;
	ctx->unpacked = away;
	return LB_OK;
}

enum lb_err unpack_kernel(struct boot_context *ctx, const struct memmap *map)
{
	struct bundle_config *config = &ctx->config;
	enum lb_err err;

	ctx->unpacked = (struct region){0, 0};
	if (!config->packed.by)
		return LB_OK;
	err = load_verify(ctx, &config->kernel);
	if (!err && make_room(ctx, map))
		err = diag_fail(&ctx->diag, LB_ENOSPC,
				"bundle: no room to unpack in: give the machine more RAM");
	if (!err)
		err = unpack(ctx);
	if (!err)
		err = bundle_read_payload(physmap_pointer(&ctx->physmap, ctx->unpacked.base),
					  ctx->unpacked.size, config, &ctx->diag);
	if (err)
		return err;
	log_info(&ctx->log, "unpack: %s, %" PRIu64 " KiB to %" PRIu64 " KiB at %#" PRIx64,
		 config->packed.by->name, config->packed.size / KIB, ctx->unpacked.size / KIB,
		 ctx->unpacked.base);
	return is_in_place(ctx) ? LB_OK : make_way(ctx);
}
