// SPDX-License-Identifier: BSD-2-Clause
/* Without a device tree (ACPI): the crash region is the Reserved range that ends in a record of itself. */
#include "tools/lifeboat-ctl/find_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RESERVED " : Reserved\n" /* at the outermost level: nothing indents it, nothing follows */

static bool read_range(const char *line, struct region *range)
{
	uint64_t first, last;
	int end = 0;

	if (line[0] == ' ' || sscanf(line, "%" SCNx64 "-%" SCNx64 "%n", &first, &last, &end) != 2 ||
	    strcmp(line + end, RESERVED) || last <= first)
		return false;
	*range = (struct region){first, last - first + 1};
	return crash_region_is_sound(*range);
}

static bool has_record(struct control *control, struct region all)
{
	struct crash_record record;
	enum lb_err err;
	void *memory;

	control->region = crash_region_layout(all, 0);
	memory = control_map(control, control->region.record, false);
	if (!memory)
		return false;
	err = control_read(control, memory, &record);
	control_unmap(memory, control->region.record);
	return !err;
}

bool find_record(struct control *control)
{
	char path[512], line[256];
	struct region range;
	bool found = false;
	FILE *file;

	if ((size_t)snprintf(path, sizeof(path), "%s/proc/iomem", control->root) >= sizeof(path))
		return false;
	file = fopen(path, "r");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = read_range(line, &range) && has_record(control, range);
	fclose(file);
	return found;
}
