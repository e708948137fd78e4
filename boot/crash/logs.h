/* SPDX-License-Identifier: BSD-2-Clause */
/* The stage's own log, where the next run and userspace find it. */
#ifndef LIFEBOAT_BOOT_CRASH_LOGS_H
#define LIFEBOAT_BOOT_CRASH_LOGS_H

#include "boot/crash/state.h"
#include "boot/facts.h"

/** Keep the log of this run in the crash region, if there is one; the one before becomes the previous. */
void logs_save(const struct facts *facts, struct crash *crash);

#endif
