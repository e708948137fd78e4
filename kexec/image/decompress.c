// SPDX-License-Identifier: BSD-2-Clause
/* Which decompressors this build has. */
#include "kexec/image/decompress.h"

#include <string.h>

/* A choice of the build (meson.build), NULL at the end. */
static const struct decompressor *const decompressors[] = {DECOMPRESSORS NULL};

const struct decompressor *decompressor_by_name(const char *name, size_t length)
{
	for (size_t i = 0; decompressors[i]; i++) {
		if (strlen(decompressors[i]->name) == length && !memcmp(decompressors[i]->name, name, length))
			return decompressors[i];
	}
	return NULL;
}

const struct decompressor *decompressor_by_magic(struct packed_bytes packed)
{
	for (size_t i = 0; decompressors[i]; i++) {
		if (decompressors[i]->matches(packed))
			return decompressors[i];
	}
	return NULL;
}
