/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle's crash configuration: which one it is, and what it asks of the crash region.
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_POLICY_H
#define LIFEBOAT_KEXEC_BUNDLE_POLICY_H

#include "base/error.h"
#include "base/types.h"
#include "fdt/fit/fit.h"

struct bundle_crash {
	const char *name; /* of the configuration node, for bundle_read_config(); points into the bundle */
	uint64_t region_size; /* lifeboat,region-size: bytes; 0: the stage chooses */
	uint32_t attempts;    /* lifeboat,attempts: how often a crash kernel is tried; at least 1 */
	bool capture_unknown; /* lifeboat,unknown-end = "capture" or "boot": a dead kernel without a log */
};

/**
 * Find the crash configuration: the one named "crash", or the first with lifeboat,role = "crash".
 *
 * @data   a FIT, 8-byte aligned, @size bytes
 * @crash  filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_ENOENT the bundle has none; LB_EFORMAT a property that makes no sense, or a damaged FIT.
 */
LB_MUST_CHECK enum lb_err bundle_find_crash(const void *data, uint64_t size, struct bundle_crash *crash,
					    struct diag *diag);

/** Is @node, a configuration, for a crash kernel: by its name or its role? */
bool bundle_is_crash(const struct fit *fit, int node);

#endif
