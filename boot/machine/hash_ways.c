// SPDX-License-Identifier: BSD-2-Clause
/* The table of ways to compute hashes: rows for each hash that the build has (-Dhashes). */
#include "boot/machine/hash_ways.h"

#include "fdt/machine.h"

#define WAYS_crc32 {"crc32", "Zbc", ISA_CARRYLESS, crc32_zbc},
#define WAYS_sha256                                                         \
	{"sha256", "Zvknha", ISA_V | ISA_ZVKB | ISA_ZVKNHA, sha256_zvknha}, \
		{"sha256", "Zknh", ISA_ZKNH | ISA_ROTATE, sha256_zknh},     \
		{"sha256", "Zbb", ISA_ROTATE, sha256_zbb},
#define WAYS_sha512                                                         \
	{"sha512", "Zvknhb", ISA_V | ISA_ZVKB | ISA_ZVKNHB, sha512_zvknhb}, \
		{"sha512", "Zbb", ISA_ROTATE, sha512_zbb},

const struct hash_way hash_ways[] = {HASH_WAYS{NULL, NULL, 0, NULL}};
