// SPDX-License-Identifier: BSD-2-Clause
/* The crash region: where it lies in RAM and what lies where in it. */
#include "kexec/crash/region.h"

#include <inttypes.h>

bool crash_region_is_sound(struct region all)
{
	return is_aligned(all.base | all.size, CRASH_REGION_ALIGN) && all.size >= CRASH_REGION_MIN &&
	       range_is_valid(all.base, all.size);
}

/* Take @size bytes off the top of what is left. */
static struct region take_top(struct region *left, uint64_t size)
{
	left->size -= size;
	return (struct region){region_end(*left), size};
}

struct crash_region crash_region_layout(struct region all, uint64_t kept)
{
	const uint64_t usable = all.size - CRASH_PRIVATE_SIZE - kept;
	struct crash_region r = {.all = all};
	struct region left = all;

	r.record = take_top(&left, CRASH_RECORD_SIZE);
	r.run_log[0] = take_top(&left, CRASH_RUN_LOG_SIZE);
	r.run_log[1] = take_top(&left, CRASH_RUN_LOG_SIZE);
	r.dead_log = take_top(&left, CRASH_DEAD_LOG_SIZE);
	r.call = take_top(&left, CRASH_CALL_SIZE);
	r.usable = (struct region){all.base, usable};
	r.kept = (struct region){region_end(r.usable), kept};
	r.stage = (struct region){region_end(r.kept), region_end(left) - region_end(r.kept)};
	return r;
}

static uint64_t default_size(uint64_t ram_size)
{
	uint64_t quarter = align_down(ram_size / 4, CRASH_REGION_ALIGN);

	return quarter < CRASH_REGION_DEFAULT ? quarter : CRASH_REGION_DEFAULT;
}

static enum lb_err clear_below(struct region_set *free, paddr_t top)
{
	const uint64_t size = top < CRASH_CLEAR_OF_TOP ? top : CRASH_CLEAR_OF_TOP;

	return region_set_subtract(free, top - size, size);
}

enum lb_err crash_region_keep_clear(struct region_set *free, const struct region_set *ram)
{
	enum lb_err err = clear_below(free, 4 * GIB);

	for (size_t i = 0; !err && i < ram->count; i++)
		err = clear_below(free, region_end(ram->region[i]));
	return err;
}

enum lb_err crash_region_place(const struct region_set *free, uint64_t ram_size,
			       struct crash_region_wish wish, paddr_t limit, struct crash_region *region,
			       struct diag *diag)
{
	uint64_t size = wish.size ? wish.size : default_size(ram_size), kept = wish.kept;
	enum lb_err err;
	paddr_t base;

	if (!align_up(kept, CRASH_REGION_ALIGN, &kept) || size < kept || size - kept < CRASH_REGION_MIN ||
	    !align_up(size, CRASH_REGION_ALIGN, &size))
		return diag_fail(
			diag, LB_ERANGE,
			"crash: a region of %" PRIu64 " MiB, %" PRIu64
			" of them kept, can't hold a crash kernel, %" PRIu64
			" MiB is the least beside those: set lifeboat,region-size, or give the machine "
			"more RAM",
			size / MIB, kept / MIB, CRASH_REGION_MIN / MIB);
	err = region_set_find(free, size, CRASH_REGION_ALIGN, 0, 4 * GIB, REGION_HIGHEST, &base);
	if (err)
		err = region_set_find(free, size, CRASH_REGION_ALIGN, 0, limit, REGION_HIGHEST, &base);
	if (err)
		return diag_fail(diag, LB_ENOSPC,
				 "crash: no %" PRIu64
				 " MiB of RAM are free in one piece for the crash region: make "
				 "lifeboat,region-size smaller",
				 size / MIB);
	*region = crash_region_layout((struct region){base, size}, kept);
	return LB_OK;
}
