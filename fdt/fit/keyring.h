/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Public keys and what is demanded of signatures, as mkimage -K writes them: the /signature node of a control
 * FDT.
 *
 * A node for each key. Of U-Boot's properties those that only save it arithmetic (rsa,r-squared,
 * rsa,n0-inverse) are not read; lifeboat,min-version is ours.
 */
#ifndef LIFEBOAT_FDT_FIT_KEYRING_H
#define LIFEBOAT_FDT_FIT_KEYRING_H

#include "fdt/fit/fit.h"

struct keyring {
	struct fit tree;  /* not a FIT: no images, no configurations */
	int node;	  /* /signature */
	bool any_will_do; /* required-mode = "any": one of the required keys, not each of them */
};

/** What must be signed with a key. */
enum key_required {
	KEY_OPTIONAL,
	KEY_REQUIRED_CONF,  /* every configuration */
	KEY_REQUIRED_IMAGE, /* every image by itself */
};

struct key_bytes {
	const uint8_t *data; /* NULL: the key has none */
	uint32_t size;
};

/** One key. All pointers are into the control FDT. */
struct key {
	const char *name; /* key-name-hint, else the node's */
	const char *algo; /* "sha256,rsa2048": the only one to accept; NULL: any that fits the key */
	enum key_required required;
	uint64_t min_version; /* of a configuration */
	struct key_bytes modulus;
	uint64_t exponent;
	struct key_bytes x, y; /* of the point on P-256 */
};

/**
 * Open a control FDT.
 *
 * @blob  8-byte aligned, @size bytes that may be read
 * Return: LB_OK; LB_ENOENT it has no /signature, and so nothing to say; LB_EINVAL, LB_EFORMAT as fit_open().
 */
LB_MUST_CHECK enum lb_err keyring_open(const void *blob, uint64_t size, struct keyring *ring,
				       struct diag *diag);

/**
 * As keyring_open(), of an FDT that fdt_read_machine() has checked: to check it again would cost more than
 * the rest.
 */
LB_MUST_CHECK enum lb_err keyring_open_checked(const void *blob, uint64_t size, struct keyring *ring,
					       struct diag *diag);

/** The first key, and the one behind @key: a node's offset, negative at the end. */
int keyring_first(const struct keyring *ring);
int keyring_next(const struct keyring *ring, int key);

/** Read a key. Return: LB_OK; LB_EFORMAT something in it makes no sense: then nothing must be accepted. */
LB_MUST_CHECK enum lb_err keyring_read(const struct keyring *ring, int node, struct key *key,
				       struct diag *diag);

#endif
