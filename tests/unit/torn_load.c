// SPDX-License-Identifier: BSD-2-Clause
/*
 * torn_load DEVICETREE MEMORY BUNDLE POINT: lifeboat-ctl load, cut off by a reset.
 *
 * What crash_kept_put() has stored by its POINT-th write-back reached RAM, but of the last only half. Ends
 * with 0 if the load was cut off there, with 3 if it came to its end before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/crash/kept.h"
#include "tools/lifeboat-ctl/control.h"
#include "tools/lifeboat-ctl/find_region.h"

enum { EXIT_COMPLETE = 3 };

/* What is in RAM so far: of the kept room and all that is behind it. */
static struct torn {
	struct region where;
	uint8_t *mapped, *ram;
	unsigned left;
} torn;

static void write_back(void *context, const void *start, size_t size)
{
	const size_t at = (size_t)((const uint8_t *)start - torn.mapped);

	(void)context;
	if (--torn.left) {
		memcpy(torn.ram + at, start, size);
		return;
	}
	memcpy(torn.ram + at, start, size / 2);
	memcpy(torn.mapped, torn.ram, torn.where.size);
	exit(EXIT_DONE);
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	void *bytes;

	if (!file || fseek(file, 0, SEEK_END))
		exit(EXIT_FAILED);
	*size = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*size);
	if (!bytes || fread(bytes, 1, *size, file) != *size)
		exit(EXIT_FAILED);
	fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	struct control control = {.devicetree = argv[1], .memory = argc == 5 ? argv[2] : NULL};
	struct crash_kept kept = {.write_back = write_back};
	struct crash_record record;
	struct region part;
	size_t size;
	void *fit, *memory;
	int code;

	if (argc != 5 || find_region(control.devicetree, &control.region, &control.diag))
		return control_fail(control.diag.text);
	part = control.region.record;
	memory = control_map(&control, part, true);
	if (!memory || control_read_running(&control, memory, &record))
		return control_fail(control.diag.text);
	torn.where = (struct region){control.region.kept.base,
				     region_end(control.region.all) - control.region.kept.base};
	torn.mapped = control_map(&control, torn.where, true);
	torn.ram = malloc(torn.where.size);
	if (!torn.mapped || !torn.ram)
		return control_fail(control.diag.text);
	memcpy(torn.ram, torn.mapped, torn.where.size);
	torn.left = (unsigned)strtoul(argv[4], NULL, 0);
	kept.memory = torn.mapped + (part.base - torn.where.base);
	kept.room = torn.mapped;
	kept.where = control.region.kept;
	fit = read_file(argv[3], &size);
	code = crash_kept_put(&kept, &record, fit, size) ? EXIT_FAILED : EXIT_COMPLETE;
	free(fit);
	return code;
}
