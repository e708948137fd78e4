// SPDX-License-Identifier: BSD-2-Clause
/* Which platform is this? One row for each board. */
#include "platform/platform.h"

#include "platform/platforms.h"

static const struct platform *const platforms[] = {
	&platform_qemu_virt,
};

const struct platform *platform_find(const struct machine *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
		for (const char *const *name = platforms[i]->compatible; *name; name++) {
			if (machine_is_compatible(machine, *name))
				return platforms[i];
		}
	}
	return &platform_generic;
}
