// SPDX-License-Identifier: BSD-2-Clause
/* The map that a payload is placed by. The stage's own stays what firmware says: it is about the stage. */
#include "boot/load/map.h"

#include <inttypes.h>

#include "kexec/place/limit.h"

static bool is_crash_kernel(const struct payload *payload)
{
	return payload->wishes.usable_memory.size != 0;
}

/* Is all of @range out of every payload's reach already? */
static bool is_reserved(const struct memmap *map, struct region range)
{
	for (size_t i = 0; i < map->taken_count; i++) {
		const struct memmap_taken *taken = &map->taken[i];

		if (pool_outlasts_stage(taken->kind) && region_contains(taken->range, range))
			return true;
	}
	return false;
}

static enum lb_err take_reservations(const struct facts *facts, const struct payload *payload,
				     struct memmap *map)
{
	const struct machine *machine = payload->machine;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < machine->reserved_count; i++) {
		const struct machine_reservation *r = &machine->reserved[i];

		/* A crash kernel is not told of the region that it lives in. */
		if (is_reserved(map, r->range) || machine_handed_over(&facts->hw->machine, r->range) ||
		    (is_crash_kernel(payload) && region_contains(machine->crash_region, r->range)))
			continue;
		err = memmap_take(map, r->range.base, r->range.size, MEMMAP_RESERVED, r->name);
	}
	return err;
}

/* What its FDT does not list as RAM. */
static enum lb_err take_gaps(const struct region_set *ram, struct memmap *map)
{
	enum lb_err err = LB_OK;
	paddr_t gap = 0;

	for (size_t i = 0; !err && i <= ram->count; i++) {
		const paddr_t end = i < ram->count ? ram->region[i].base : UINT64_MAX;

		if (region_set_overlaps(&map->ram, gap, end - gap))
			err = memmap_take(map, gap, end - gap, MEMMAP_RESERVED, "no RAM in its FDT");
		gap = i < ram->count ? region_end(ram->region[i]) : end;
	}
	return err;
}

enum lb_err map_make(const struct facts *facts, struct payload *payload, const struct memmap *map)
{
	enum lb_err err = LB_OK;

	payload->map = *map;
	if (WITH_FDTS && payload->machine != &facts->hw->machine) {
		err = take_gaps(&payload->machine->ram, &payload->map);
		if (!err)
			err = take_reservations(facts, payload, &payload->map);
	}
	return err ? diag_fail(&facts->log->diag, err,
			       "fdt: '%.40s' cuts memory into more pieces than lifeboat can hold: merge its "
			       "reservations",
			       payload->config.fdt[0].node)
		   : LB_OK;
}

enum lb_err map_take_loadables(const struct facts *facts, struct payload *payload)
{
	const struct bundle_blob *loadable = payload->config.loadable;
	struct memmap *map = &payload->map;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && loadable[i].size; i++) {
		const struct region r = {loadable[i].load, loadable[i].size};

		if (!range_fits(r.base, r.size, facts->stage->physmap.limit) ||
		    !region_set_contains(&map->free, r.base, r.size) ||
		    memmap_take(map, r.base, r.size, MEMMAP_LOADABLE, loadable[i].node))
			return diag_fail(&facts->log->diag, LB_ECONFLICT,
					 "plan: loadable '%.40s' at %#" PRIx64
					 " is not in free RAM, or lies on another: load it elsewhere",
					 loadable[i].node, r.base);
		log_info(facts->log, "plan: load    [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB, %s", r.base,
			 region_end(r) - 1, r.size / KIB, loadable[i].node);
	}
	return LB_OK;
}

static void keep_pools(struct log *log, const struct payload *payload, struct memmap *map)
{
	const struct machine *machine = payload->machine;
	const bool lost_stays = payload->wishes.reservation_count != 0; /* it is among them */

	for (size_t i = 0; i < machine->pool_count && i < MACHINE_POOLS_MAX; i++) {
		const struct pool *pool = &machine->pool[i];

		if (pool_take(map, pool, lost_stays))
			log_warn(log,
				 "memory: no room is left for '%.48s' (%" PRIu64
				 " KiB), which Linux places itself",
				 pool->name, pool->size / KIB);
	}
	if (machine->pool_count > MACHINE_POOLS_MAX)
		log_warn(log, "memory: of %zu pools %d are kept free", machine->pool_count,
			 MACHINE_POOLS_MAX);
}

void map_keep_free(const struct facts *facts, struct payload *payload)
{
	struct memmap *map = &payload->map;
	const paddr_t limit = payload->config.image.fixed
				      ? UINT64_MAX
				      : place_limit(payload->bootargs.text, &payload->machine->ram);

	if (is_crash_kernel(payload)) /* its FDT gets no pools, its command line no mem= */
		return;
	if (memmap_take(map, limit, UINT64_MAX - limit, MEMMAP_KEPT, "mem="))
		log_warn(facts->log, "memory: no entry is left for mem=");
	keep_pools(facts->log, payload, map);
}

bool map_give_up_kept(const struct facts *facts, struct payload *payload)
{
	struct memmap *map = &payload->map;
	bool was_kept = false;

	for (size_t i = map->taken_count; i-- > 0;) {
		const struct memmap_taken taken = map->taken[i];

		if (taken.kind != MEMMAP_KEPT || memmap_release(map, taken.range.base, MEMMAP_KEPT))
			continue;
		was_kept = true;
		log_warn(facts->log, "memory: the payload does not fit beside '%.48s': it is not kept free",
			 taken.name);
	}
	return was_kept;
}
