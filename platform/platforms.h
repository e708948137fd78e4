/* SPDX-License-Identifier: BSD-2-Clause */
/* The const structs that the platform folders define: platform_NAME and platform_NAME_notes. */
#ifndef LIFEBOAT_PLATFORM_PLATFORMS_H
#define LIFEBOAT_PLATFORM_PLATFORMS_H

#include "platform/platform.h"

#define PLATFORM(name)                                \
	extern const struct platform platform_##name; \
	extern const struct platform_notes platform_##name##_notes;
#include "platforms.inc"
#undef PLATFORM

#endif
