// SPDX-License-Identifier: BSD-2-Clause
/* The table of ways to compute hashes. */
#include "boot/machine/hash_ways.h"

const struct hash_way *const hash_ways[] = {HASH_WAYS NULL};
