// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compressed kernels.
 *
 * How large a kernel is in memory is known only once its header is unpacked. So it is unpacked first, to
 * where the plan would most likely put it, and planned then: as an image that lies where it should. Only if
 * it turns out to fit badly (an ELF, whose segments have their own addresses; a bss that is larger than the
 * room left for it) it is moved once more.
 */
#include "boot/load/unpack.h"

#include <inttypes.h>
#include <string.h>

#include "boot/load/images.h"

#define GUESS	  8 /* times as large as packed, where nothing tells: a first try; kernels are 3 to 5 times */
#define BSS_SHARE 8 /* a kernel's bss is most often less than this fraction of its file, and 2 MiB */

/* Room to choose from: what is free, below the limit. The plan's own set serves, since it is not made yet. */
static enum lb_err make_room(const struct facts *facts, struct payload *payload)
{
	const paddr_t limit = align_down(facts->stage->physmap.limit, PAGE_SIZE);

	region_set_copy(&payload->plan.room, &payload->map.free);
	return region_set_subtract(&payload->plan.room, limit, UINT64_MAX - limit);
}

static enum lb_err take_room(struct payload *payload, uint64_t size, struct region *found)
{
	struct region_set *room = &payload->plan.room;
	enum lb_err err = region_set_find(room, size, PAGE_SIZE, 0, UINT64_MAX, REGION_HIGHEST, &found->base);

	found->size = size;
	return err ? err : region_set_subtract(room, found->base, region_pages_around(*found).size);
}

/* Does the bundle say where this has to lie? Of Linux and of an ELF nothing is believed. */
static bool has_own_place(const struct payload *payload, uint64_t bound)
{
	const struct bundle_blob *kernel = &payload->config.kernel;

	return kernel->load && kernel->os && strcmp(kernel->os, "linux") != 0 &&
	       strcmp(kernel->os, "elf") != 0 &&
	       region_set_contains(&payload->plan.room, kernel->load, bound);
}

static enum lb_err choose_place(const struct facts *facts, struct payload *payload, uint64_t bound,
				paddr_t *base)
{
	const struct region_set *room = &payload->plan.room;
	uint64_t with_bss;
	enum lb_err err = LB_ENOSPC;

	if (has_own_place(payload, bound)) {
		*base = payload->config.kernel.load;
		return LB_OK;
	}
	if (!__builtin_add_overflow(bound, bound / BSS_SHARE + IMAGE_LINUX_ALIGN, &with_bss))
		err = region_set_find(room, with_bss, IMAGE_LINUX_ALIGN, 0, UINT64_MAX, REGION_LOWEST, base);
	if (err)
		err = region_set_find(room, bound, IMAGE_LINUX_ALIGN, 0, UINT64_MAX, REGION_LOWEST, base);
	if (err)
		return diag_fail(&facts->log->diag, LB_ENOSPC,
				 "bundle: kernel '%.40s' unpacks to as much as %" PRIu64
				 " KiB; the largest free piece is %" PRIu64
				 " KiB: give the machine more RAM, or copy the bundle again",
				 payload->config.kernel.node, bound / KIB,
				 region_set_largest(room, IMAGE_LINUX_ALIGN) / KIB);
	return LB_OK;
}

static struct packed_bytes packed_bytes(const struct facts *facts, const struct payload *payload)
{
	const struct bundle_config *config = &payload->config;

	return (struct packed_bytes){facts->source->bundle.data + config->kernel.offset +
					     config->packed.offset,
				     config->packed.size};
}

/* Choose both places and do it. What turns out to be more than it says is done again, in the most room. */
static enum lb_err unpack(const struct facts *facts, struct payload *payload)
{
	const struct decompressor *by = payload->config.packed.by;
	const struct packed_bytes packed = packed_bytes(facts, payload);
	struct region work, *out = &payload->unpacked;
	uint64_t room = 0, largest, begin;
	enum lb_err err = decompress_measure(by, packed, &room, &facts->log->diag);

	if (err)
		return err;
	if (take_room(payload, DECOMPRESS_WORK_SIZE, &work))
		return diag_fail(&facts->log->diag, LB_ENOSPC,
				 "bundle: no room to unpack in: give the machine more RAM");
	largest = region_set_largest(&payload->plan.room, IMAGE_LINUX_ALIGN);
	if (!room)
		room = GUESS * packed.size < largest ? GUESS * packed.size : largest;
	for (bool again = true; again; room = largest) {
		err = choose_place(facts, payload, room, &out->base);
		if (err)
			return err;
		begin = cost_begin(facts->cost);
		err = by->unpack(facts_at(facts, work.base), packed, facts_at(facts, out->base), room,
				 &out->size, &facts->log->diag);
		cost_end(facts->cost, COST_UNPACK, begin, out->size);
		again = err == LB_ENOSPC && room < largest;
	}
	if (!err && !out->size)
		err = diag_fail(&facts->log->diag, LB_EFORMAT, "bundle: there is nothing in kernel '%.40s'",
				payload->config.kernel.node);
	return err;
}

static bool is_in_place(const struct payload *payload)
{
	const struct image *image = &payload->config.image;

	return !image->fixed ||
	       (image->kind == IMAGE_RAW && image->segment[0].address == payload->unpacked.base);
}

/*
 * Segments with their own addresses could lie on each other's bytes: get these out of the way, as high as can
 * be.
 */
static enum lb_err make_way(const struct facts *facts, struct payload *payload)
{
	const struct region at = payload->unpacked;
	struct region away;
	uint64_t begin;

	if (region_set_subtract(&payload->plan.room, at.base, region_pages_around(at).size) ||
	    take_room(payload, at.size, &away))
		return LB_OK; /* The plan sees whether it can be done without. */
	begin = cost_begin(facts->cost);
	memmove(facts_at(facts, away.base), facts_at(facts, at.base), at.size);
	cost_end(facts->cost, COST_COPY, begin, at.size);
	payload->unpacked = away;
	return LB_OK;
}

enum lb_err unpack_kernel(const struct facts *facts, struct payload *payload)
{
	struct bundle_config *config = &payload->config;
	enum lb_err err;

	payload->unpacked = (struct region){0, 0};
	if (!WITH_DECOMPRESS ||
	    !config->packed.by) /* kexec/bundle has refused what this build can't unpack */
		return LB_OK;
	err = images_verify(facts, payload, &config->kernel);
	if (!err && make_room(facts, payload))
		err = diag_fail(&facts->log->diag, LB_ENOSPC,
				"bundle: no room to unpack in: give the machine more RAM");
	if (!err)
		err = unpack(facts, payload);
	if (!err)
		err = bundle_read_payload(facts_at(facts, payload->unpacked.base), payload->unpacked.size,
					  config, &facts->log->diag);
	if (err)
		return err;
	log_info(facts->log, "unpack: %s, %" PRIu64 " KiB to %" PRIu64 " KiB at %#" PRIx64,
		 config->packed.by->name, config->packed.size / KIB, payload->unpacked.size / KIB,
		 payload->unpacked.base);
	return is_in_place(payload) ? LB_OK : make_way(facts, payload);
}
