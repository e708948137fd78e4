/* SPDX-License-Identifier: BSD-2-Clause */
/* What every command of lifeboat-ctl works on: the crash region in the machine's memory, and its record. */
#ifndef LIFEBOAT_TOOLS_CONTROL_H
#define LIFEBOAT_TOOLS_CONTROL_H

#include "kexec/crash/region.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct control {
	const char *devicetree;
	const char *memory;
	const char *test;   /* the doctor's note */
	const char *root;   /* of /proc and /sys */
	const char *option; /* of the command, or NULL */
	struct crash_region region;
	struct diag diag;
};

/** Say why nothing was done, in one line. Return: EXIT_FAILED. */
int control_fail(const char *line);

/**
 * Map a part of the region, by mmap() alone: Linux oopses where /dev/mem is written to by write().
 *
 * Return: the mapping; NULL, and control->diag says why.
 */
void *control_map(struct control *control, struct region part, bool writable);

/** Undo control_map(). */
void control_unmap(void *mapped, struct region part);

/** Let no other lifeboat-ctl write until this one ends. What fails here fails in control_map(), too. */
void control_lock(const struct control *control);

/**
 * Read the record, if there is a good one of this very region, and lay the region out by it.
 *
 * @memory  the record, mapped
 */
LB_MUST_CHECK enum lb_err control_read(struct control *control, const void *memory,
				       struct crash_record *record);

/** As control_read(), of a record that userspace may change: the stage has armed it, and a primary runs. */
LB_MUST_CHECK enum lb_err control_read_running(struct control *control, const void *memory,
					       struct crash_record *record);

/** Is the record in @memory now what was written? If not, that is no memory, and the diag says so. */
LB_MUST_CHECK enum lb_err control_check_written(struct control *control, const void *memory,
						const struct crash_record *record);

#endif
