// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether an FDT is sound enough to be read at all.
 *
 * What fdt_check_full() asks, in one walk that reads each tag once: it takes a quarter of the instructions.
 */
#include "fdt/sound.h"

#include "fdt/walk.h"

#define VERSION 17

int sound_header(const void *blob)
{
	if (fdt_magic(blob) != FDT_MAGIC)
		return -FDT_ERR_BADMAGIC;
	if (fdt_version(blob) < VERSION || fdt_last_comp_version(blob) > VERSION)
		return -FDT_ERR_BADVERSION;
	if (!is_aligned(fdt_off_dt_struct(blob), FDT_TAGSIZE) ||
	    !is_aligned(fdt_off_mem_rsvmap(blob), sizeof(uint64_t)))
		return -FDT_ERR_ALIGNMENT;
	return fdt_check_header(blob);
}

/* Does the name of the property end inside of the strings? So does each if the last of them does. */
static bool is_named(const struct walk *w)
{
	const uint32_t name = walk_name_at(w);

	return name < w->strings_size &&
	       (!w->strings[w->strings_size - 1] || memchr(w->strings + name, '\0', w->strings_size - name));
}

/* The tag FDT_END, or what walk_next() stops at: of all others it says FDT_END, too. */
static bool is_end(const struct walk *w)
{
	return range_fits(w->offset, FDT_TAGSIZE, w->structure_size) &&
	       fdt32_ld((const fdt32_t *)(const void *)(w->structure + w->offset)) == FDT_END;
}

/* One root without a name, in which every node ends; behind it nothing but the end. */
static bool is_tree(const void *blob)
{
	uint32_t tag, depth = 0;
	bool is_over = false;
	struct walk w;

	walk_start(&w, blob);
	while ((tag = walk_next(&w)) != FDT_END) {
		if (is_over || (tag == FDT_BEGIN_NODE && !depth && *w.name) ||
		    (tag == FDT_END_NODE && !depth) || (tag == FDT_PROP && !is_named(&w)))
			return false;
		depth += (tag == FDT_BEGIN_NODE) - (tag == FDT_END_NODE);
		is_over = tag == FDT_END_NODE && !depth;
	}
	return is_end(&w) && !depth;
}

int sound_tree(const void *blob, uint64_t size)
{
	int fault = size < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : sound_header(blob);

	if (!fault && size < fdt_totalsize(blob))
		fault = -FDT_ERR_TRUNCATED;
	if (!fault)
		fault = fdt_num_mem_rsv(blob);
	if (fault < 0)
		return fault;
	return is_tree(blob) ? 0 : -FDT_ERR_BADSTRUCTURE;
}
