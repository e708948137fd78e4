/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The doctor: does this machine's RAM keep its contents over a reset?
 *
 * It writes a pattern where nothing is prepared in the crash region, notes in a file what it wrote, and after
 * the reset counts the bits that are still there.
 */
#ifndef LIFEBOAT_TOOLS_DOCTOR_H
#define LIFEBOAT_TOOLS_DOCTOR_H

#include "tools/lifeboat-ctl/control.h"

/**
 * Put a pattern into the region, where no piece of the record is, and note it in the file control->test.
 *
 * Return: EXIT_DONE; EXIT_FAILED, and a line was said.
 */
int doctor_begin(struct control *control);

/**
 * Print what is left of the pattern, for people to post; the verdict is kept, in the note's name with
 * ".result".
 *
 * Return: EXIT_DONE all of it; EXIT_FAILED not all of it, or nothing to look for, and a line said so.
 */
int doctor_report(struct control *control);

/** Print the line of the status that tells the verdict of the last report, and its day (UTC). */
void doctor_print_last(const struct control *control);

#endif
