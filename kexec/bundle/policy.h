/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a bundle wants beside its payloads: its crash configuration and what that asks for, early deaths that
 * demote a primary, and what is to be done when all are bad.
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_POLICY_H
#define LIFEBOAT_KEXEC_BUNDLE_POLICY_H

#include "fdt/machine.h"
#include "kexec/bundle/bundle.h"

/** What the crash configuration asks for. */
struct bundle_crash {
	const char *name;     /* of its node, for bundle_read_config(); points into the bundle */
	bool has_kernel;      /* else it reserves a region, and userspace loads one */
	uint64_t region_size; /* lifeboat,region-size: bytes; 0: the stage chooses */
	uint64_t kept_size;   /* lifeboat,kept-size: bytes of it for what userspace loads */
	bool lent;	      /* lifeboat,region = "lent": the primary may use the rest meanwhile */
	uint32_t attempts;    /* lifeboat,attempts: how often a crash kernel is tried; at least 1 */
	bool capture_unknown; /* lifeboat,unknown-end = "capture" or "boot": a dead kernel without a log */
	bool beside_firmware; /* a configuration is firmware: kexec/bundle/firmware.h */
};

/**
 * Read what the crash configuration @name asks for; which there are, choices_read_crash() says.
 *
 * @crash  filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_ENOENT it is not there; LB_EFORMAT a property that makes no sense.
 */
LB_MUST_CHECK enum lb_err bundle_read_crash(const struct bundle *bundle, const char *name,
					    struct bundle_crash *crash, struct diag *diag);

/** Can @config be a crash kernel's? Return: LB_OK; LB_EUNSUPPORTED it has loadables. */
LB_MUST_CHECK enum lb_err bundle_check_crash(const struct bundle_config *config, struct diag *diag);

/** Is @node, a configuration, for a crash kernel: by its name or its role? */
bool bundle_is_crash(const struct fit *fit, int node);

/** What a bundle says of primaries that come to nothing. */
struct boot_policy {
	uint32_t limit;		 /* lifeboat,boot-limit: early deaths in a row that demote; 0: none do */
	uint32_t seconds;	 /* lifeboat,boot-seconds: what early is */
	bool reset_when_all_bad; /* lifeboat,all-bad = "reset" */
};

/**
 * Read a bundle's policy. A bare payload has none.
 *
 * @warning  a property that makes no sense is no reason not to boot: its default holds, and this says so;
 *           empty otherwise
 */
void bundle_policy(const struct bundle *bundle, struct boot_policy *policy, struct diag *warning);

/** A number that is another one for (nearly) every other bundle: FNV-1a over its size and its beginning. */
uint64_t bundle_identify(const struct bundle *bundle);

#endif
