/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the hart what core it is. */
#ifndef LIFEBOAT_BOOT_MACHINE_CORE_H
#define LIFEBOAT_BOOT_MACHINE_CORE_H

#include "platform/core.h"

/** What is special about this hart's core; all 0 if nothing is. Context: before paging, too. */
struct core hart_core(void);

#endif
