/* SPDX-License-Identifier: BSD-2-Clause */
/* The core header: what the crash kernel is told of the dead one. */
#ifndef LIFEBOAT_BOOT_CRASH_HEADER_H
#define LIFEBOAT_BOOT_CRASH_HEADER_H

#include "boot/crash/state.h"
#include "boot/facts.h"

/** Room for a core header, then for a note of our own. */
#define CORE_HEADER_ROOM (ELFCOREHDR_SIZE_MAX + PAGE_SIZE)

/** Where the crash region keeps the core header of a prepared crash kernel: CORE_HEADER_ROOM bytes. */
struct region core_header_room(const struct crash *crash);

/**
 * Write the core header of dead->core to @room, CORE_HEADER_ROOM bytes: dead->ram, the kernel's mapping and
 * linear map as far as dead->info knows them, the notes that are there and the dead kernel's VMCOREINFO.
 */
LB_MUST_CHECK enum lb_err core_header_write(const struct facts *facts, const struct crash *crash,
					    struct dead *dead, struct region room);

#endif
