// SPDX-License-Identifier: BSD-2-Clause
/* libdeflate's decoder in memory of its caller: the library itself has it from a heap, and there is none. */
#include "lib/lib_common.h"

#include "lifeboat/inflate.h"

#define libdeflate_default_malloc_func ((malloc_func_t)NULL)
#define libdeflate_default_free_func   ((free_func_t)NULL)

#include "lib/deflate_decompress.c"

_Static_assert(sizeof(struct libdeflate_decompressor) <= INFLATE_WORK_SIZE, "or else make it larger");

struct libdeflate_decompressor *inflate_init(void *work)
{
	return memset(work, 0, sizeof(struct libdeflate_decompressor));
}
