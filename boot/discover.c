// SPDX-License-Identifier: BSD-2-Clause
/* Machine, memory and bundle: what the FDT says, checked against what lies there. */
#include "boot/discover.h"

#include <inttypes.h>
#include <string.h>

#include "boot/machine/sbi.h"
#include "boot/stage.h"

#define FIRMWARE_PREFIX "mmode_resv" /* OpenSBI's name for what it keeps from S-mode */
#define FDT_HEADER_SIZE 40

const char *discover_option(const struct boot_context *ctx, const char *key, size_t *length)
{
	const size_t key_length = strlen(key);

	for (const char *word = ctx->machine.bootargs; *word;) {
		size_t word_length = 0;

		while (word[word_length] && word[word_length] != ' ')
			word_length++;
		if (word_length > key_length && !memcmp(word, key, key_length) && word[key_length] == '=') {
			*length = word_length - key_length - 1;
			return word + key_length + 1;
		}
		word += word_length;
		while (*word == ' ')
			word++;
	}
	return NULL;
}

static void read_options(struct boot_context *ctx)
{
	static const char *const modes[] = {"sv39", "sv48", "sv57"};
	size_t length;
	const char *value = discover_option(ctx, "lifeboat.log", &length);

	if (value && !log_level_by_name(value, length, &ctx->log.level))
		log_warn(&ctx->log, "bootargs: lifeboat.log=%.*s is none of error, warn, info, debug",
			 (int)length, value);

	value = discover_option(ctx, "lifeboat.mode", &length);
	for (size_t i = 0; value && i < ARRAY_SIZE(modes); i++) {
		if (length == strlen(modes[i]) && !memcmp(value, modes[i], length))
			ctx->levels_limit = SV39_LEVELS + (unsigned)i;
	}
	if (value && !ctx->levels_limit)
		log_warn(&ctx->log, "bootargs: lifeboat.mode=%.*s is none of sv39, sv48, sv57", (int)length,
			 value);
}

enum lb_err discover_machine(struct boot_context *ctx)
{
	const paddr_t pa = ctx->entry.fdt_pa;
	const void *header;
	enum lb_err err;

	if (!pa || !is_aligned(pa, 8))
		return diag_fail(&ctx->diag, LB_EFORMAT,
				 "fdt: a1 = %#" PRIx64
				 " can't be an FDT (null, or not 8-byte aligned): check the "
				 "firmware that started lifeboat",
				 pa);
	header = stage_fdt_view(ctx, FDT_HEADER_SIZE);
	if (!header)
		return LB_ERANGE;
	err = fdt_peek_size(header, &ctx->fdt_size, &ctx->diag);
	if (err)
		return err;
	ctx->fdt = stage_fdt_view(ctx, ctx->fdt_size);
	if (!ctx->fdt)
		return LB_ERANGE;
	err = fdt_read_machine(ctx->fdt, ctx->fdt_size, &ctx->machine, &ctx->diag);
	if (err)
		return err;
	read_options(ctx);
	ctx->platform = platform_find(&ctx->machine);
	return LB_OK;
}

static enum lb_err take_reservations(struct boot_context *ctx)
{
	for (size_t i = 0; i < ctx->machine.reserved_count; i++) {
		const struct machine_reservation *r = &ctx->machine.reserved[i];
		bool firmware = !strncmp(r->name, FIRMWARE_PREFIX, strlen(FIRMWARE_PREFIX));
		enum lb_err err = memmap_take(&ctx->memmap, r->range.base, r->range.size,
					      firmware ? MEMMAP_FIRMWARE : MEMMAP_RESERVED, r->name);

		if (err)
			return err;
	}
	return LB_OK;
}

/*
 * Old vendor firmware runs at the bottom of RAM and reserves nothing. If nobody claims the first page of
 * the bank that we were loaded into, keep off the 2 MiB below which no stage is ever loaded. In a guest there
 * is no firmware in RAM, and what lies there is the dead kernel's.
 */
static enum lb_err take_silent_firmware(struct boot_context *ctx)
{
	const struct region_set *ram = &ctx->memmap.ram;

	if (sbi_is_hypervisor())
		return LB_OK;
	for (size_t i = 0; i < ram->count; i++) {
		paddr_t base = ram->region[i].base;
		uint64_t size = ctx->entry.stage_pa - base;

		if (ctx->entry.stage_pa <= base || ctx->entry.stage_pa >= region_end(ram->region[i]))
			continue;
		if (!region_set_contains(&ctx->memmap.free, base, PAGE_SIZE))
			return LB_OK;
		return memmap_take(&ctx->memmap, base, size < 2 * MIB ? size : 2 * MIB, MEMMAP_FIRMWARE,
				   "assumed, the FDT reserves nothing there");
	}
	return LB_OK;
}

enum lb_err discover_memory(struct boot_context *ctx)
{
	struct memmap *map = &ctx->memmap;
	enum lb_err err = LB_OK;

	memmap_init(map);
	for (size_t i = 0; !err && i < ctx->machine.ram.count; i++)
		err = memmap_add_ram(map, ctx->machine.ram.region[i].base, ctx->machine.ram.region[i].size);
	if (!err)
		err = take_reservations(ctx);
	if (!err)
		err = take_silent_firmware(ctx);
	if (!err)
		err = memmap_take(map, ctx->entry.fdt_pa, ctx->fdt_size, MEMMAP_FDT, "the firmware's");
	if (!err)
		err = memmap_take(map, ctx->stage_pa, stage_image_size(), MEMMAP_STAGE, "as loaded");
	if (err)
		return diag_fail(&ctx->diag, err,
				 "memory: the FDT lists more ranges than lifeboat can hold (%s)",
				 lb_err_name(err));
	return LB_OK;
}

/* What of @range is in @free; size 0 if nothing is. */
static struct region overlap(struct region free, struct region range)
{
	paddr_t base = free.base > range.base ? free.base : range.base;
	paddr_t end = region_end(free) < region_end(range) ? region_end(free) : region_end(range);

	return base < end ? (struct region){base, end - base} : (struct region){0, 0};
}

/* Piece by piece: a reservation of the FDT's inside of it stays what it is, and nothing is reserved twice. */
static enum lb_err take_lost(struct memmap *map, const struct platform_lost *lost)
{
	const struct region range = {lost->base_mib * MIB, lost->size_mib * MIB};
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < map->free.count;) {
		const struct region piece = overlap(map->free.region[i], range);

		if (piece.size) /* piece i is then what is left below it, or the next one */
			err = memmap_take(map, piece.base, piece.size, MEMMAP_LOST, lost->by);
		else
			i++;
	}
	return err;
}

enum lb_err discover_lost(struct boot_context *ctx)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < ctx->platform->lost_count; i++)
		err = take_lost(&ctx->memmap, &ctx->platform->lost[i]);
	return err ? diag_fail(&ctx->diag, err, "memory: no entry left for the platform's lost memory")
		   : LB_OK;
}

void discover_lost_release(struct boot_context *ctx)
{
	struct memmap *map = &ctx->memmap;

	for (size_t i = map->taken_count; i-- > 0;) {
		const struct memmap_taken taken = map->taken[i];

		if (taken.kind == MEMMAP_LOST && memmap_release(map, taken.range.base, MEMMAP_LOST))
			log_warn(&ctx->log, "memory: lost memory at %#" PRIx64 " can't be used",
				 taken.range.base);
	}
}

/* Does a FIT or a bare payload begin here? */
static bool is_bundle(struct boot_context *ctx, struct region range)
{
	const void *data = range.size ? stage_early_view(ctx, range.base, range.size, PTE_R) : NULL;

	return data && bundle_probe(data, range.size);
}

/* The same, or something that is compressed. It must end where the range does. */
static bool is_packed_bundle(struct boot_context *ctx, struct region range)
{
	const void *data = range.size ? stage_early_view(ctx, range.base, range.size, PTE_R) : NULL;

	return data && bundle_is_packed(data, range.size);
}

static bool find_in_initrd(struct boot_context *ctx, struct region *found)
{
	*found = ctx->machine.initrd;
	return is_bundle(ctx, *found);
}

static bool find_in_chosen(struct boot_context *ctx, struct region *found)
{
	*found = ctx->machine.bundle;
	if (found->size && !is_bundle(ctx, *found) && !is_packed_bundle(ctx, *found)) {
		log_warn(&ctx->log,
			 "bundle: /chosen lifeboat,bundle says %#" PRIx64 ", but nothing known is there",
			 found->base);
		return false;
	}
	return found->size != 0;
}

/* How much may be read behind the stage: to the end of its bank of RAM. */
static uint64_t ram_behind(const struct boot_context *ctx, paddr_t pa)
{
	for (size_t i = 0; i < ctx->memmap.ram.count; i++) {
		const struct region *r = &ctx->memmap.ram.region[i];

		if (pa >= r->base && pa < region_end(*r))
			return region_end(*r) - pa;
	}
	return 0;
}

/* U-Boot's SPL puts the FDT right there, so an FDT is no surprise; only one with /images is a bundle. */
static bool find_behind_stage(struct boot_context *ctx, struct region *found)
{
	const paddr_t pa = ctx->entry.stage_pa + stage_image_size();
	const uint64_t room = ram_behind(ctx, pa);
	const uint8_t *header =
		room >= FDT_HEADER_SIZE ? stage_early_view(ctx, pa, FDT_HEADER_SIZE, PTE_R) : NULL;
	struct bundle bundle;
	uint64_t tree_size;
	const void *tree;
	enum lb_err err;

	if (pa == ctx->entry.fdt_pa || !header || memcmp(header, "\xd0\x0d\xfe\xed", 4))
		return false;
	tree_size =
		(uint64_t)header[4] << 24 | (uint64_t)header[5] << 16 | (uint64_t)header[6] << 8 | header[7];
	tree = tree_size <= room ? stage_early_view(ctx, pa, tree_size, PTE_R) : NULL;
	if (!tree)
		return false;
	found->base = pa;
	err = bundle_open(tree, room, &bundle, &ctx->diag);
	if (!err && !bundle.is_fit)
		return false;
	if (!err)
		err = bundle_size(&bundle, &found->size, &ctx->diag);
	if (err)
		log_warn(&ctx->log, "%s", ctx->diag.text);
	return !err;
}

static bool find_in_flash(struct boot_context *ctx, struct region *found)
{
	if (!ctx->platform->flash)
		return false;
	*found = *ctx->platform->flash;
	return is_bundle(ctx, *found);
}

/* A compressed kernel, or a compressed initramfs for what is in another place: so this comes last. */
static bool find_packed_initrd(struct boot_context *ctx, struct region *found)
{
	*found = ctx->machine.initrd;
	return is_packed_bundle(ctx, *found);
}

/* In this order; the first hit wins. */
static const struct {
	const char *from;
	bool (*find)(struct boot_context *ctx, struct region *found);
} sources[] = {
	{"/chosen linux,initrd-start", find_in_initrd},
	{"/chosen lifeboat,bundle", find_in_chosen},
	{"behind the stage", find_behind_stage},
	{"flash", find_in_flash},
	{"/chosen linux,initrd-start, compressed", find_packed_initrd},
};

/* What is not a bundle in the initrd's place is an initrd: keep it whole, for a payload without its own. */
static enum lb_err take_initrd(struct boot_context *ctx)
{
	return memmap_take(&ctx->memmap, ctx->machine.initrd.base, ctx->machine.initrd.size, MEMMAP_INITRD,
			   "beside the bundle");
}

/*
 * Firmware may have written into the bundle after it was loaded: OpenSBI's fw_jump and fw_payload copy the FDT
 * 32 MiB behind the stage's start, whatever is there.
 */
static enum lb_err check_undamaged(struct boot_context *ctx)
{
	for (size_t i = 0; i < ctx->memmap.taken_count; i++) {
		const struct memmap_taken *taken = &ctx->memmap.taken[i];

		if (ranges_overlap(taken->range.base, taken->range.size, ctx->bundle.base, ctx->bundle.size))
			return diag_fail(&ctx->diag, LB_ECONFLICT,
					 "bundle: [%#" PRIx64 "..%#" PRIx64 "] overlaps %s at %#" PRIx64
					 ", so it is damaged: load it elsewhere",
					 ctx->bundle.base, region_end(ctx->bundle) - 1,
					 memmap_kind_name(taken->kind), taken->range.base);
	}
	return LB_OK;
}

static enum lb_err take_bundle(struct boot_context *ctx)
{
	enum lb_err err = check_undamaged(ctx);

	if (err) {
		ctx->bundle = (struct region){0, 0};
		return err;
	}
	if (ctx->bundle_is_ram)
		err = memmap_take(&ctx->memmap, ctx->bundle.base, ctx->bundle.size, MEMMAP_BUNDLE,
				  ctx->bundle_from);
	if (!err && ctx->bundle.base != ctx->machine.initrd.base)
		err = take_initrd(ctx);
	return err ? diag_fail(&ctx->diag, err, "memory: no entry left for the bundle") : LB_OK;
}

enum lb_err discover_bundle(struct boot_context *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (!sources[i].find(ctx, &ctx->bundle))
			continue;
		ctx->bundle_from = sources[i].from;
		ctx->bundle_is_ram =
			region_set_overlaps(&ctx->memmap.ram, ctx->bundle.base, ctx->bundle.size);
		return take_bundle(ctx);
	}
	ctx->bundle = (struct region){0, 0};
	return diag_fail(&ctx->diag, LB_ENOENT,
			 "bundle: none found%s: load one and name it in /chosen (QEMU: -initrd), or append "
			 "it to lifeboat.bin",
			 ctx->machine.initrd.size ? " (the initrd is none)" : "");
}
