/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One image of a FIT: where its bytes lie, what its node says of them, and whether it may serve as what a
 * configuration names it for.
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_NODE_H
#define LIFEBOAT_KEXEC_BUNDLE_NODE_H

#include "base/error.h"
#include "base/types.h"
#include "fdt/fit/fit.h"
#include "kexec/check/verify.h"

/** What an image node says. Strings point into the bundle. */
struct bundle_blob {
	const char *node; /* node name, for messages */
	uint64_t offset;  /* from the start of the bundle */
	uint64_t size;	  /* 0: the configuration has no such image */
	uint64_t load;	  /* 0: none */
	uint64_t entry;	  /* 0: none */
	const char *type;
	const char *os;		 /* NULL: none */
	const char *compression; /* NULL: it is stored as it is */
	struct image_hashes hashes;
};

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

/**
 * Find the data of one image, whether a configuration names it or not.
 *
 * @image  offset of its node
 * @blob   receives node, offset and size; the rest is empty
 * Return: LB_OK; LB_ENOENT it has none; LB_EFORMAT; LB_ERANGE.
 */
LB_MUST_CHECK enum lb_err bundle_find_data(const struct fit *fit, int image, struct bundle_blob *blob,
					   struct diag *diag);

#endif
