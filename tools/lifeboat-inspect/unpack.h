/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed kernels, unpacked on the machine that a tool runs on. */
#ifndef LIFEBOAT_TOOLS_UNPACK_H
#define LIFEBOAT_TOOLS_UNPACK_H

#include "kexec/bundle/bundle.h"

/**
 * Unpack the kernel of @config, which is packed, and read what it is into config->image. Its bytes are gone
 * then.
 *
 * Return: LB_OK; else @diag says why the stage could not start it, or this machine has no memory for it.
 */
LB_MUST_CHECK enum lb_err unpack_config(const struct bundle *bundle, struct bundle_config *config,
					struct diag *diag);

#endif
