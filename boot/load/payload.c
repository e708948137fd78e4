// SPDX-License-Identifier: BSD-2-Clause
/* From a bundle to a payload in its place: read, plan, FDT, copy. */
#include "boot/load/payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/load/board_fdt.h"
#include "boot/load/load.h"
#include "boot/load/trust.h"
#include "boot/load/unpack.h"
#include "fdt/fixup.h"

static const char *const kinds[] = {
	[IMAGE_LINUX] = "Linux Image",
	[IMAGE_ELF] = "ELF",
	[IMAGE_RAW] = "raw binary",
};

enum lb_err payload_reach(struct boot_context *ctx)
{
	if (ctx->bundle.base >= ctx->physmap.limit ||
	    ctx->bundle.size > ctx->physmap.limit - ctx->bundle.base)
		return diag_fail(&ctx->diag, LB_ERANGE,
				 "bundle: [%#" PRIx64 "..%#" PRIx64 "] is out of %s's reach",
				 ctx->bundle.base, region_end(ctx->bundle) - 1,
				 pagetable_mode_name(ctx->tables.levels));
	return bundle_open(physmap_pointer(&ctx->physmap, ctx->bundle.base), ctx->bundle.size, &ctx->opened,
			   &ctx->diag);
}

enum lb_err payload_look(struct boot_context *ctx, const char *name)
{
	return bundle_read_config(&ctx->opened, name, &ctx->config, &ctx->diag);
}

void payload_describe(const struct boot_context *ctx, char *out, size_t size)
{
	const struct bundle_config *config = &ctx->config;

	const struct decompressor *by = config->packed.by;

	snprintf(out, size, "%s, %" PRIu64 " KiB%s", by ? by->name : kinds[config->image.kind],
		 config->kernel.size / KIB, config->ramdisk[0].size ? " and a ramdisk" : "");
}

enum lb_err payload_read(struct boot_context *ctx, const char *name)
{
	const struct bundle_config *config = &ctx->config;
	enum lb_err err = payload_look(ctx, name);
	char what[64];

	if (err)
		return err;
	payload_describe(ctx, what, sizeof(what));
	log_info(&ctx->log, "bundle: %s at %#" PRIx64 " (%s): %s", config->name, ctx->bundle.base,
		 ctx->bundle_from, what);
	load_print_unhashed(ctx);
	return trust_check_config(ctx);
}

void payload_set_bootargs(struct boot_context *ctx, const char *own, const char *more)
{
	int length;

	own = own ? own : "";
	length =
		snprintf(ctx->bootargs, sizeof(ctx->bootargs), "%s%s%s", own, *own && *more ? " " : "", more);
	if (length < 0 || (size_t)length >= sizeof(ctx->bootargs))
		log_warn(&ctx->log, "bootargs: %d characters, cut at %zu: shorten them", length,
			 sizeof(ctx->bootargs) - 1);
}

/* The first word that begins with @key, or NULL. */
static char *find_option(char *bootargs, const char *key)
{
	const size_t length = strlen(key);

	for (char *word = bootargs; word; word = strchr(word, ' ')) {
		word += strspn(word, " ");
		if (!strncmp(word, key, length))
			return word;
	}
	return NULL;
}

void payload_drop_option(struct boot_context *ctx, const char *key)
{
	char *word;

	while ((word = find_option(ctx->bootargs, key))) {
		const size_t length = strcspn(word, " ");
		const char *rest = word + length + strspn(word + length, " ");

		memmove(word, rest, strlen(rest) + 1);
	}
}

void payload_add_options(struct boot_context *ctx, const struct payload_option *options, size_t count,
			 const char *reason)
{
	const size_t before = strlen(ctx->bootargs);

	for (size_t i = 0; i < count; i++) {
		const size_t used = strlen(ctx->bootargs);
		const char *option = options[i].option;

		if (find_option(ctx->bootargs, options[i].key))
			continue;
		if (used + strlen(option) >= sizeof(ctx->bootargs)) {
			log_warn(&ctx->log, "bootargs: no room for%s, %s: shorten them", option, reason);
			continue;
		}
		strcpy(ctx->bootargs + used, option);
	}
	if (ctx->bootargs[before])
		log_info(&ctx->log, "bootargs: added%s, %s", ctx->bootargs + before, reason);
}

/*
 * Linux's own defaults do not suit a machine that shall capture: panic=0 stands still for ever, and a cold reboot
 * cycles DRAM's power on many boards.
 */
static void add_panic_options(struct boot_context *ctx)
{
	static const struct payload_option options[] = {{"panic=", " panic=5"},
							{"reboot=", " reboot=panic_warm"}};

	payload_add_options(ctx, options, ARRAY_SIZE(options), "so that a panic ends in a reset");
}

/* The configuration's own come first; then what the FDT said, so that it can override. */
void payload_wish(struct boot_context *ctx)
{
	payload_set_bootargs(ctx, ctx->config.bootargs, ctx->machine.bootargs);
	if (ctx->crash.staged)
		add_panic_options(ctx);
	ctx->wishes = (struct fdt_wishes){
		.bootargs = ctx->bootargs,
		.reservation = ctx->reservation,
		.reservation_count = ctx->crash.staged ? ctx->reservation_count : 0,
	};
}

/* Where the initrd's bytes are now: the configuration's, or the one that firmware brought beside a bundle. */
static struct region initrd_source(const struct boot_context *ctx)
{
	const struct bundle_blob *ramdisk = ctx->config.ramdisk;

	if (ramdisk->size)
		return (struct region){ctx->bundle.base + ramdisk->offset, load_ramdisk_size(ctx)};
	if (ctx->machine.initrd.base != ctx->bundle.base)
		return ctx->machine.initrd;
	return (struct region){0, 0};
}

static void print_plan(struct boot_context *ctx)
{
	for (size_t i = 0; i < ctx->plan.count; i++) {
		const struct plan_item *item = &ctx->plan.item[i];
		const char *how = "made here";
		char from[32];

		if (item->file_size) {
			snprintf(from, sizeof(from), "from %#" PRIx64, item->source);
			how = item->source == item->dest ? "stays where it is" : from;
		}
		log_info(&ctx->log, "plan: %-7s [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s", item->name,
			 item->dest, item->dest + item->mem_size - 1, item->mem_size / KIB, how);
	}
}

/* The loadables have no choice, so they come before the plan: from here on they are taken. */
static enum lb_err take_loadables(struct boot_context *ctx, struct memmap *map)
{
	const struct bundle_blob *loadable = ctx->config.loadable;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && loadable[i].size; i++) {
		const struct region r = {loadable[i].load, loadable[i].size};

		if (!range_fits(r.base, r.size, ctx->physmap.limit) ||
		    !region_set_contains(&map->free, r.base, r.size) ||
		    memmap_take(map, r.base, r.size, MEMMAP_LOADABLE, loadable[i].node))
			return diag_fail(&ctx->diag, LB_ECONFLICT,
					 "plan: loadable '%.40s' at %#" PRIx64
					 " is not in free RAM, or lies on another: load it elsewhere",
					 loadable[i].node, r.base);
		log_info(&ctx->log, "plan: load    [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s", r.base,
			 region_end(r) - 1, r.size / KIB, loadable[i].node);
	}
	return LB_OK;
}

/* Those that were taken come first. */
static void release_loadables(struct boot_context *ctx, struct memmap *map)
{
	const struct bundle_blob *loadable = ctx->config.loadable;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && loadable[i].size; i++) {
		if (memmap_release(map, loadable[i].load, MEMMAP_LOADABLE))
			return;
	}
}

static enum lb_err plan_in(struct boot_context *ctx, struct memmap *map)
{
	/* What firmware loads again on a reset is no place for anything, once a reset may bring a crash kernel. */
	const bool keep_bundle = (ctx->crash.region.all.size && !ctx->crash.by_kexec) || !ctx->bundle_is_ram;
	struct place_request request = {
		.image = &ctx->config.image,
		.initrd = initrd_source(ctx),
		.initrd_in_parts = ctx->config.ramdisk[1].size != 0,
		.limit = ctx->physmap.limit,
	};
	enum lb_err err = unpack_kernel(ctx, map);

	if (err)
		return err;
	request.image_pa = ctx->bundle.base + ctx->config.kernel.offset;
	request.image_size = ctx->config.kernel.size;
	request.in_place = ctx->config.in_place && !keep_bundle;
	if (ctx->unpacked.size) {
		request.image_pa = ctx->unpacked.base;
		request.image_size = ctx->unpacked.size;
		request.in_place = true;
	}
	if (!keep_bundle)
		request.bundle = ctx->bundle;
	ctx->wishes.initrd = request.initrd;
	err = fdt_payload_size(ctx->board_fdt, &ctx->wishes, &request.fdt_size, &ctx->diag);
	if (!err)
		err = place_plan(map, &request, &ctx->plan, &ctx->diag);
	return err;
}

enum lb_err payload_plan(struct boot_context *ctx, struct memmap *map)
{
	enum lb_err err = take_loadables(ctx, map);

	ctx->board_fdt_room = (struct region){0, 0};
	if (!err)
		err = board_fdt_make(ctx, map);
	if (!err)
		err = plan_in(ctx, map);
	board_fdt_release(ctx, map);
	release_loadables(ctx, map);
	if (err)
		return err;
	ctx->wishes.initrd = ctx->plan.initrd;
	print_plan(ctx);
	return LB_OK;
}

/* The FDT first: its strings come out of the bundle, which the copies may overwrite. */
enum lb_err payload_load(struct boot_context *ctx)
{
	uint64_t fdt_size;
	enum lb_err err = fdt_payload_size(ctx->board_fdt, &ctx->wishes, &fdt_size, &ctx->diag);

	if (!err)
		err = fdt_make_payload_fdt(ctx->board_fdt, &ctx->wishes,
					   physmap_pointer(&ctx->physmap, ctx->plan.fdt), fdt_size,
					   &ctx->diag);
	return err ? err : load_all(ctx);
}
