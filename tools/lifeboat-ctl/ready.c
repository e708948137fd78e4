// SPDX-License-Identifier: BSD-2-Clause
/* Would the next crash be captured? */
#include "tools/lifeboat-ctl/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line of a file of the kernel's; "" if there is no such file. */
static void read_line(const char *root, const char *name, char *line, size_t size)
{
	char path[512];
	FILE *file;

	line[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, name) >= sizeof(path))
		return;
	file = fopen(path, "r");
	if (!file)
		return;
	if (fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

struct machine {
	const struct crash_record *record;
	bool loaded;
	char panic[32];	      /* seconds until a panic resets; negative: at once */
	char reboot_mode[32]; /* "" where the kernel does not tell */
	char note[64];	      /* where the VMCOREINFO note is */
};

static bool is_disarmed(const struct machine *m)
{
	return m->record->state != CRASH_ARMED;
}

static bool has_nothing_loaded(const struct machine *m)
{
	return !m->loaded;
}

static bool stands_still(const struct machine *m)
{
	return !strcmp(m->panic, "0");
}

static bool resets_cold(const struct machine *m)
{
	return !strcmp(m->reboot_mode, "cold") || !strcmp(m->reboot_mode, "hard");
}

static bool has_no_note(const struct machine *m)
{
	return !m->note[0];
}

static const struct {
	bool (*is_so)(const struct machine *m);
	bool captures; /* a warning only */
	const char *line;
} reasons[] = {
	{is_disarmed, false, "the record is not armed: the next reset is taken for meant (lifeboat-ctl arm)"},
	{has_nothing_loaded, false,
	 "no crash kernel is there: systemctl restart lifeboat, and its log says why"},
	{stands_still, false, "panic=0: a panic stands still and resets nothing (sysctl kernel.panic=5)"},
	{resets_cold, true, "a panic resets cold, which can lose RAM (echo warm > /sys/kernel/reboot/mode)"},
	{has_no_note, true, "the kernel has no VMCOREINFO note: no log, and its death is taken for unknown"},
};

bool ready_print(const char *root, const struct crash_record *record, bool loaded)
{
	struct machine m = {.record = record, .loaded = loaded};
	bool captured = true;

	read_line(root, "/proc/sys/kernel/panic", m.panic, sizeof(m.panic));
	read_line(root, "/sys/kernel/reboot/mode", m.reboot_mode, sizeof(m.reboot_mode));
	read_line(root, "/sys/kernel/vmcoreinfo", m.note, sizeof(m.note));
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		captured = captured && (reasons[i].captures || !reasons[i].is_so(&m));
	printf("%-14s%s\n", "next crash:", captured ? "would be captured" : "would NOT be captured");
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].is_so(&m))
			printf("%-14s%s\n", reasons[i].captures ? "  warning:" : "  why:", reasons[i].line);
	}
	return captured;
}
