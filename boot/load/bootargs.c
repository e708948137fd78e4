// SPDX-License-Identifier: BSD-2-Clause
/* A payload's command line, word by word. */
#include "boot/load/bootargs.h"

#include <stdio.h>
#include <string.h>

void bootargs_set(char bootargs[BOOTARGS_SIZE], const char *own, const char *more, struct log *log)
{
	int length;

	own = own ? own : "";
	length = snprintf(bootargs, BOOTARGS_SIZE, "%s%s%s", own, *own && *more ? " " : "", more);
	if (length < 0 || (size_t)length >= BOOTARGS_SIZE)
		log_warn(log, "bootargs: %d characters, cut at %d: shorten them", length, BOOTARGS_SIZE - 1);
}

/* The first word that begins with @key, or NULL. */
static char *find_option(char *bootargs, const char *key)
{
	const size_t length = strlen(key);

	for (char *word = bootargs; word; word = strchr(word, ' ')) {
		word += strspn(word, " ");
		if (!strncmp(word, key, length))
			return word;
	}
	return NULL;
}

void bootargs_drop(char *bootargs, const char *key)
{
	char *word;

	while ((word = find_option(bootargs, key))) {
		const size_t length = strcspn(word, " ");
		const char *rest = word + length + strspn(word + length, " ");

		memmove(word, rest, strlen(rest) + 1);
	}
}

void bootargs_add(char bootargs[BOOTARGS_SIZE], const struct bootargs_option *options, size_t count,
		  const char *reason, struct log *log)
{
	const size_t before = strlen(bootargs);

	for (size_t i = 0; i < count; i++) {
		const size_t used = strlen(bootargs);
		const char *option = options[i].option;

		if (find_option(bootargs, options[i].key))
			continue;
		if (used + strlen(option) >= BOOTARGS_SIZE) {
			log_warn(log, "bootargs: no room for%s, %s: shorten them", option, reason);
			continue;
		}
		strcpy(bootargs + used, option);
	}
	if (bootargs[before])
		log_info(log, "bootargs: added%s, %s", bootargs + before, reason);
}
