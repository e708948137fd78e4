// SPDX-License-Identifier: BSD-2-Clause
/* libdeflate's CRC-32 in the stage: the one that the stage has anyway (base/crc32.c), and no table of its own. */
#include "libdeflate.h"

#include <stdint.h>

uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

LIBDEFLATEAPI uint32_t libdeflate_crc32(uint32_t crc, const void *data, size_t size)
{
	return data ? crc32_update(crc, data, size) : 0;
}
