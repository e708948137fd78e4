/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to compute hashes that this build has, besides the portable ones: by what the hart's ISA adds. */
#ifndef LIFEBOAT_BOOT_MACHINE_HASH_WAYS_H
#define LIFEBOAT_BOOT_MACHINE_HASH_WAYS_H

#include "kexec/check/way.h"

/** The best first, NULL at the end: for verify_begin(). Those of hashes that the build has. */
extern const struct hash_way *const hash_ways[];

extern const struct hash_way crc32_zbc;
extern const struct hash_way sha256_zknh;

#endif
