// SPDX-License-Identifier: BSD-2-Clause
/* The stage's own log, where the next run and userspace find it. */
#include "boot/crash/logs.h"

#include <string.h>

#include "kexec/crash/retained.h"
#include "kexec/crash/text.h"

void logs_save(const struct facts *facts, struct crash *crash)
{
	const struct crash_region *region = &crash->region;
	struct crash_text *current, *previous;
	const uint64_t room = CRASH_RUN_LOG_SIZE - sizeof(*current);
	uint64_t size;

	if (!region->all.size)
		return;
	current = facts_at(facts, region->run_log[0].base);
	previous = facts_at(facts, region->run_log[1].base);
	if (retained_text(current, CRASH_RUN_LOG_SIZE, &size))
		memcpy(previous, current, CRASH_RUN_LOG_SIZE);
	crash_text_finish(current, log_copy(facts->log, current->text, room));
	caches_write_back(&crash->caches, current, CRASH_RUN_LOG_SIZE);
	caches_write_back(&crash->caches, previous, CRASH_RUN_LOG_SIZE);
}
