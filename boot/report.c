// SPDX-License-Identifier: BSD-2-Clause
/* The lines in which the log tells the story of a boot. */
#include "boot/report.h"

#include <inttypes.h>

#include "boot/machine/sbi.h"
#include "version.h"

#define MEMORY_LINES 14 /* of the memory map, at level info: the log shall fit a screen */

void report_begin(const struct boot_entry *entry, struct log *log)
{
	uint64_t version, spec = sbi_spec_version();
	const char *firmware = sbi_implementation(&version);

	log_info(log,
		 "boot: lifeboat " LIFEBOAT_VERSION " at %#" PRIx64 ", hart %" PRIu64 ", FDT at %#" PRIx64
		 ", %s %" PRIu64 ".%" PRIu64 " (SBI %" PRIu64 ".%" PRIu64 ")",
		 entry->stage_pa, entry->hart_id, entry->fdt_pa, firmware, version >> 16, version & 0xffff,
		 spec >> 24, spec & 0xffffff);
}

void report_machine(const struct hw *hw, struct log *log)
{
	const struct machine *m = &hw->machine;
	size_t enabled = 0;

	for (size_t i = 0; i < m->hart_count; i++)
		enabled += m->hart[i].enabled;
	log_info(log, "machine: %s (platform %s), %zu of %zu harts enabled, %" PRIu64 " MiB of RAM",
		 m->compatible ? m->compatible : "without a name", hw->platform->name, enabled, m->hart_count,
		 region_set_size(&m->ram) / MIB);
	if (!machine_find_hart(m, hw->entry.hart_id))
		log_warn(log, "machine: the FDT does not list hart %" PRIu64 ", on which we run",
			 hw->entry.hart_id);
}

/* A line of the memory map; on a machine with many ranges all but the first are for lifeboat.log=debug. */
static enum log_level memory_level(size_t line)
{
	return line < MEMORY_LINES ? LOG_INFO : LOG_DEBUG;
}

void report_memory(const struct memmap *map, struct log *log)
{
	size_t line = 0;

	for (size_t i = 0; i < map->ram.count; i++)
		log_line(log, memory_level(line++), "memory: [%#" PRIx64 "..%#" PRIx64 "] RAM",
			 map->ram.region[i].base, region_end(map->ram.region[i]) - 1);
	for (size_t i = 0; i < map->taken_count; i++)
		log_line(log, memory_level(line++), "memory: [%#" PRIx64 "..%#" PRIx64 "]   %s: %s",
			 map->taken[i].range.base, region_end(map->taken[i].range) - 1,
			 memmap_kind_name(map->taken[i].kind), map->taken[i].name);
	if (line > MEMORY_LINES && log->level < LOG_DEBUG)
		log_info(log, "memory: and %zu more: see them with lifeboat.log=debug", line - MEMORY_LINES);
}

void report_stage(const struct stage *stage, struct log *log)
{
	log_info(log, "stage: moved to %#" PRIx64 ", running in %s on %zu tables", stage->pa,
		 pagetable_mode_name(stage->tables.levels), stage->tables.used_pages);
}

static void report_own(const struct cost *cost, uint64_t total, struct log *log)
{
	const uint64_t console = log->console.instret;
	uint64_t own = total - console;

	for (size_t i = 0; i < COST_KINDS; i++)
		own -= cost->spent[i].instructions;
	log_info(log,
		 "cost: %" PRIu64 " instructions of our own, %" PRIu64 " for %" PRIu64 " KiB copied, %" PRIu64
		 " for the console",
		 own, cost->spent[COST_COPY].instructions, cost->spent[COST_COPY].bytes / KIB, console);
}

void report_cost(const struct cost *cost, struct log *log)
{
	const uint64_t total = instret_read(cost->usable) - cost->start;
	const uint64_t signatures = cost->spent[COST_SIGNATURE].instructions;

	if (!cost->usable || !total) /* Linux stops the counter that it does not use. */
		return;
	report_own(cost, total, log);
	if (cost->spent[COST_CHECK].bytes)
		log_info(log, "cost: %" PRIu64 " instructions for %" PRIu64 " KiB checked%s%s%s",
			 cost->spent[COST_CHECK].instructions, cost->spent[COST_CHECK].bytes / KIB,
			 *cost->checked_by ? ", " : "", cost->checked_by,
			 cost->shared ? ", by several harts" : "");
	if (cost->spent[COST_UNPACK].bytes)
		log_info(log, "cost: %" PRIu64 " instructions for %" PRIu64 " KiB unpacked",
			 cost->spent[COST_UNPACK].instructions, cost->spent[COST_UNPACK].bytes / KIB);
	if (signatures)
		log_info(log, "cost: %" PRIu64 " instructions for signatures", signatures);
}
