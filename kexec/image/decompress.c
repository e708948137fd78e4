// SPDX-License-Identifier: BSD-2-Clause
/* Which decompressors this build has, and which of them is meant. */
#include "kexec/image/decompress.h"

#include <string.h>

/* A choice of the build (meson.build), NULL at the end. */
static const struct decompressor *const decompressors[] = {DECOMPRESSORS NULL};

const struct decompressor *decompressor_by_name(const char *name)
{
	for (size_t i = 0; decompressors[i]; i++) {
		if (!strcmp(decompressors[i]->name, name))
			return decompressors[i];
	}
	return NULL;
}

const struct decompressor *decompressor_by_zboot(const char *name)
{
	for (size_t i = 0; decompressors[i]; i++) {
		const struct decompressor *by = decompressors[i];

		for (size_t n = 0; n < ARRAY_SIZE(by->zboot) && by->zboot[n]; n++) {
			if (!strcmp(by->zboot[n], name))
				return by;
		}
	}
	return NULL;
}

const struct decompressor *decompressor_by_magic(struct packed_bytes packed)
{
	packed = packed_skip(packed);
	for (size_t i = 0; decompressors[i]; i++) {
		if (packed_begins(packed, decompressors[i]->magic))
			return decompressors[i];
	}
	return NULL;
}

enum lb_err decompress_measure(const struct decompressor *by, struct packed_bytes packed, uint64_t *bound,
			       struct diag *diag)
{
	if (!packed_begins(packed_skip(packed), by->magic))
		return diag_fail(diag, LB_EFORMAT, "%s: the data does not begin as %s: make it again",
				 by->name, by->name);
	return by->measure(packed, bound, diag);
}
