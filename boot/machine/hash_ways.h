/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to compute hashes that this build has, besides the portable ones: by what the hart's ISA adds. */
#ifndef LIFEBOAT_BOOT_MACHINE_HASH_WAYS_H
#define LIFEBOAT_BOOT_MACHINE_HASH_WAYS_H

#include "kexec/check/way.h"

/** For verify_begin(): the best first. */
extern const struct hash_way hash_ways[];

hash_blocks crc32_zbc;				 /* crc32_zbc.c */
hash_blocks sha256_zknh, sha256_zbb, sha512_zbb; /* sha2.S, which has RV64's own, too */
hash_blocks sha256_zvknha, sha512_zvknhb;	 /* sha2_vector.S */

#endif
