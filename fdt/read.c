// SPDX-License-Identifier: BSD-2-Clause
/*
 * The machine description: one pass over the FDT's structure block, into struct machine.
 *
 * While the pass is in the properties of a node that matters, it keeps the values that the node's kind
 * wants; when they are over (at the first subnode, or the node's end) the kind's reader in node.c looks
 * at them together. Everything else is stepped over.
 */
#include "fdt/read.h"

#include "fdt/node.h"
#include "fdt/sound.h"
#include "fdt/walk.h"
#include "fdt/words.h"

/* Linux refuses deeper trees (FDT_MAX_DEPTH), so we do. */
#define DEPTH_MAX 64

/* The nodes that matter lie no deeper than /cpus/cpu. */
#define LEVEL_MAX 3

#define FDT_HEADER_SIZE 40

/* Which nodes are of which kind: children of a parent, by their name without unit address. */
static const struct {
	enum node_kind parent;
	enum node_kind kind;
	const char *name; /* NULL: any other */
} kinds[] = {
	{NODE_ROOT, NODE_CHOSEN, "chosen"},
	{NODE_ROOT, NODE_CPUS, "cpus"},
	{NODE_ROOT, NODE_RESERVED_MEMORY, "reserved-memory"},
	{NODE_ROOT, NODE_KEYS, "signature"},
	{NODE_ROOT, NODE_TOP, NULL},
	{NODE_CPUS, NODE_CPU, NULL},
	{NODE_RESERVED_MEMORY, NODE_RESERVATION, NULL},
};

/* A node that the pass is inside of. */
struct level {
	enum node_kind kind;
	const char *name;
	struct node_cells child_cells;
};

struct reader {
	struct walk walk;
	struct machine *m;
	struct diag *diag;
	struct level level[LEVEL_MAX]; /* the nodes that we are inside of, the root first */
	unsigned int depth;	       /* how many they are; may exceed LEVEL_MAX */
	bool collecting;	       /* the innermost is of a kind, and its properties are not over yet */
	struct prop prop[NODE_PROPS_MAX];
};

/* The kind of the node that begins, a child of a @parent. */
static enum node_kind find_kind(const struct walk *w, enum node_kind parent)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].parent == parent && (!kinds[i].name || walk_node_is(w, kinds[i].name)))
			return kinds[i].kind;
	return NODE_OTHER;
}

static enum lb_err begin_node(struct reader *r)
{
	struct level *level;

	if (r->depth == DEPTH_MAX)
		return diag_fail(r->diag, LB_EFORMAT, "fdt: nodes are nested deeper than %d", DEPTH_MAX);
	if (r->depth++ >= LEVEL_MAX)
		return LB_OK;
	level = &r->level[r->depth - 1];
	level->name = r->walk.name;
	level->child_cells = (struct node_cells){0, 0};
	level->kind = r->depth == 1 ? NODE_ROOT : find_kind(&r->walk, level[-1].kind);
	r->collecting = level->kind != NODE_OTHER;
	if (r->collecting)
		memset(r->prop, 0, node_types[level->kind].wanted_count * sizeof(r->prop[0]));
	return LB_OK;
}

static void keep_property(struct reader *r)
{
	const struct node_type *type = &node_types[r->level[r->depth - 1].kind];

	walk_property(&r->walk);
	for (size_t i = 0; i < type->wanted_count; i++) {
		if (!walk_property_is(&r->walk, type->wanted[i].name, type->wanted[i].length))
			continue;
		if (!r->prop[i].data) /* libfdt too finds the first of several */
			r->prop[i] = r->walk.value;
		return;
	}
}

/* Its properties are over: let the innermost node's kind look at them. */
static enum lb_err finish_properties(struct reader *r)
{
	static const struct node_cells none = {0, 0}; /* the root has no parent, and no reg */
	struct level *level = &r->level[r->depth - 1];
	struct node node = {
		.name = level->name,
		.prop = r->prop,
		.cells = r->depth > 1 ? &level[-1].child_cells : &none,
		.child_cells = &level->child_cells,
	};

	r->collecting = false;
	return node_types[level->kind].read(&node, r->m, r->diag);
}

static enum lb_err read_structure(struct reader *r)
{
	uint32_t tag;
	enum lb_err err = LB_OK;

	while (!err && (tag = walk_next(&r->walk)) != FDT_END) {
		if (tag == FDT_PROP && r->collecting)
			keep_property(r);
		if ((tag == FDT_BEGIN_NODE || tag == FDT_END_NODE) && r->collecting)
			err = finish_properties(r);
		if (tag == FDT_BEGIN_NODE && !err)
			err = begin_node(r);
		if (tag == FDT_END_NODE)
			r->depth--;
	}
	return err;
}

static enum lb_err read_memreserve(const void *blob, struct machine *m, struct diag *diag)
{
	int count = fdt_num_mem_rsv(blob);

	for (int i = 0; i < count; i++) {
		struct region range;
		enum lb_err err;

		if (fdt_get_mem_rsv(blob, i, &range.base, &range.size) < 0)
			return diag_fail(diag, LB_EFORMAT, "fdt: memreserve entry %d is cut off", i);
		err = node_add_reservation(m, range, "memreserve", false, diag);
		if (err)
			return err;
	}
	return LB_OK;
}

/* Not a memset: it would write the tables too, of which the counts say that nothing is there. */
static void clear_machine(struct machine *m)
{
	m->compatible = NULL;
	m->compatible_size = 0;
	m->has_keys = false;
	region_set_clear(&m->ram);
	m->reserved_count = 0;
	m->pool_count = 0;
	m->bootargs = NULL;
	m->initrd = (struct region){0, 0};
	m->bundle = (struct region){0, 0};
	m->elfcorehdr = (struct region){0, 0};
	m->usable_memory = (struct region){0, 0};
	m->crash_region = (struct region){0, 0};
	m->crash_lent = (struct region){0, 0};
	m->timebase_frequency = 0;
	m->cbom_block_size = 0;
	m->isa = UINT32_MAX; /* every hart takes away what it lacks */
	m->isa_list_size = 0;
	m->hart_count = 0;
}

/* Give what no node told its value. */
static void complete_machine(struct machine *m)
{
	if (!m->bootargs)
		m->bootargs = "";
	if (m->isa == UINT32_MAX)
		m->isa = 0;
	if (region_end(m->crash_lent) == m->crash_region.base)
		m->crash_region = region_span(m->crash_lent, m->crash_region);
	else
		m->crash_lent = (struct region){0, 0};
}

enum lb_err fdt_peek_size(const void *header, uint64_t *size, struct diag *diag)
{
	uint32_t total;
	int fault;

	if (!is_aligned((uintptr_t)header, 8))
		return diag_fail(diag, LB_EFORMAT, "fdt: at 0x%llx, which is no multiple of 8",
				 (unsigned long long)(uintptr_t)header);
	fault = sound_header(header); /* whose other faults are told when all of it is there */
	if (fault == -FDT_ERR_BADMAGIC)
		return diag_fail(diag, LB_EFORMAT, "fdt: none there: magic is 0x%x, not 0x%x",
				 (unsigned int)fdt_magic(header), FDT_MAGIC);
	if (fault == -FDT_ERR_BADVERSION)
		return diag_fail(diag, LB_EFORMAT, "fdt: version %u, compatible with %u; lifeboat reads 17",
				 (unsigned int)fdt_version(header),
				 (unsigned int)fdt_last_comp_version(header));
	total = fdt_totalsize(header);
	if (total < FDT_HEADER_SIZE || total > FDT_SIZE_MAX)
		return diag_fail(diag, LB_ERANGE, "fdt: its size cannot be %u bytes; 40 to 2 MiB are allowed",
				 (unsigned int)total);
	*size = total;
	return LB_OK;
}

static enum lb_err check_blob(const void *blob, size_t size, struct diag *diag)
{
	uint64_t total = 0;
	enum lb_err err;
	int fault;

	if (size < FDT_HEADER_SIZE)
		return diag_fail(diag, LB_EFORMAT, "fdt: %zu bytes are too few for a header", size);
	err = fdt_peek_size(blob, &total, diag);
	if (err)
		return err;
	if (total > size)
		return diag_fail(diag, LB_EFORMAT, "fdt: truncated: %u bytes, of which %zu are there",
				 (unsigned int)total, size);
	fault = sound_tree(blob, size);
	if (fault)
		return diag_fail(diag, LB_EFORMAT, "fdt: damaged: %s", fdt_words(fault));
	return LB_OK;
}

const char *fdt_peek_compatible(const void *blob, uint64_t size, size_t *list_size)
{
	static const char wanted[] = "compatible";
	_Alignas(uint64_t) struct fdt_header header;
	struct walk w;

	if (size < sizeof(header))
		return NULL;
	memcpy(&header, blob, sizeof(header)); /* libfdt wants it aligned */
	if (sound_header(&header) || fdt_totalsize(&header) > size)
		return NULL;
	walk_start(&w, &header);
	w.structure = (const char *)blob + fdt_off_dt_struct(&header);
	w.strings = (const char *)blob + fdt_off_dt_strings(&header);
	walk_next(&w);
	while (walk_next_property(&w)) {
		if (walk_property_is(&w, wanted, sizeof(wanted) - 1)) {
			*list_size = w.value.size;
			return prop_string(w.value);
		}
	}
	return NULL;
}

enum lb_err fdt_read_machine(const void *blob, size_t size, struct machine *m, struct diag *diag)
{
	struct reader r = {.m = m, .diag = diag};
	enum lb_err err = check_blob(blob, size, diag);

	if (err)
		return err;
	clear_machine(m);
	err = read_memreserve(blob, m, diag);
	if (err)
		return err;
	walk_start(&r.walk, blob);
	err = read_structure(&r);
	if (err)
		return err;
	complete_machine(m);
	if (!m->ram.count)
		return diag_fail(diag, LB_ENOENT,
				 "fdt: no memory node with a size; the stage before must fill it in");
	return LB_OK;
}
