/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that no crash kernel may get, whoever gave them. */
#ifndef LIFEBOAT_KEXEC_CRASH_BARRED_H
#define LIFEBOAT_KEXEC_CRASH_BARRED_H

#include "base/cmdline.h"

/**
 * Is @word an option that takes away a crash kernel's memory, or tells it of memory that is not its own?
 *
 * Consoles, roots, harts and all else that two kernels may differ in is nobody's business but the user's.
 */
bool crash_is_barred(const struct cmdline_word *word);

#endif
