/* SPDX-License-Identifier: BSD-2-Clause */
/* The images of a configuration: checked against their hashes, and brought to where the plan wants them. */
#ifndef LIFEBOAT_BOOT_LOAD_IMAGES_H
#define LIFEBOAT_BOOT_LOAD_IMAGES_H

#include "boot/load/payload.h"

/** Check one image of the bundle in a pass of its own. Return: LB_OK; LB_EFORMAT a hash does not match. */
LB_MUST_CHECK enum lb_err images_verify(const struct facts *facts, struct payload *payload,
					const struct bundle_blob *blob);

/**
 * Check the configuration's large images at once, an image by each hart: if there are two or more that SHA-2
 * is to be computed of, and a hart that is stopped. What is not checked by that is left for when it is moved.
 *
 * Return: LB_OK; LB_EFORMAT a hash does not match.
 */
LB_MUST_CHECK enum lb_err images_verify_large(const struct facts *facts, struct payload *payload);

/** Say in the log which images of the configuration have no hash. */
void images_print_unhashed(const struct facts *facts, const struct payload *payload);

/** Bytes of the configuration's ramdisks, put behind each other. */
uint64_t images_ramdisk_size(const struct payload *payload);

/**
 * Carry out the plan, all but its FDT, and copy the loadables. Hashes are checked in the same pass as a copy;
 * where a copy would go over the bundle, before it. So after an error the bundle is as it was, and another
 * configuration can be tried.
 *
 * Return: LB_OK; LB_EFORMAT a hash does not match: the payload must not be started.
 */
LB_MUST_CHECK enum lb_err images_load(const struct facts *facts, struct payload *payload);

#endif
