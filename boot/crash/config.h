/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which crash configurations there are, and which one counts: the first that is good, as with primaries.
 *
 * With a required key a crash kernel comes from a bundle that this life of the stage has verified, and from
 * nowhere else. This is the one place that says which bundle that is.
 */
#ifndef LIFEBOAT_BOOT_CRASH_CONFIG_H
#define LIFEBOAT_BOOT_CRASH_CONFIG_H

#include "boot/crash/state.h"
#include "boot/facts.h"
#include "kexec/bundle/choices.h"

/**
 * The crash configurations of facts->source, best first; none of them is checked yet.
 *
 * Return: LB_OK; LB_ENOENT there is none, or no bundle; else why the bundle can't be read, as the log's diag
 * says.
 */
LB_MUST_CHECK enum lb_err config_list(const struct facts *facts, struct choices *choices);

/**
 * What the first one asks for that may be believed: where a key is required, its signature holds. Says
 * nothing.
 *
 * Context: before stage_move() or after it. Return: LB_OK; as config_list(); else why the last one is no
 * good.
 */
LB_MUST_CHECK enum lb_err config_find(const struct facts *facts, struct bundle_crash *config);

#endif
