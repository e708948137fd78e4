// SPDX-License-Identifier: BSD-2-Clause
/* Which configurations are firmware. What is damaged is none: reading the configuration will tell. */
#include "kexec/bundle/firmware.h"

/* NULL: any. */
static const struct {
	const char *type, *os;
} firmware_kernels[] = {{"firmware", NULL}, {"kernel", "u-boot"}, {"kernel", "efi"}};

static bool is_firmware_kernel(const struct fit *fit, const struct fit_property *name)
{
	enum { TYPE, OS, PROPERTIES };
	struct fit_property says[PROPERTIES] = {[TYPE] = {.name = "type"}, [OS] = {.name = "os"}};
	const char *image = NULL;
	size_t count;
	int node;

	if (fit_read_strings(name, "", &image, &count, NULL) || !image ||
	    fit_find_child(fit, fit->images, image, &node, NULL) ||
	    fit_read_properties(fit, node, says, PROPERTIES, NULL))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(firmware_kernels); i++) {
		const char *os = firmware_kernels[i].os;

		if (fit_property_is(&says[TYPE], firmware_kernels[i].type) &&
		    (!os || fit_property_is(&says[OS], os)))
			return true;
	}
	return false;
}

bool bundle_is_firmware(const struct fit *fit, int node)
{
	enum { ROLE, KERNEL, PROPERTIES };
	struct fit_property says[PROPERTIES] = {
		[ROLE] = {.name = "lifeboat,role"},
		[KERNEL] = {.name = "kernel"},
	};

	if (fit_read_properties(fit, node, says, PROPERTIES, NULL))
		return false;
	return fit_property_is(&says[ROLE], "firmware") || is_firmware_kernel(fit, &says[KERNEL]);
}

bool bundle_has_firmware(const struct fit *fit)
{
	int node = fit->configurations >= 0 ? fit_first_child(fit, fit->configurations) : -1;

	while (node >= 0 && !bundle_is_firmware(fit, node))
		node = fit_next_child(fit, node);
	return node >= 0;
}
