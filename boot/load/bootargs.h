/* SPDX-License-Identifier: BSD-2-Clause */
/* A payload's command line: joined from what others say, with the options that its role needs. */
#ifndef LIFEBOAT_BOOT_LOAD_BOOTARGS_H
#define LIFEBOAT_BOOT_LOAD_BOOTARGS_H

#include "base/cmdline.h"
#include "boot/machine/log.h"

/** What a payload's role wants of its bootargs. */
struct bootargs_rule {
	enum { FIRMWARES_LAST, FIRMWARES_IF_ALONE, FIRMWARES_NEVER } firmwares; /* may it have those? */
	bool (*is_barred)(const struct cmdline_word *word); /* must it not have this? NULL: it may have all */
	const char *needs; /* options, each unless there is one of its name; NULL: none */
	const char *why;   /* it needs them: holds for a Linux that a panic resets */
};

/** Who says something, in this order: what comes later overrides. NULL: nobody. */
struct bootargs_said {
	const char *fdt;       /* a base or an overlay out of the bundle */
	const char *config;    /* the bundle's configuration */
	const char *firmwares; /* the FDT that firmware, or kexec, handed over */
};

/**
 * Make a command line by @rule. Tells in the log what was added, what is barred, what is not used, and what
 * has no room in as much as Linux takes.
 */
void bootargs_make(struct cmdline *line, const struct bootargs_rule *rule, const struct bootargs_said *said,
		   bool is_linux, struct log *log);

#endif
