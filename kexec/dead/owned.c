// SPDX-License-Identifier: BSD-2-Clause
/* What RAM a dead kernel owned: the arithmetic, where a set of ranges can be full. */
#include "kexec/dead/owned.h"

struct region owned_take_off(struct region_set *ram, struct region taken)
{
	const struct region pages = region_pages_around(taken);

	if (!region_set_subtract(ram, pages.base, pages.size))
		return (struct region){0, 0};
	/* Only a split can fail: one piece has it all, and more on both sides. */
	for (size_t i = 0; i < ram->count; i++) {
		struct region *piece = &ram->region[i];
		const uint64_t end = region_end(*piece);

		if (!region_contains(*piece, pages))
			continue;
		piece->size = pages.base - piece->base;
		return (struct region){region_end(pages), end - region_end(pages)};
	}
	return (struct region){0, 0};
}

enum lb_err owned_beside(const struct region_set *ram, const struct region_set *free,
			 struct region_set *beside)
{
	enum lb_err err = LB_OK;

	region_set_copy(beside, ram);
	for (size_t i = 0; !err && i < free->count; i++)
		err = region_set_subtract(beside, free->region[i].base, free->region[i].size);
	if (err)
		region_set_clear(beside);
	return err;
}
