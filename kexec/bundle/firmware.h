/* SPDX-License-Identifier: BSD-2-Clause */
/* Which configurations are firmware, as U-Boot or EDK2: a primary that boots an OS of its own choice. */
#ifndef LIFEBOAT_KEXEC_BUNDLE_FIRMWARE_H
#define LIFEBOAT_KEXEC_BUNDLE_FIRMWARE_H

#include "fdt/fit/fit.h"

/**
 * Is the configuration at @node firmware? It says so (lifeboat,role = "firmware"), or its kernel does: of
 * type "firmware", or of type "kernel" for the os "u-boot" or "efi".
 */
bool bundle_is_firmware(const struct fit *fit, int node);

/** Is any configuration firmware? Where the crash region lies must not depend on which one is started. */
bool bundle_has_firmware(const struct fit *fit);

#endif
