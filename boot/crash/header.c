// SPDX-License-Identifier: BSD-2-Clause
/* The core header: what the crash kernel is told of the dead one. */
#include "boot/crash/header.h"

#include <inttypes.h>
#include <string.h>

struct region core_header_room(const struct crash *crash)
{
	return (struct region){region_end(crash->region.usable) - CORE_HEADER_ROOM, CORE_HEADER_ROOM};
}

/*
 * A note that says only that it is ours: a kernel that died early has left none, and Linux makes no
 * /proc/vmcore of a core header without notes, or with nothing but empty ones.
 */
static void add_own_note(const struct facts *facts, struct elfcorehdr_request *core, struct region room)
{
	static const struct {
		uint32_t name_size, text_size, type;
		char name[12];
	} own = {.name_size = sizeof("lifeboat"), .name = "lifeboat"};
	void *note = facts_at(facts, room.base);

	memset(note, 0, room.size);
	memcpy(note, &own, sizeof(own));
	core->note[core->note_count++] = (struct elfcorehdr_note){.pa = room.base, .size = room.size};
}

static void describe_kernel(struct dead *dead)
{
	const struct vmcoreinfo *info = &dead->info;
	struct elfcorehdr_request *core = &dead->core;
	const struct region kernel = {info->kernel_pa, info->kernel_size};

	core->page_offset = info->page_offset;
	core->phys_ram_base = info->phys_ram_base;
	if (kernel.size && region_set_contains(&dead->ram, kernel.base, kernel.size)) {
		core->kernel = kernel;
		core->kernel_va = info->kernel_pa + info->va_kernel_pa_offset;
	}
}

enum lb_err core_header_write(const struct facts *facts, const struct crash *crash, struct dead *dead,
			      struct region room)
{
	struct elfcorehdr_request *core = &dead->core;

	core->ram = &dead->ram;
	if (dead->has_info)
		describe_kernel(dead);
	if (dead->has_info && crash->way != WAY_KEXEC) /* kexec's header names it among the notes */
		core->note[core->note_count++] =
			(struct elfcorehdr_note){dead->info.note.base, VMCOREINFO_NOTE_SIZE};
	if (!core->note_count)
		add_own_note(facts, core, (struct region){room.base + ELFCOREHDR_SIZE_MAX, PAGE_SIZE});
	if (!region_set_size(&dead->ram))
		log_warn(facts->log, "crash: none of the RAM is a dead kernel's: the dump will be empty");
	log_info(facts->log,
		 "crash: %" PRIu64 " MiB of the dead kernel's RAM in %zu pieces, %zu notes, core header at "
		 "%#" PRIx64,
		 region_set_size(&dead->ram) / MIB, dead->ram.count, core->note_count, room.base);
	return elfcorehdr_write(core, facts_at(facts, room.base), ELFCOREHDR_SIZE_MAX, &facts->log->diag);
}
