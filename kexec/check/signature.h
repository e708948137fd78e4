/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures of a bundle's configurations, as mkimage makes them, against keys that the stage was given.
 *
 * A signature covers the configuration, the images that it names and their hash nodes; so it holds only
 * for these images together, and for their contents only once the hashes were checked too
 * (kexec/check/verify.h). docs/signing.md says what is demanded beyond what U-Boot demands.
 */
#ifndef LIFEBOAT_KEXEC_CHECK_SIGNATURE_H
#define LIFEBOAT_KEXEC_CHECK_SIGNATURE_H

#include "fdt/fit/cover.h"
#include "fdt/fit/keyring.h"
#include "kexec/check/rsa.h"

/** One signature node, read and checked for its shape. Pointers are into the bundle. */
struct signature {
	const char *name; /* of its node */
	const char *algo; /* "sha256,rsa2048" */
	const struct sha2_kind *hash;
	const struct signature_scheme *scheme;
	enum rsa_padding padding;
	const uint8_t *value; /* scheme->size bytes */
	struct fit_property nodes;
	uint64_t strings; /* bytes of the strings block that are signed */
};

/** What stands behind the comma in an algo. */
struct signature_scheme {
	const char *name;
	uint32_t size; /* of a signature */
	bool (*verify)(const struct signature *signature, const struct key *key, const uint8_t *digest,
		       struct rsa_work *work);
};

extern const struct signature_scheme signature_rsa2048, signature_rsa3072, signature_rsa4096;
extern const struct signature_scheme signature_ecdsa256;

/** What there is to check with. */
struct signature_policy {
	const struct keyring *ring;
	size_t ring_count;
	const struct signature_scheme *const *scheme;
	size_t scheme_count;
};

/** Room to work in; no contents between calls. */
struct signature_work {
	struct fit_cover cover;
	struct rsa_work rsa;
};

/** What a check that ended well has found. Pointers are into the bundle and the control FDTs. */
struct signature_verdict {
	const char *key;  /* whose signature holds; NULL: none does, and none is required */
	const char *algo; /* of it */
	bool required;
	uint64_t version; /* lifeboat,version of the configuration, 0 without one */
	size_t keys;	  /* how many there are to check with */
};

/**
 * Check a configuration as the policy demands: per control FDT each key that is required for
 * configurations, or one of them if any will do. Without a required key nothing is demanded; the verdict
 * tells whether some key's signature holds.
 *
 * @name  of the configuration; it is there
 * Return: LB_OK; LB_EUNTRUSTED the policy is not content; LB_ENOENT, LB_EFORMAT and others: no such
 *         configuration, damaged, or no sensible key, which is refused as well.
 */
LB_MUST_CHECK enum lb_err signature_check(const struct signature_policy *policy, const struct fit *fit,
					  const char *name, struct signature_work *work,
					  struct signature_verdict *verdict, struct diag *diag);

/**
 * Check an image by itself, with the keys that are required for images (all of them).
 *
 * @name  of the image; it is there
 * @data  its @data_size bytes as they are stored
 */
LB_MUST_CHECK enum lb_err signature_check_image(const struct signature_policy *policy, const struct fit *fit,
						const char *name, const void *data, uint64_t data_size,
						struct signature_work *work, struct diag *diag);

/** Does the policy have a key that is required for @what? Damaged keys count. */
bool signature_requires(const struct signature_policy *policy, enum key_required what);

#endif
