// SPDX-License-Identifier: BSD-2-Clause
/* Whether an FDT is sound enough to be read at all. */
#include "fdt/sound.h"

#include <libfdt.h>

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

int sound_tree(const void *blob, uint64_t size)
{
	const int fault = size < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : sound_header(blob);

	return fault ? fault : fdt_check_full(blob, size);
}
