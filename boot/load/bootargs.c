// SPDX-License-Identifier: BSD-2-Clause
/* A payload's command line: joined, cleared of what is barred, completed; and told of. */
#include "boot/load/bootargs.h"

#include <string.h>

static void join(struct cmdline *line, const struct bootargs_rule *rule, const struct bootargs_said *said,
		 struct log *log)
{
	const char *firmwares = said->firmwares ? said->firmwares : "";

	cmdline_append(line, said->fdt ? said->fdt : "");
	cmdline_append(line, said->config ? said->config : "");
	if (rule->firmwares == FIRMWARES_LAST || (rule->firmwares == FIRMWARES_IF_ALONE && !*line->text))
		cmdline_append(line, firmwares);
	else if (WITH_CRASH && *firmwares)
		log_info(log, "bootargs: the crash kernel gets none of the FDT's");
}

/* Behind `--`, too: Linux looks for crashkernel= everywhere, and programs read all of /proc/cmdline. */
static void drop_barred(struct cmdline *line, const struct bootargs_rule *rule, struct log *log)
{
	const char *at = line->text;
	struct cmdline_word word;

	while (cmdline_next(&at, &word)) {
		if (!rule->is_barred(&word))
			continue;
		log_warn(log, "bootargs: no crash kernel can do with %.*s: left out", (int)word.length,
			 word.text);
		at = word.text;
		cmdline_remove(line, &word);
	}
}

/* Linux's own default is panic=0, which does nothing. */
static bool panic_resets(const struct cmdline *line)
{
	struct cmdline_word panic;

	if (!cmdline_find(line->text, "panic", &panic) || !panic.value)
		return false;
	return strspn(panic.value, "+-0xX") < panic.value_length;
}

static void add_needs(struct cmdline *line, const struct bootargs_rule *rule, bool is_linux, struct log *log)
{
	const size_t added = cmdline_ensure(line, rule->needs);
	const bool resets = panic_resets(line);

	if (added)
		log_info(log, "bootargs: added %.*s, %s", (int)added, line->text,
			 is_linux && resets ? rule->why : "for a Linux that reads them");
	if (!resets)
		log_warn(log, "bootargs: panic=0: after a panic it stands still until somebody resets it");
}

void bootargs_make(struct cmdline *line, const struct bootargs_rule *rule, const struct bootargs_said *said,
		   bool is_linux, struct log *log)
{
	cmdline_begin(line, is_linux ? CMDLINE_LINUX : CMDLINE_ROOM - 1);
	join(line, rule, said, log);
	if (WITH_CRASH && rule->is_barred)
		drop_barred(line, rule, log);
	if (WITH_CRASH && rule->needs)
		add_needs(line, rule, is_linux, log);
	if (*line->lost)
		log_warn(log, "bootargs: no room in %zu characters for: %s", line->most, line->lost);
}
