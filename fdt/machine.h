/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine, as its FDT describes it, in plain structs.
 *
 * Strings point into the blob, which must stay mapped and unchanged as long as they are used.
 */
#ifndef LIFEBOAT_FDT_MACHINE_H
#define LIFEBOAT_FDT_MACHINE_H

#include "mm/pool.h"

/** The binding of our own child of /reserved-memory: docs/abi.md. */
#define FDT_CRASH_REGION "lifeboat,crash-region"

/** Name of the node for what of the crash region is lent to the kernel; right below the other one. */
#define FDT_CRASH_LENT "lifeboat-lent"

/** A range that somebody has reserved. */
struct machine_reservation {
	struct region range;
	const char *name; /* node name, or "memreserve" */
	bool no_map;
};

#define MACHINE_RESERVED_MAX 64 /* firmware's 48, and what an earlier stage added to them */
#define MACHINE_POOLS_MAX    8
#define MACHINE_HARTS_MAX    512

/** A hart, whether it takes part or not. */
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
	ISA_ROTATE = 1 << 2,	/* rotations and rev8: Zbb, or Zbkb */
	ISA_CARRYLESS = 1 << 3, /* clmul and clmulh: Zbc, or Zbkc */
	ISA_V = 1 << 4,		/* vectors, in registers of 128 bits at least */
	ISA_ZVKB = 1 << 5,
	ISA_ZVKNHA = 1 << 6, /* SHA-256 in vectors */
	ISA_ZVKNHB = 1 << 7, /* and SHA-512 */
};
#define ISA_KNOWN ((ISA_ZVKNHB << 1) - 1)

/** All that the stage wants to know of it. */
struct machine {
	const char *compatible; /* the root's list: NUL-separated strings; NULL when absent */
	size_t compatible_size; /* bytes, NULs included */
	bool has_keys;		/* /signature is there, or nodes that are called so with a unit address */

	struct region_set ram; /* memory nodes that are not disabled: linux,usable-memory, else reg */
	size_t reserved_count;
	struct machine_reservation reserved[MACHINE_RESERVED_MAX];
	size_t pool_count; /* nodes with size and no reg; those beyond the table are only counted */
	struct pool pool[MACHINE_POOLS_MAX];

	const char *bootargs;	     /* never NULL; "" when absent */
	struct region initrd;	     /* linux,initrd-start/-end; size 0 when absent */
	struct region elfcorehdr;    /* linux,elfcorehdr: kexec's core header; size 0 when absent */
	struct region usable_memory; /* linux,usable-memory-range, the first one; size 0 when absent */
	struct region crash_region;  /* an earlier stage's (FDT_CRASH_REGION); size 0 when absent */
	struct region crash_lent;    /* of it, what is lent to this kernel (FDT_CRASH_LENT) */
	struct region bundle;	     /* lifeboat,bundle = <address size>, root's cells; size 0 when absent */

	uint32_t timebase_frequency; /* Hz; 0 when absent */
	uint32_t cbom_block_size;    /* bytes; 0 when absent; the smallest of the enabled harts */
	uint32_t isa;		     /* enum machine_isa bits */
	const void *isa_list;	     /* riscv,isa-extensions of the last hart that had one, in the FDT */
	uint32_t isa_list_size;
	size_t hart_count;
	struct machine_hart hart[MACHINE_HARTS_MAX];
};

/**
 * The place in the root's compatible list, from 0 on, of its first string that is among the @size bytes of
 * strings at @list; SIZE_MAX if there is none.
 */
size_t machine_rank(const struct machine *m, const char *list, size_t size);

/** Is @wanted one of the root's compatible strings? */
bool machine_is_compatible(const struct machine *m, const char *wanted);

/**
 * Does @range reserve just what the stage was handed over, its initrd or bundle? Firmware protects these
 * (U-Boot does); the payload needs no such thing.
 */
bool machine_handed_over(const struct machine *m, struct region range);

/** The entry of hart @id, or NULL when the FDT does not list it. */
const struct machine_hart *machine_find_hart(const struct machine *m, uint64_t id);

#endif
