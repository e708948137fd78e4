// SPDX-License-Identifier: BSD-2-Clause
/* The core header: what the crash kernel is told of the dead one. */
#include "boot/crash/header.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/image/image.h"

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

/* What its own header says, which stays in RAM; 0 if there is none (any more). */
static uint64_t dead_kernel_size(const struct facts *facts, const struct dead *dead, paddr_t pa)
{
	struct image image;

	if (!region_set_contains(&dead->reach, pa, PAGE_SIZE) ||
	    image_read_linux(facts_at(facts, pa), IMAGE_LINUX_HEADER, &image, NULL))
		return 0;
	return image.mem_size;
}

static void describe_kernel(const struct facts *facts, const struct crash *crash, struct dead *dead)
{
	const struct vmcoreinfo *info = &dead->info;
	struct elfcorehdr_request *core = &dead->core;
	struct region kernel = {info->kernel_pa, align_down(crash->record.kernel_size, PAGE_SIZE)};

	if (crash->way == WAY_KEXEC)
		kernel.size = dead_kernel_size(facts, dead, kernel.base);
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
		describe_kernel(facts, crash, dead);
	if (dead->has_info && crash->way != WAY_KEXEC) /* kexec's header names it among the notes */
		core->note[core->note_count++] =
			(struct elfcorehdr_note){dead->info.note.base, VMCOREINFO_NOTE_SIZE};
	if (!core->note_count)
		add_own_note(facts, core, (struct region){room.base + ELFCOREHDR_SIZE_MAX, PAGE_SIZE});
	log_info(facts->log,
		 "crash: %" PRIu64 " MiB of the dead kernel's RAM in %zu pieces, %zu notes, core header at "
		 "%#" PRIx64,
		 region_set_size(&dead->ram) / MIB, dead->ram.count, core->note_count, room.base);
	return elfcorehdr_write(core, facts_at(facts, room.base), ELFCOREHDR_SIZE_MAX, &facts->log->diag);
}
