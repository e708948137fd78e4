/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's RAM is there: what boot/machine/try.h tries does not trap. */
#ifndef LIFEBOAT_BOOT_MACHINE_TRY_H
#define LIFEBOAT_BOOT_MACHINE_TRY_H

#include "base/types.h"

#define TRY(name, what)                                     \
	static bool name(uintptr_t address, uint64_t value) \
	{                                                   \
		(void)value;                                \
		return address != 0;                        \
	}

#endif
