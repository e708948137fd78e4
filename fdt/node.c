// SPDX-License-Identifier: BSD-2-Clause
/* What the properties of each kind of node mean for the machine description. */
#include "fdt/node.h"

#include "fdt/isa.h"

/* A #address-cells or #size-cells that is absent, or no number that our addresses and sizes can have. */
#define CELLS_ABSENT UINT32_MAX
#define CELLS_BAD    (UINT32_MAX - 1)

#define CELLS_MAX 2

/* A row of a kind's list of wanted properties; the enum above each list names its rows. */
#define WANTED(string)                     \
	{                                  \
		string, sizeof(string) - 1 \
	}

static uint32_t read_cells(struct prop p)
{
	uint32_t cells;

	if (!p.data)
		return CELLS_ABSENT;
	if (p.size != 4)
		return CELLS_BAD;
	cells = (uint32_t)cells_number(p.data, 1);
	return cells <= CELLS_MAX ? cells : CELLS_BAD;
}

static bool cells_hold_a_number(uint32_t cells)
{
	return cells >= 1 && cells <= CELLS_MAX;
}

/* What is done with one range of a reg. */
typedef enum lb_err range_sink(const struct node *node, struct region range, struct machine *m,
			       struct diag *diag);

/* Read the range of a reg at @data, which holds it whole. */
static enum lb_err read_range(const struct node *node, const uint8_t *data, struct region *range,
			      struct diag *diag)
{
	range->base = cells_number(data, node->cells->address);
	range->size = cells_number(data + 4 * (size_t)node->cells->address, node->cells->size);
	if (!range_is_valid(range->base, range->size))
		return diag_fail(diag, LB_ERANGE,
				 "fdt: " NODE_NAME ": range 0x%llx + 0x%llx runs past the last address",
				 node->name, (unsigned long long)range->base,
				 (unsigned long long)range->size);
	return LB_OK;
}

/*
 * Hand every range in @reg to @sink. One that cannot be read exactly is an error: we would write over
 * what it protects, or into what is no RAM.
 */
static enum lb_err read_ranges(const struct node *node, struct prop reg, range_sink *sink, struct machine *m,
			       struct diag *diag)
{
	enum lb_err err = LB_OK;
	uint32_t stride;

	if (!reg.data)
		return LB_OK;
	if (!cells_hold_a_number(node->cells->address) || !cells_hold_a_number(node->cells->size))
		return diag_fail(diag, LB_EFORMAT,
				 "fdt: " NODE_NAME
				 ": its parent must have #address-cells and #size-cells of 1 or 2",
				 node->name);
	stride = 4 * (node->cells->address + node->cells->size);
	if (reg.size % stride != 0)
		return diag_fail(diag, LB_EFORMAT,
				 "fdt: " NODE_NAME ": %u bytes are no list of %u-byte ranges", node->name,
				 (unsigned int)reg.size, (unsigned int)stride);
	for (uint32_t at = 0; at < reg.size && !err; at += stride) {
		struct region range;

		err = read_range(node, reg.data + at, &range, diag);
		if (!err && range.size)
			err = sink(node, range, m, diag);
	}
	return err;
}

/* The root. */

enum { ROOT_ADDRESS_CELLS, ROOT_SIZE_CELLS, ROOT_COMPATIBLE };

static const struct node_wanted root_wanted[] = {
	[ROOT_ADDRESS_CELLS] = WANTED("#address-cells"),
	[ROOT_SIZE_CELLS] = WANTED("#size-cells"),
	[ROOT_COMPATIBLE] = WANTED("compatible"),
};

static enum lb_err read_root(const struct node *node, struct machine *m, struct diag *diag)
{
	(void)diag;
	node->child_cells->address = read_cells(node->prop[ROOT_ADDRESS_CELLS]);
	node->child_cells->size = read_cells(node->prop[ROOT_SIZE_CELLS]);
	m->compatible = prop_string(node->prop[ROOT_COMPATIBLE]);
	m->compatible_size = m->compatible ? node->prop[ROOT_COMPATIBLE].size : 0;
	return LB_OK;
}

/* /chosen */

enum {
	CHOSEN_BOOTARGS,
	CHOSEN_INITRD_START,
	CHOSEN_INITRD_END,
	CHOSEN_BUNDLE,
	CHOSEN_ELFCOREHDR,
	CHOSEN_USABLE
};

static const struct node_wanted chosen_wanted[] = {
	[CHOSEN_BOOTARGS] = WANTED("bootargs"),
	[CHOSEN_INITRD_START] = WANTED("linux,initrd-start"),
	[CHOSEN_INITRD_END] = WANTED("linux,initrd-end"),
	[CHOSEN_BUNDLE] = WANTED("lifeboat,bundle"),
	[CHOSEN_ELFCOREHDR] = WANTED("linux,elfcorehdr"),
	[CHOSEN_USABLE] = WANTED("linux,usable-memory-range"),
};

static enum lb_err sink_bundle(const struct node *node, struct region range, struct machine *m,
			       struct diag *diag)
{
	if (m->bundle.size)
		return diag_fail(diag, LB_EFORMAT,
				 "fdt: " NODE_NAME ": lifeboat,bundle has more than one range", node->name);
	m->bundle = range;
	return LB_OK;
}

/* Of several usable ranges the first is the crash region; Linux adds the others for DMA below 4 GiB. */
static enum lb_err sink_usable(const struct node *node, struct region range, struct machine *m,
			       struct diag *diag)
{
	(void)node;
	(void)diag;
	if (!m->usable_memory.size)
		m->usable_memory = range;
	return LB_OK;
}

static enum lb_err sink_elfcorehdr(const struct node *node, struct region range, struct machine *m,
				   struct diag *diag)
{
	(void)node;
	(void)diag;
	m->elfcorehdr = range;
	return LB_OK;
}

static enum lb_err read_chosen(const struct node *node, struct machine *m, struct diag *diag)
{
	const char *bootargs = prop_string(node->prop[CHOSEN_BOOTARGS]);
	uint64_t start, end;
	enum lb_err err;

	if (m->bootargs) /* of several /chosen only the first is found by libfdt, and so by Linux */
		return LB_OK;
	m->bootargs = bootargs ? bootargs : "";
	if (prop_number(node->prop[CHOSEN_INITRD_START], &start) &&
	    prop_number(node->prop[CHOSEN_INITRD_END], &end) && start < end)
		m->initrd = (struct region){.base = start, .size = end - start};
	err = read_ranges(node, node->prop[CHOSEN_BUNDLE], sink_bundle, m, diag);
	if (!err)
		err = read_ranges(node, node->prop[CHOSEN_ELFCOREHDR], sink_elfcorehdr, m, diag);
	return err ? err : read_ranges(node, node->prop[CHOSEN_USABLE], sink_usable, m, diag);
}

/* Memory, known by its device_type and not by its name, as in Linux. */

enum { TOP_DEVICE_TYPE, TOP_STATUS, TOP_REG, TOP_USABLE };

static const struct node_wanted top_wanted[] = {
	[TOP_DEVICE_TYPE] = WANTED("device_type"),
	[TOP_STATUS] = WANTED("status"),
	[TOP_REG] = WANTED("reg"),
	[TOP_USABLE] = WANTED("linux,usable-memory"),
};

static enum lb_err sink_ram(const struct node *node, struct region range, struct machine *m,
			    struct diag *diag)
{
	enum lb_err err = region_set_add(&m->ram, range.base, range.size);

	if (err)
		return diag_fail(diag, err,
				 "fdt: " NODE_NAME ": more than %d banks of RAM, lifeboat cannot hold them",
				 node->name, REGION_SET_MAX);
	return LB_OK;
}

static enum lb_err read_top(const struct node *node, struct machine *m, struct diag *diag)
{
	/* A capture kernel's memory may be cut down with it; it overrides reg, as in Linux. */
	struct prop usable = node->prop[TOP_USABLE];

	if (!prop_is(node->prop[TOP_DEVICE_TYPE], "memory") || !prop_is_okay(node->prop[TOP_STATUS]))
		return LB_OK;
	return read_ranges(node, usable.data ? usable : node->prop[TOP_REG], sink_ram, m, diag);
}

/* /reserved-memory and its children. */

enum { RESERVED_ADDRESS_CELLS, RESERVED_SIZE_CELLS };

static const struct node_wanted reserved_memory_wanted[] = {
	[RESERVED_ADDRESS_CELLS] = WANTED("#address-cells"),
	[RESERVED_SIZE_CELLS] = WANTED("#size-cells"),
};

static enum lb_err read_reserved_memory(const struct node *node, struct machine *m, struct diag *diag)
{
	struct node_cells *cells = node->child_cells;

	(void)m;
	(void)diag;
	cells->address = read_cells(node->prop[RESERVED_ADDRESS_CELLS]);
	cells->size = read_cells(node->prop[RESERVED_SIZE_CELLS]);
	if (cells->address == CELLS_ABSENT) /* the binding demands the root's */
		cells->address = node->cells->address;
	if (cells->size == CELLS_ABSENT)
		cells->size = node->cells->size;
	return LB_OK;
}

enum {
	RESERVATION_STATUS,
	RESERVATION_REG,
	RESERVATION_SIZE,
	RESERVATION_NO_MAP,
	RESERVATION_COMPATIBLE,
	RESERVATION_ALIGNMENT,
	RESERVATION_ALLOC_RANGES,
	RESERVATION_REUSABLE,
};

static const struct node_wanted reservation_wanted[] = {
	[RESERVATION_STATUS] = WANTED("status"),
	[RESERVATION_REG] = WANTED("reg"),
	[RESERVATION_SIZE] = WANTED("size"),
	[RESERVATION_NO_MAP] = WANTED("no-map"),
	[RESERVATION_COMPATIBLE] = WANTED("compatible"),
	[RESERVATION_ALIGNMENT] = WANTED("alignment"),
	[RESERVATION_ALLOC_RANGES] = WANTED("alloc-ranges"),
	[RESERVATION_REUSABLE] = WANTED("reusable"),
};

enum lb_err node_add_reservation(struct machine *m, struct region range, const char *name, bool no_map,
				 struct diag *diag)
{
	if (!range_is_valid(range.base, range.size))
		return diag_fail(diag, LB_ERANGE,
				 "fdt: " NODE_NAME ": range 0x%llx + 0x%llx runs past the last address", name,
				 (unsigned long long)range.base, (unsigned long long)range.size);
	if (m->reserved_count == MACHINE_RESERVED_MAX)
		return diag_fail(diag, LB_ENOSPC,
				 "fdt: " NODE_NAME
				 ": more than %d reserved ranges, lifeboat cannot hold them",
				 name, MACHINE_RESERVED_MAX);
	m->reserved[m->reserved_count++] =
		(struct machine_reservation){.range = range, .name = name, .no_map = no_map};
	return LB_OK;
}

static enum lb_err sink_reservation(const struct node *node, struct region range, struct machine *m,
				    struct diag *diag)
{
	if (prop_is(node->prop[RESERVATION_COMPATIBLE], FDT_CRASH_REGION))
		m->crash_region = range;
	if (!strncmp(node->name, FDT_CRASH_LENT "@", sizeof(FDT_CRASH_LENT)))
		m->crash_lent = range;
	return node_add_reservation(m, range, node->name, node->prop[RESERVATION_NO_MAP].data != NULL, diag);
}

/* A kernel places its pools by pageblocks where it lends them out (CMA): 4 MiB is the largest there is. */
#define REUSABLE_ALIGN (4 * MIB)

static enum lb_err sink_pool_range(const struct node *node, struct region range, struct machine *m,
				   struct diag *diag)
{
	struct pool *pool = &m->pool[m->pool_count - 1];

	(void)node;
	(void)diag;
	if (pool->range_count < POOL_RANGES_MAX)
		pool->range[pool->range_count++] = range;
	return LB_OK;
}

/* What Linux refuses to allocate, by its own rules or for being nonsense, is no pool, and no error. */
static void read_pool(const struct node *node, struct machine *m)
{
	const struct prop ranges = node->prop[RESERVATION_ALLOC_RANGES];
	const uint64_t least = node->prop[RESERVATION_REUSABLE].data ? REUSABLE_ALIGN : PAGE_SIZE;
	struct pool pool = {.name = node->name};
	struct diag unsaid;

	if (!prop_number(node->prop[RESERVATION_SIZE], &pool.size) || !pool.size)
		return;
	prop_number(node->prop[RESERVATION_ALIGNMENT], &pool.align);
	if (pool.align < least)
		pool.align = least;
	if (!is_power_of_two(pool.align) || m->pool_count++ >= MACHINE_POOLS_MAX)
		return;
	m->pool[m->pool_count - 1] = pool;
	if (read_ranges(node, ranges, sink_pool_range, m, &unsaid))
		m->pool_count--;
}

static enum lb_err read_reservation(const struct node *node, struct machine *m, struct diag *diag)
{
	struct prop reg = node->prop[RESERVATION_REG];

	if (!prop_is_okay(node->prop[RESERVATION_STATUS]))
		return LB_OK;
	if (!reg.data)
		read_pool(node, m);
	return read_ranges(node, reg, sink_reservation, m, diag);
}

/* /signature, whose children are keys: what they mean is fdt/fit/keyring.c's to say. */

static enum lb_err read_keys(const struct node *node, struct machine *m, struct diag *diag)
{
	(void)node;
	(void)diag;
	m->has_keys = true;
	return LB_OK;
}

/* /cpus and its children. */

enum { CPUS_ADDRESS_CELLS, CPUS_TIMEBASE };

static const struct node_wanted cpus_wanted[] = {
	[CPUS_ADDRESS_CELLS] = WANTED("#address-cells"),
	[CPUS_TIMEBASE] = WANTED("timebase-frequency"),
};

static enum lb_err read_cpus(const struct node *node, struct machine *m, struct diag *diag)
{
	(void)diag;
	node->child_cells->address = read_cells(node->prop[CPUS_ADDRESS_CELLS]);
	m->timebase_frequency = prop_u32(node->prop[CPUS_TIMEBASE]);
	return LB_OK;
}

enum { CPU_DEVICE_TYPE, CPU_REG, CPU_STATUS, CPU_MMU_TYPE, CPU_ISA_EXTENSIONS, CPU_ISA, CPU_CBOM };

static const struct node_wanted cpu_wanted[] = {
	[CPU_DEVICE_TYPE] = WANTED("device_type"),
	[CPU_REG] = WANTED("reg"),
	[CPU_STATUS] = WANTED("status"),
	[CPU_MMU_TYPE] = WANTED("mmu-type"),
	[CPU_ISA_EXTENSIONS] = WANTED("riscv,isa-extensions"),
	[CPU_ISA] = WANTED("riscv,isa"),
	[CPU_CBOM] = WANTED("riscv,cbom-block-size"),
};

static const struct {
	const char *name;
	uint8_t levels;
} mmu_types[] = {
	{"riscv,none", 0},
	{"riscv,sv39", 3},
	{"riscv,sv48", 4},
	{"riscv,sv57", 5},
};

static uint8_t read_mmu_levels(struct prop p)
{
	for (size_t i = 0; i < ARRAY_SIZE(mmu_types); i++)
		if (prop_is(p, mmu_types[i].name))
			return mmu_types[i].levels;
	return MMU_LEVELS_UNKNOWN;
}

/* Take a hart's cache block size into the machine's, the smallest; nonsense counts as absent. */
static void take_block_size(struct prop p, uint32_t *smallest)
{
	uint32_t size = prop_u32(p);

	if (is_power_of_two(size) && (!*smallest || size < *smallest))
		*smallest = size;
}

/* Nodes such as cpu-map lie among the harts, which are told as Linux does. */
static bool is_hart(const struct node *node)
{
	return strncmp(node->name, "cpu@", 4) == 0 || prop_is(node->prop[CPU_DEVICE_TYPE], "cpu");
}

/* Take away what a hart lacks. Most harts are alike: a list that is the last one's again says nothing new. */
static void take_isa(struct prop extensions, struct prop isa, struct machine *m)
{
	if (extensions.size && prop_same(extensions, (struct prop){m->isa_list, m->isa_list_size}))
		return;
	m->isa &= isa_read(extensions, isa);
	m->isa_list = extensions.data;
	m->isa_list_size = prop_string(extensions) ? extensions.size : 0;
}

static enum lb_err read_cpu(const struct node *node, struct machine *m, struct diag *diag)
{
	const struct prop *prop = node->prop;
	struct machine_hart *hart = &m->hart[m->hart_count];
	uint32_t cells = node->cells->address;

	if (!is_hart(node) || !cells_hold_a_number(cells) || prop[CPU_REG].size < 4 * cells)
		return LB_OK;
	if (m->hart_count == MACHINE_HARTS_MAX)
		return diag_fail(diag, LB_ENOSPC,
				 "fdt: " NODE_NAME ": more than %d harts, lifeboat cannot hold them",
				 node->name, MACHINE_HARTS_MAX);
	m->hart_count++;
	hart->id = cells_number(prop[CPU_REG].data, cells);
	hart->enabled = prop_is_okay(prop[CPU_STATUS]);
	hart->mmu_levels = read_mmu_levels(prop[CPU_MMU_TYPE]);
	if (!hart->enabled)
		return LB_OK;
	take_isa(prop[CPU_ISA_EXTENSIONS], prop[CPU_ISA], m);
	take_block_size(prop[CPU_CBOM], &m->cbom_block_size);
	return LB_OK;
}

_Static_assert(ARRAY_SIZE(cpu_wanted) <= NODE_PROPS_MAX && ARRAY_SIZE(reservation_wanted) <= NODE_PROPS_MAX,
	       "a hart and a reservation want the most properties");

#define NODE_TYPE(wanted, read)                  \
	{                                        \
		wanted, ARRAY_SIZE(wanted), read \
	}

const struct node_type node_types[NODE_KINDS] = {
	[NODE_ROOT] = NODE_TYPE(root_wanted, read_root),
	[NODE_CHOSEN] = NODE_TYPE(chosen_wanted, read_chosen),
	[NODE_CPUS] = NODE_TYPE(cpus_wanted, read_cpus),
	[NODE_CPU] = NODE_TYPE(cpu_wanted, read_cpu),
	[NODE_RESERVED_MEMORY] = NODE_TYPE(reserved_memory_wanted, read_reserved_memory),
	[NODE_RESERVATION] = NODE_TYPE(reservation_wanted, read_reservation),
	[NODE_KEYS] = {NULL, 0, read_keys},
	[NODE_TOP] = NODE_TYPE(top_wanted, read_top),
};
