/* SPDX-License-Identifier: BSD-2-Clause */
/* The const structs that the platform folders define. */
#ifndef LIFEBOAT_PLATFORM_PLATFORMS_H
#define LIFEBOAT_PLATFORM_PLATFORMS_H

#include "platform/platform.h"

extern const struct platform platform_generic;
extern const struct platform platform_qemu_virt;

#endif
