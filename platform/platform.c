// SPDX-License-Identifier: BSD-2-Clause
/* Which platform is this? Its row is in platforms.inc, which meson.build makes. */
#include "platform/platform.h"

#include <string.h>

#include "platform/platforms.h"

#define PLATFORM(name) &platform_##name,
static const struct platform *const platforms[] = {
#include "platforms.inc"
};
#undef PLATFORM

const struct platform *platform_find(const struct machine *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
		for (const char *name = platforms[i]->compatible; *name; name += strlen(name) + 1) {
			if (machine_is_compatible(machine, name))
				return platforms[i];
		}
	}
	return &platform_generic;
}
