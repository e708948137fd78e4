/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 (IEEE 802.3, reflected), as zlib's crc32(): of the crash record, of staged pieces, of images. */
#ifndef LIFEBOAT_BASE_CRC32_H
#define LIFEBOAT_BASE_CRC32_H

#include "base/types.h"

/**
 * Go on from @crc, 0 at first, with @size bytes.
 *
 * Runs before paging, too: no absolute addresses.
 */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
