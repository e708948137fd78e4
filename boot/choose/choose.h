/* SPDX-License-Identifier: BSD-2-Clause */
/* Which configuration becomes the primary: the one that is wanted, or the next one that is any good. */
#ifndef LIFEBOAT_BOOT_CHOOSE_CHOOSE_H
#define LIFEBOAT_BOOT_CHOOSE_CHOOSE_H

#include "boot/crash/arm.h"

/**
 * Choose the primary, load it, and say where to enter it.
 *
 * @policy   receives the bundle's
 * @primary  the payload's room
 * @map      is as before afterwards
 * @chosen   receives what was loaded
 * @exit     receives where to go
 * Return: LB_OK; on error nothing is left that could be started, and the log's diag says why the last one
 *         can't be.
 */
LB_MUST_CHECK enum lb_err choose_primary(const struct facts *facts, struct memmap *map, struct crash *crash,
					 struct boot_policy *policy, struct payload *primary,
					 struct chosen *chosen, struct exit *exit);

#endif
