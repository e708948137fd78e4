// SPDX-License-Identifier: BSD-2-Clause
/* The boot counter in the crash record. */
#include "kexec/crash/deaths.h"

#include <inttypes.h>

#include "base/fnv.h"
#include "fdt/fit/fit.h"

#define NSEC_PER_SEC	UINT64_C(1000000000)
#define LIMIT_MAX	100
#define SECONDS_DEFAULT 60
#define SECONDS_MAX	3600
#define ID_BYTES	4096 /* of the bundle: mkimage's timestamp is in them */

/* FNV-1a over the beginning, where a FIT has its structure, and over the size. */
static uint64_t identify(const void *bytes, uint64_t size)
{
	return fnv_update_bytes(fnv_update(FNV_BASIS, size), bytes, size < ID_BYTES ? size : ID_BYTES);
}

/* A number of /configurations, @max at most. What makes no sense is @fallback. */
static uint32_t read_number(const struct fit_property *property, uint32_t fallback, uint32_t max,
			    struct diag *warning)
{
	uint64_t number;

	if (!property->value)
		return fallback;
	if (!fit_read_number(property, "configurations", &number, NULL) && number <= max)
		return (uint32_t)number;
	diag_fail(warning, LB_EFORMAT, "bundle: %s is no number from 0 to %" PRIu32 ": %" PRIu32 " is taken",
		  property->name, max, fallback);
	return fallback;
}

void boot_count_policy(const void *data, uint64_t size, struct boot_policy *policy, struct diag *warning)
{
	struct fit_property property[] = {{.name = "lifeboat,boot-limit"}, {.name = "lifeboat,boot-seconds"}};
	struct fit fit;

	*policy = (struct boot_policy){.bundle_id = identify(data, size), .seconds = SECONDS_DEFAULT};
	warning->text[0] = '\0';
	if (!fit_probe(data, size) || fit_open(data, size, &fit, NULL) || fit.configurations < 0 ||
	    fit_read_properties(&fit, fit.configurations, property, ARRAY_SIZE(property), NULL))
		return;
	policy->limit = read_number(&property[0], 0, LIMIT_MAX, warning);
	policy->seconds = read_number(&property[1], SECONDS_DEFAULT, SECONDS_MAX, warning);
}

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

uint32_t boot_count_demoted(struct crash_record *record, const struct boot_policy *policy, size_t count)
{
	const uint32_t all = bit_of(count) - 1;

	record->boot_demoted &= all;
	if (!policy->limit || record->boot_bundle != policy->bundle_id || record->boot_demoted == all)
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

void boot_count_start(struct crash_record *record, const struct boot_policy *policy, size_t index,
		      const char *name)
{
	if (record->boot_bundle != policy->bundle_id || record->boot_config != index)
		record->early_deaths = 0;
	record->boot_bundle = policy->bundle_id;
	record->boot_config = (uint32_t)index;
	record->boot_confirmed = 0;
	record->boot_limit = policy->limit;
	record->boot_seconds = policy->seconds;
	set_name(record, name);
}
