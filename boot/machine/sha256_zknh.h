/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 on harts that have Zknh: a third of the instructions. */
#ifndef LIFEBOAT_BOOT_MACHINE_SHA256_ZKNH_H
#define LIFEBOAT_BOOT_MACHINE_SHA256_ZKNH_H

#include "kexec/check/sha2.h"

/** Blocks of SHA-256 by Zknh's instructions (FIPS 180-4, section 6.2). Context: ISA_ZKNH. */
sha256_blocks sha256_zknh;

#endif
