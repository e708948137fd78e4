/* SPDX-License-Identifier: BSD-2-Clause */
/* Would the next crash be captured? What stands in its way is in the record, or in the running kernel. */
#ifndef LIFEBOAT_TOOLS_READY_H
#define LIFEBOAT_TOOLS_READY_H

#include "kexec/crash/record.h"

/**
 * Print "next crash:" and what comes of it; a line for each reason why it would not be captured.
 *
 * @root    where /proc and /sys are; "" on the machine itself
 * @loaded  is there a crash kernel: prepared, or loaded by userspace
 * Return: would it be captured?
 */
bool ready_print(const char *root, const struct crash_record *record, bool loaded);

#endif
