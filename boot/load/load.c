// SPDX-License-Identifier: BSD-2-Clause
/* From a bundle to a payload in its place: read, plan, FDT, copy. */
#include "boot/load/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/load/board_fdt.h"
#include "boot/load/images.h"
#include "boot/load/map.h"
#include "boot/load/trust.h"
#include "boot/load/unpack.h"
#include "boot/smp.h"
#include "fdt/fixup.h"
#include "kexec/bundle/board.h"

static const char *const kinds[] = {
	[IMAGE_LINUX] = "Linux Image",
	[IMAGE_ELF] = "ELF",
	[IMAGE_RAW] = "raw binary",
};

/* Where the initrd's bytes are now: the configuration's, or the one that firmware brought beside a bundle. */
static struct region initrd_of(const struct facts *facts, const struct payload *payload)
{
	const struct bundle_blob *ramdisk = payload->config.ramdisk;
	const struct source *source = facts->source;

	return ramdisk->size
		       ? (struct region){source->where.base + ramdisk->offset, images_ramdisk_size(payload)}
		       : source->beside;
}

enum lb_err load_look(const struct facts *facts, struct payload *payload, const char *name)
{
	enum lb_err err =
		bundle_read_config(&facts->source->bundle, name, &payload->config, &facts->log->diag);

	if (!err)
		payload->initrd = initrd_of(facts, payload);
	return err;
}

void load_describe(const struct payload *payload, char *out, size_t size)
{
	const struct bundle_config *config = &payload->config;
	const struct decompressor *by = config->packed.by;

	snprintf(out, size, "%s, %" PRIu64 " KiB%s", by ? by->name : kinds[config->image.kind],
		 config->kernel.size / KIB, config->ramdisk[0].size ? " and a ramdisk" : "");
}

static void warn_of_board(const struct facts *facts, const char *name)
{
	const struct machine *machine = &facts->hw->machine;
	const char *board = board_foreign(&facts->source->bundle, name, machine);

	if (board)
		log_warn(facts->log,
			 "bundle: '" FIT_NAME "' or its FDT is for " FIT_NAME ", but this is " FIT_NAME
			 ": it may not work here",
			 name, board, machine->compatible);
}

enum lb_err load_read(const struct facts *facts, struct payload *payload, const char *name)
{
	enum lb_err err = load_look(facts, payload, name);
	char what[64];

	if (err)
		return err;
	load_describe(payload, what, sizeof(what));
	log_info(facts->log, "bundle: %s at %#" PRIx64 " (%s): %s", payload->config.name,
		 facts->source->where.base, facts->source->from, what);
	warn_of_board(facts, name);
	images_print_unhashed(facts, payload);
	return trust_check(facts, payload);
}

static void print_plan(const struct facts *facts, const struct payload *payload)
{
	for (size_t i = 0; i < payload->plan.count; i++) {
		const struct plan_item *item = &payload->plan.item[i];
		const char *how = "made here";
		char from[32];

		if (item->file_size) {
			snprintf(from, sizeof(from), "from %#" PRIx64, item->source);
			how = item->source == item->dest ? "stays where it is" : from;
		}
		log_info(facts->log, "plan: %-7s [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s",
			 item->name, item->dest, item->dest + item->mem_size - 1, item->mem_size / KIB, how);
	}
}

/* What the plan is asked to place. */
static struct place_request request_of(const struct facts *facts, const struct payload *payload,
				       bool keep_bundle)
{
	const struct source *source = facts->source;
	struct place_request request = {
		.image = &payload->config.image,
		.image_pa = source->where.base + payload->config.kernel.offset,
		.image_size = payload->config.kernel.size,
		.in_place = payload->config.in_place && !keep_bundle,
		.initrd = payload->initrd,
		.initrd_in_parts = payload->config.ramdisk[1].size != 0,
		.fdt_from = payload->board_fdt_room,
		.on_lost = payload->config.is_firmware && keep_bundle, /* or else there is none */
		.limit = facts->stage->physmap.limit,
	};

	if (payload->unpacked.size) {
		request.image_pa = payload->unpacked.base;
		request.image_size = payload->unpacked.size;
		request.in_place = true;
	}
	if (!keep_bundle)
		request.bundle = source->where;
	return request;
}

/* Before there is a plan, since mem= is obeyed by it. What is in a compressed kernel is most often Linux. */
static void make_bootargs(const struct facts *facts, struct payload *payload)
{
	const struct bundle_config *config = &payload->config;
	const struct bootargs_said said = {
		.fdt = WITH_FDTS && payload->board_fdt_room.size ? fdt_bootargs(payload->board_fdt) : NULL,
		.config = config->bootargs,
		.firmwares = facts->hw->machine.bootargs,
	};

	bootargs_make(&payload->bootargs, &payload->rule, &said,
		      config->packed.by || config->image.kind == IMAGE_LINUX, facts->log);
	payload->wishes.bootargs = payload->bootargs.text;
}

static enum lb_err plan_once(const struct facts *facts, struct payload *payload, bool keep_bundle)
{
	struct diag *diag = &facts->log->diag;
	struct place_request request;
	enum lb_err err = unpack_kernel(facts, payload);

	if (err)
		return err;
	request = request_of(facts, payload, keep_bundle || !facts->source->is_ram);
	payload->wishes.initrd = request.initrd;
	err = fdt_payload_size(payload->board_fdt, &payload->wishes, &request.fdt_size, diag);
	return err ? err : place_plan(&payload->map, &request, &payload->plan, diag);
}

/* The payload comes first: what its kernel would like to find free is only a wish. */
static enum lb_err make_plan(const struct facts *facts, struct payload *payload, bool keep_bundle)
{
	const struct region room = payload->board_fdt_room;
	enum lb_err err;

	map_keep_free(facts, payload);
	/* Late: the FDT is made before anything is copied, so that loadables and pools may lie on this. */
	err = WITH_FDTS ? memmap_take(&payload->map, room.base, room.size, MEMMAP_FDT, "being made") : LB_OK;
	if (err)
		return diag_fail(&facts->log->diag, err, "memory: no entry left for the FDT");
	err = plan_once(facts, payload, keep_bundle);
	if ((err == LB_ENOSPC || err == LB_ECONFLICT) && map_give_up_kept(facts, payload))
		err = plan_once(facts, payload, keep_bundle);
	return err;
}

enum lb_err load_machine(const struct facts *facts, struct payload *payload, const struct memmap *map)
{
	enum lb_err err = board_fdt_make(facts, payload, map);

	return err ? err : map_make(facts, payload, map);
}

/*
 * A hart that was started to help, and did not come, may come yet: the stage, which it will run, is kept from
 * the payload. (A crash region has it inside, and is; a crash kernel has nothing outside of usable memory.)
 */
static void keep_for_late_hart(const struct facts *facts, struct fdt_wishes *wishes)
{
	if (!WITH_SHA2 || !facts->smp->helping || wishes->reservation_count || wishes->usable_memory.size)
		return;
	wishes->reservation = &facts->smp->place;
	wishes->reservation_count = 1;
}

enum lb_err load_plan(const struct facts *facts, struct payload *payload, bool keep_bundle)
{
	enum lb_err err = map_take_loadables(facts, payload);

	if (payload->config.packed.by) /* it is not known yet, or no more: a plan that failed unpacked it */
		payload->config.image = (struct image){.segment_count = 0};
	payload->wishes.firmware = &facts->hw->machine;
	make_bootargs(facts, payload);
	if (!err)
		err = images_verify_large(facts, payload);
	keep_for_late_hart(facts, &payload->wishes);
	if (!err)
		err = make_plan(facts, payload, keep_bundle);
	if (err)
		return err;
	payload->wishes.initrd = payload->plan.initrd;
	print_plan(facts, payload);
	return LB_OK;
}

/* The FDT first: its strings come out of the bundle, which the copies may overwrite. */
enum lb_err load_carry_out(const struct facts *facts, struct payload *payload)
{
	struct diag *diag = &facts->log->diag;
	uint64_t fdt_size;
	enum lb_err err = fdt_payload_size(payload->board_fdt, &payload->wishes, &fdt_size, diag);

	if (!err)
		err = fdt_make_payload_fdt(payload->board_fdt, &payload->wishes,
					   facts_at(facts, payload->plan.fdt), fdt_size, diag);
	return err ? err : images_load(facts, payload);
}
