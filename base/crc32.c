// SPDX-License-Identifier: BSD-2-Clause
/* CRC-32: libdeflate's. */
#include "base/crc32.h"

#include <libdeflate.h>

uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
	return libdeflate_crc32(crc, data, size);
}
