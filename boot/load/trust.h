/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is trusted: the keys that are built in and those of the firmware's FDT, and configurations that they
 * have signed.
 */
#ifndef LIFEBOAT_BOOT_LOAD_TRUST_H
#define LIFEBOAT_BOOT_LOAD_TRUST_H

#include "boot/load/payload.h"
#include "kexec/check/signature.h"

/** So many images are remembered: a kernel and its initramfs, of two configurations, and some more. */
#define TRUST_SOUND_MAX 8

/**
 * Whom to believe. Each ring is one more to please, so that the firmware's can't take back what the build
 * demands.
 */
struct trust {
	size_t ring_count;
	struct keyring ring[2]; /* built in, and the firmware's FDT */
	bool required;		/* some key is: what nobody signed is neither started nor believed */
	struct signature_work work;
	size_t sound_count; /* images whose hashes held, known by their nodes' names in the bundle */
	const char *sound[TRUST_SOUND_MAX];
};

/** Have the hashes of @blob held before? No byte of the bundle changes until the last copy. */
bool trust_is_sound(const struct trust *trust, const struct bundle_blob *blob);

/** They held just now: this image need not be hashed again. */
void trust_note_sound(struct trust *trust, const struct bundle_blob *blob);

/** Find the keys, into @trust. Return: LB_OK; LB_EFORMAT a key or its policy makes no sense. */
LB_MUST_CHECK enum lb_err trust_find_keys(struct trust *trust, const struct hw *hw, struct log *log);

/**
 * Check the signatures of payload->config, which was just read, and say in the log whose it is, or that it
 * is unsigned.
 *
 * Every configuration goes through here before any of it is used. With a required key an initrd that
 * firmware has brought beside the bundle is no longer payload->initrd: nobody has signed it. Return:
 * LB_OK; LB_EUNTRUSTED a required signature does not hold; otherwise as signature_check().
 */
LB_MUST_CHECK enum lb_err trust_check(const struct facts *facts, struct payload *payload);

/**
 * Would the configuration @name be believed, as far as its own signature goes? Its images are not looked at.
 * For what has to be read of it before the stage moves; says nothing and changes nothing but the diag.
 */
LB_MUST_CHECK enum lb_err trust_look_at(const struct facts *facts, const char *name);

/**
 * What trust_check() would return, for a verdict in advance: says nothing and changes nothing but the diag.
 */
LB_MUST_CHECK enum lb_err trust_look(const struct facts *facts, const struct payload *payload);

#endif
