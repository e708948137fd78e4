/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed kernels: from the bundle straight to where they will run, if that can be. */
#ifndef LIFEBOAT_BOOT_LOAD_UNPACK_H
#define LIFEBOAT_BOOT_LOAD_UNPACK_H

#include "boot/load/payload.h"

/**
 * Unpack the configuration's kernel into free RAM of payload->map, and read what it is into its image.
 *
 * Its hashes are checked first. It goes to the lowest 2 MiB boundary with room for it and some bss (a raw
 * binary: to its load address), so that the plan can leave it there. payload->unpacked says where it is;
 * nothing takes it in the map.
 * Return: LB_OK, also if it is not compressed (payload->unpacked.size is 0 then); LB_ENOSPC no room;
 *         LB_EFORMAT damaged, a hash that does not match, or more than was declared.
 */
LB_MUST_CHECK enum lb_err unpack_kernel(const struct facts *facts, struct payload *payload);

#endif
