/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine, as its FDT describes it: read in one pass into plain structs.
 *
 * fdt/ is the only caller of libfdt. Strings in struct machine point into the blob, which must stay
 * mapped and unchanged as long as they are used. Devicetree Specification v0.4; RISC-V cpus binding.
 */
#ifndef LIFEBOAT_FDT_READ_H
#define LIFEBOAT_FDT_READ_H

#include "mm/region.h"

/** Linux maps two 2 MiB pages around an FDT, so a larger one is of no use to it (MAX_FDT_SIZE). */
#define FDT_SIZE_MAX (2 * MIB)

/** The binding of our own child of /reserved-memory: docs/abi.md. */
#define FDT_CRASH_REGION "lifeboat,crash-region"

struct machine_reservation {
	struct region range;
	const char *name; /* node name, or "memreserve" */
	bool no_map;
};

#define MACHINE_RESERVED_MAX 48
#define MACHINE_HARTS_MAX    512

struct machine_hart {
	uint64_t id;
	bool enabled;	    /* status absent, "okay" or "ok" */
	uint8_t mmu_levels; /* mmu-type: 3, 4, 5 for sv39, sv48, sv57; 0 for riscv,none; 0xff when silent */
};
#define MMU_LEVELS_UNKNOWN 0xff

/** ISA extensions that the stage cares for: those that every enabled hart lists. */
enum machine_isa {
	ISA_ZICBOM = 1 << 0,
	ISA_ZKNH = 1 << 1,
};

struct machine {
	const char *compatible; /* the root's list: NUL-separated strings; NULL when absent */
	size_t compatible_size; /* bytes, NULs included */

	struct region_set ram; /* memory nodes that are not disabled: linux,usable-memory, else reg */
	size_t reserved_count;
	struct machine_reservation reserved[MACHINE_RESERVED_MAX];
	size_t dynamic_reserved_count; /* nodes with size and no reg: the kernel places these */

	const char *bootargs;	     /* never NULL; "" when absent */
	struct region initrd;	     /* linux,initrd-start/-end; size 0 when absent */
	struct region elfcorehdr;    /* linux,elfcorehdr: kexec's core header; size 0 when absent */
	struct region usable_memory; /* linux,usable-memory-range, the first one; size 0 when absent */
	struct region
		crash_region; /* that an earlier stage reserved (FDT_CRASH_REGION); size 0 when absent */
	struct region bundle; /* lifeboat,bundle = <address size>, root's cells; size 0 when absent */

	uint32_t timebase_frequency; /* Hz; 0 when absent */
	uint32_t cbom_block_size;    /* bytes; 0 when absent; the smallest of the enabled harts */
	uint32_t isa;		     /* enum machine_isa bits */
	size_t hart_count;
	struct machine_hart hart[MACHINE_HARTS_MAX];
};

/**
 * Check a blob's header enough to know its size. Looks at the first 40 bytes only.
 *
 * Used before anything behind the header is mapped. @size receives totalsize, 40..FDT_SIZE_MAX.
 * Version 17 is read, which is what dtc writes, and later ones that say they are compatible with it.
 * Return: LB_OK; LB_EFORMAT no FDT, one of another version, or not 8-byte aligned; LB_ERANGE too large
 *         or too small. On error @size is unchanged.
 */
LB_MUST_CHECK enum lb_err fdt_peek_size(const void *header, uint64_t *size, struct diag *diag);

/**
 * Read the whole machine description.
 *
 * Everything is checked before use (fdt_check_full first): cells, lengths, ranges that overflow, counts.
 * Malformed nodes and values whose loss is harmless count as absent; a bad memory, reserved-memory or
 * lifeboat,bundle range is an error, since guessing there destroys data. So is a root without cells:
 * Linux's and the specification's defaults differ.
 * @blob  8-byte aligned   @size  bytes that are mapped; totalsize must not exceed it
 * @m     filled whole on LB_OK, undefined otherwise
 * Return: LB_OK; LB_EFORMAT; LB_ERANGE; LB_ENOENT no usable memory node; LB_ENOSPC more entries than @m holds.
 */
LB_MUST_CHECK enum lb_err fdt_read_machine(const void *blob, size_t size, struct machine *m,
					   struct diag *diag);

/** Is @wanted one of the root's compatible strings? */
bool machine_is_compatible(const struct machine *m, const char *wanted);

/** The entry of hart @id, or NULL when the FDT does not list it. */
const struct machine_hart *machine_find_hart(const struct machine *m, uint64_t id);

#endif
