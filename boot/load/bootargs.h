/* SPDX-License-Identifier: BSD-2-Clause */
/* A payload's command line: joined from what others say, with the options that its role needs. */
#ifndef LIFEBOAT_BOOT_LOAD_BOOTARGS_H
#define LIFEBOAT_BOOT_LOAD_BOOTARGS_H

#include "boot/machine/log.h"

#define BOOTARGS_SIZE 2048 /* Linux takes at most COMMAND_LINE_SIZE of them */

/** An option that a payload needs unless its bootargs have a word that begins with @key. */
struct bootargs_option {
	const char *key;
	const char *option; /* begins with a space */
};

/** Make @bootargs @own (NULL: none), then @more. What does not fit is cut, with a warning. */
void bootargs_set(char bootargs[BOOTARGS_SIZE], const char *own, const char *more, struct log *log);

/** Take every word that begins with @key out of @bootargs. */
void bootargs_drop(char *bootargs, const char *key);

/** Add to @bootargs what is not said there, and log it with the @reason; warn of what does not fit. */
void bootargs_add(char bootargs[BOOTARGS_SIZE], const struct bootargs_option *options, size_t count,
		  const char *reason, struct log *log);

#endif
