/* SPDX-License-Identifier: BSD-2-Clause */
/* The one boot flow. */
#ifndef LIFEBOAT_BOOT_START_H
#define LIFEBOAT_BOOT_START_H

#include "boot/entry/entry.h"

/** Called by head.S at the virtual address, on the early tables: everything else. */
_Noreturn void start(const struct boot_entry *entry);

#endif
