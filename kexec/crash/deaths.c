// SPDX-License-Identifier: BSD-2-Clause
/* The boot counter in the crash record. */
#include "kexec/crash/deaths.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

static uint32_t bit_of(size_t index)
{
	return UINT32_C(1) << index;
}

enum boot_count_verdict boot_count_death(struct crash_record *record, uint64_t lived_ns)
{
	if (!record->boot_limit)
		return BOOT_COUNT_OFF;
	if (record->boot_confirmed || lived_ns >= record->boot_seconds * NSEC_PER_SEC) {
		record->early_deaths = 0;
		return record->boot_confirmed ? BOOT_COUNT_CONFIRMED : BOOT_COUNT_LATE;
	}
	if (++record->early_deaths < record->boot_limit)
		return BOOT_COUNT_EARLY;
	record->early_deaths = 0;
	record->boot_demoted |= bit_of(record->boot_config);
	return BOOT_COUNT_DEMOTED;
}

uint32_t boot_count_demoted(struct crash_record *record, uint64_t bundle_id, uint32_t limit, size_t count)
{
	const uint32_t all = (uint32_t)((UINT64_C(1) << count) - 1);

	record->boot_demoted &= all;
	if (!limit || record->boot_bundle != bundle_id || record->boot_demoted == all)
		record->boot_demoted = 0;
	return record->boot_demoted;
}

/* As much of the name as there is room for; printable, since it came with the bundle. */
static void set_name(struct crash_record *record, const char *name)
{
	size_t i = 0;

	for (; i < sizeof(record->boot_name) - 1 && name[i]; i++)
		record->boot_name[i] = (char)(name[i] > ' ' && name[i] <= '~' ? name[i] : '?');
	for (; i < sizeof(record->boot_name); i++)
		record->boot_name[i] = '\0';
}

void boot_count_start(struct crash_record *record, const struct boot_start *start)
{
	if (record->boot_bundle != start->bundle_id || record->boot_config != start->config)
		record->early_deaths = 0;
	record->boot_bundle = start->bundle_id;
	record->boot_config = (uint32_t)start->config;
	record->boot_confirmed = 0;
	record->boot_limit = start->limit;
	record->boot_seconds = start->seconds;
	set_name(record, start->name);
}
