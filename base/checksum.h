/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checksum of what the stage itself wrote and reads again, as the pieces of a crash kernel: against
 * decay and stray writes, not against forgers. Half an instruction a byte on any hart, where CRC-32 takes
 * up to eleven.
 */
#ifndef LIFEBOAT_BASE_CHECKSUM_H
#define LIFEBOAT_BASE_CHECKSUM_H

#include "base/types.h"

/**
 * The checksum of @size bytes, which lie at the same place modulo 8 each time; never 0.
 *
 * Runs before paging, too: no absolute addresses. Defined in docs/abi.md.
 */
uint32_t checksum(const void *data, uint64_t size);

#endif
