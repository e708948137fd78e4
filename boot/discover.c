// SPDX-License-Identifier: BSD-2-Clause
/* Machine, memory and bundle: what the FDT says, checked against what lies there. */
#include "boot/discover.h"

#include <inttypes.h>
#include <string.h>

#include "base/cmdline.h"
#include "boot/machine/sbi.h"
#include "boot/stage.h"

#define FIRMWARE_PREFIX "mmode_resv" /* OpenSBI's name for what it keeps from S-mode */
#define FDT_HEADER_SIZE 40

const char *discover_option(const struct hw *hw, const char *key, size_t *length)
{
	const char *at = hw->machine.bootargs;
	struct cmdline_word wanted, word;

	if (!cmdline_next(&key, &wanted))
		return NULL;
	while (cmdline_next(&at, &word)) {
		if (word.value && cmdline_same(&word, &wanted)) {
			*length = word.value_length;
			return word.value;
		}
	}
	return NULL;
}

static void read_options(struct hw *hw, struct log *log)
{
	static const char *const modes[] = {"sv39", "sv48", "sv57"};
	size_t length;
	const char *value = discover_option(hw, "lifeboat.log", &length);

	if (value && !log_level_by_name(value, length, &log->level))
		log_warn(log, "bootargs: lifeboat.log=%.*s is none of error, warn, info, debug", (int)length,
			 value);

	value = discover_option(hw, "lifeboat.mode", &length);
	for (size_t i = 0; value && i < ARRAY_SIZE(modes); i++) {
		if (length == strlen(modes[i]) && !memcmp(value, modes[i], length))
			hw->levels_limit = SV39_LEVELS + (unsigned)i;
	}
	if (value && !hw->levels_limit)
		log_warn(log, "bootargs: lifeboat.mode=%.*s is none of sv39, sv48, sv57", (int)length, value);
}

/* Can it be read: RAM, and not kept from S-mode? */
static bool is_readable(const struct machine *m, struct region r)
{
	for (size_t i = 0; i < m->reserved_count; i++) {
		const struct region reserved = m->reserved[i].range;

		if (m->reserved[i].no_map && ranges_overlap(reserved.base, reserved.size, r.base, r.size))
			return false;
	}
	return region_set_contains(&m->ram, r.base, r.size);
}

/* A range of /chosen that is left over from another boot, or another board's, is not looked at. */
static void check_chosen(const struct machine *m, struct region *range, const char *property, struct log *log)
{
	if (is_readable(m, *range))
		return;
	log_warn(log, "fdt: /chosen %s: [%#" PRIx64 "..%#" PRIx64 "] is no RAM to read: not used", property,
		 range->base, region_end(*range) - 1);
	*range = (struct region){0, 0};
}

enum lb_err discover_machine(struct hw *hw, struct stage *stage, struct log *log)
{
	const paddr_t pa = hw->entry.fdt_pa;
	struct machine *m = &hw->machine;
	const void *header;
	enum lb_err err;

	if (!pa || !is_aligned(pa, 8))
		return diag_fail(&log->diag, LB_EFORMAT,
				 "fdt: a1 = %#" PRIx64
				 " can't be an FDT (null, or not 8-byte aligned): check the "
				 "firmware that started lifeboat",
				 pa);
	header = stage_fdt_view(stage, pa, FDT_HEADER_SIZE, &log->diag);
	if (!header)
		return LB_ERANGE;
	err = fdt_peek_size(header, &hw->fdt_size, &log->diag);
	if (err)
		return err;
	hw->fdt = stage_fdt_view(stage, pa, hw->fdt_size, &log->diag);
	if (!hw->fdt)
		return LB_ERANGE;
	err = fdt_read_machine(hw->fdt, hw->fdt_size, m, &log->diag);
	if (err)
		return err;
	read_options(hw, log);
	hw->platform = platform_find(m);
	check_chosen(m, &m->initrd, "linux,initrd-start", log);
	if (!hw->platform->flash || !region_contains(*hw->platform->flash, m->bundle))
		check_chosen(m, &m->bundle, "lifeboat,bundle", log);
	return LB_OK;
}

unsigned discover_most_levels(const struct hw *hw)
{
	const struct machine_hart *hart = machine_find_hart(&hw->machine, hw->entry.hart_id);
	unsigned most = SV57_LEVELS;

	if (hart && hart->mmu_levels >= SV39_LEVELS && hart->mmu_levels < most)
		most = hart->mmu_levels;
	if (hw->levels_limit && hw->levels_limit < most)
		most = hw->levels_limit;
	return most;
}

/*
 * Below us in our bank, whatever it is called: old vendor firmware, by /memreserve/. In a guest there is
 * none.
 */
static bool is_below_stage(const struct hw *hw, struct region range)
{
	const struct region_set *ram = &hw->machine.ram;

	for (size_t i = 0; i < ram->count && !sbi_is_hypervisor(); i++) {
		const struct region bank = ram->region[i], first = {bank.base, PAGE_SIZE};

		if (region_contains(bank, (struct region){hw->entry.stage_pa, 1}))
			return region_end(range) <= hw->entry.stage_pa && region_contains(range, first);
	}
	return false;
}

bool discover_is_firmware(const struct hw *hw, const struct machine_reservation *reservation)
{
	return !strncmp(reservation->name, FIRMWARE_PREFIX, strlen(FIRMWARE_PREFIX)) ||
	       is_below_stage(hw, reservation->range);
}

/* What is reserved just for the bundle is the bundle's place. */
static enum lb_err take_reservations(const struct hw *hw, struct memmap *map)
{
	const struct machine *machine = &hw->machine;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < machine->reserved_count; i++) {
		const struct machine_reservation *r = &machine->reserved[i];
		const bool firmware = discover_is_firmware(hw, r);

		if (!machine_handed_over(machine, r->range))
			err = memmap_take(map, r->range.base, r->range.size,
					  firmware ? MEMMAP_FIRMWARE : MEMMAP_RESERVED, r->name);
	}
	return err;
}

/*
 * Old vendor firmware runs at the bottom of RAM and reserves nothing. If nobody claims the first page of
 * the bank that we were loaded into, keep off the 2 MiB below which no stage is ever loaded. In a guest there
 * is no firmware in RAM, and what lies there is the dead kernel's.
 */
static enum lb_err take_silent_firmware(paddr_t stage_pa, struct memmap *map)
{
	const struct region_set *ram = &map->ram;

	if (sbi_is_hypervisor())
		return LB_OK;
	for (size_t i = 0; i < ram->count; i++) {
		paddr_t base = ram->region[i].base;
		uint64_t size = stage_pa - base;

		if (stage_pa <= base || stage_pa >= region_end(ram->region[i]))
			continue;
		if (!region_set_contains(&map->free, base, PAGE_SIZE))
			return LB_OK;
		return memmap_take(map, base, size < 2 * MIB ? size : 2 * MIB, MEMMAP_FIRMWARE,
				   "assumed, the FDT reserves nothing there");
	}
	return LB_OK;
}

static enum lb_err add_ram(const struct region_set *ram, struct memmap *map)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < ram->count; i++)
		err = memmap_add_ram(map, ram->region[i].base, ram->region[i].size);
	return err;
}

enum lb_err discover_memory(const struct hw *hw, const struct region *usable, struct memmap *map,
			    struct diag *diag)
{
	enum lb_err err;

	memmap_init(map);
	err = usable ? memmap_add_ram(map, usable->base, usable->size) : add_ram(&hw->machine.ram, map);
	if (!err)
		err = take_reservations(hw, map);
	if (!err)
		err = take_silent_firmware(hw->entry.stage_pa, map);
	if (!err)
		err = memmap_take(map, hw->entry.fdt_pa, hw->fdt_size, MEMMAP_FDT, "the firmware's");
	if (!err)
		err = memmap_take(map, hw->entry.stage_pa, stage_image_size(), MEMMAP_STAGE, "as loaded");
	if (err)
		return diag_fail(diag, err, "memory: the FDT lists more ranges than lifeboat can hold (%s)",
				 lb_err_name(err));
	return LB_OK;
}

/* Piece by piece: a reservation of the FDT's inside of it stays what it is, and nothing is reserved twice. */
static enum lb_err take_lost(struct memmap *map, const struct platform_lost *lost)
{
	const struct region range = {lost->base_mib * MIB, lost->size_mib * MIB};
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < map->free.count;) {
		const struct region piece = region_intersection(map->free.region[i], range);

		if (piece.size) /* piece i is then what is left below it, or the next one */
			err = memmap_take(map, piece.base, piece.size, MEMMAP_LOST, lost->by);
		else
			i++;
	}
	return err;
}

enum lb_err discover_lost(const struct hw *hw, struct memmap *map, struct diag *diag)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && i < hw->platform->lost_count; i++)
		err = take_lost(map, &hw->platform->lost[i]);
	return err ? diag_fail(diag, err, "memory: no entry left for the platform's lost memory") : LB_OK;
}

void discover_lost_release(struct memmap *map, struct log *log)
{
	for (size_t i = map->taken_count; i-- > 0;) {
		const struct memmap_taken taken = map->taken[i];

		if (taken.kind == MEMMAP_LOST && memmap_release(map, taken.range.base, MEMMAP_LOST))
			log_warn(log, "memory: lost memory at %#" PRIx64 " can't be used", taken.range.base);
	}
}
