/* SPDX-License-Identifier: BSD-2-Clause */
/* An image node of a bundle, as bundle.c reads it for a configuration. Private to kexec/bundle*.c. */
#ifndef LIFEBOAT_KEXEC_BUNDLE_NODE_H
#define LIFEBOAT_KEXEC_BUNDLE_NODE_H

#include "kexec/bundle/bundle.h"

/** What an image may be used for: the types that it may have then, and what to do about a compressed one. */
struct bundle_role {
	const char *name;
	const char *types[6];
	const char *packed_hint; /* NULL: it may be compressed */
};

/** Read a property that holds one string or is absent (@string is then NULL). */
LB_MUST_CHECK enum lb_err bundle_read_string(const struct fit_property *property, const char *node,
					     const char **string, struct diag *diag);

/**
 * Find the image that a configuration names for @role, and check that it can have it.
 *
 * @blob  filled whole on LB_OK
 * Return: as bundle_read_config().
 */
LB_MUST_CHECK enum lb_err bundle_read_image(const struct fit *fit, const char *name,
					    const struct bundle_role *role, struct bundle_blob *blob,
					    struct diag *diag);

#endif
