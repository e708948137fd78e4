// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FDT for a payload, by libfdt's editing functions on a private copy.
 *
 * Two tables: properties of /chosen, set or removed, and children of /reserved-memory. A property that is
 * wished for replaces the firmware's, any other of the table is removed. Both tables are also what the size
 * is computed from, so that the buffer is known to suffice before a byte is written.
 */
#include "fdt/fixup.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "fdt/edit.h"
#include "fdt/read.h"
#include "fdt/words.h"

#define TAG_SIZE	4
#define PROP_HEAD	12 /* tag, length, name offset */
#define NODE_NAME_MAX	48
#define RESERVED_PARENT "reserved-memory"
#define CALL_PROPERTY	"lifeboat,crash-call"

/* How many 32-bit cells an address and a size have at some node. */
struct cells {
	int address;
	int size;
};

/* A property's value; as many cells as any row needs. */
struct value {
	const void *data;
	uint64_t size; /* 0: the payload gets no such property */
	fdt32_t cell[4];
};

/* A property of /chosen that the payload gets from us, or not at all. */
struct fixup {
	const char *name;
	bool (*applies)(const struct fdt_wishes *wishes); /* NULL: always. If not, it stays */
	/* NULL: it goes. @at: the root's cells. */
	void (*value)(const struct fdt_wishes *wishes, struct cells at, struct value *v);
};

const char *fdt_bootargs(const void *fdt)
{
	int size;
	const char *text = fdt_getprop(fdt, fdt_subnode_offset(fdt, 0, "chosen"), "bootargs", &size);

	return text && size > 0 && !text[size - 1] ? text : NULL;
}

/* All that can fail is that there are none. */
void fdt_drop_bootargs(void *fdt)
{
	(void)fdt_delprop(fdt, fdt_subnode_offset(fdt, 0, "chosen"), "bootargs");
}

static bool has_bootargs(const struct fdt_wishes *wishes)
{
	return wishes->bootargs != NULL;
}

static bool is_crash_kernel(const struct fdt_wishes *wishes)
{
	return wishes->usable_memory.size != 0;
}

static void bootargs_value(const struct fdt_wishes *wishes, struct cells at, struct value *v)
{
	size_t length = strlen(wishes->bootargs);

	(void)at;
	v->data = wishes->bootargs;
	v->size = length ? length + 1 : 0;
}

/* Append @number in @count cells; check_wishes() has seen to it that it fits. */
static void add_cells(struct value *v, uint64_t number, int count)
{
	fdt32_t *cell = &v->cell[v->size / sizeof(fdt32_t)];

	if (count == 2)
		*cell++ = cpu_to_fdt32((uint32_t)(number >> 32));
	*cell = cpu_to_fdt32((uint32_t)number);
	v->data = v->cell;
	v->size += (uint64_t)count * sizeof(fdt32_t);
}

static void range_value(struct region range, struct cells at, struct value *v)
{
	if (!range.size)
		return;
	add_cells(v, range.base, at.address);
	add_cells(v, range.size, at.size);
}

/* Linux takes 4 or 8 bytes for these, whatever the root's cells are. */
static void initrd_start_value(const struct fdt_wishes *wishes, struct cells at, struct value *v)
{
	(void)at;
	if (wishes->initrd.size)
		add_cells(v, wishes->initrd.base, 2);
}

static void initrd_end_value(const struct fdt_wishes *wishes, struct cells at, struct value *v)
{
	(void)at;
	if (wishes->initrd.size)
		add_cells(v, region_end(wishes->initrd), 2);
}

static void elfcorehdr_value(const struct fdt_wishes *wishes, struct cells at, struct value *v)
{
	range_value(wishes->elfcorehdr, at, v);
}

static void usable_memory_value(const struct fdt_wishes *wishes, struct cells at, struct value *v)
{
	range_value(wishes->usable_memory, at, v);
}

static const struct fixup fixups[] = {
	{"bootargs", has_bootargs, bootargs_value},
	{"linux,initrd-start", NULL, initrd_start_value},
	{"linux,initrd-end", NULL, initrd_end_value},
	{"linux,elfcorehdr", NULL, elfcorehdr_value},
	{"linux,usable-memory-range", NULL, usable_memory_value},
	/* What Linux was told when it was a capture kernel, or a successor by kexec. */
	{"linux,dmcryptkeys", NULL, NULL},
	{"linux,kho-fdt", NULL, NULL},
	{"linux,kho-scratch", NULL, NULL},
	/* Seeds are for one kernel only, and a crash kernel's FDT is made when the primary is started. */
	{"rng-seed", is_crash_kernel, NULL},
	{"kaslr-seed", is_crash_kernel, NULL},
	/* What we were told. */
	{"lifeboat,bundle", NULL, NULL},
};

static bool applies(const struct fixup *fixup, const struct fdt_wishes *wishes)
{
	return !fixup->applies || fixup->applies(wishes);
}

/* @v may point into itself: do not copy it. */
static void fixup_value(const struct fixup *fixup, const struct fdt_wishes *wishes, struct cells at,
			struct value *v)
{
	v->data = NULL;
	v->size = 0;
	if (fixup->value)
		fixup->value(wishes, at, v);
}

static struct cells cells_below(const void *fdt, int node)
{
	return (struct cells){fdt_address_cells(fdt, node), fdt_size_cells(fdt, node)};
}

/* Can @range be written in these cells? 0 cells, or more than 2, hold no address of ours. */
static bool fits_cells(struct region range, struct cells at)
{
	if (at.address < 1 || at.address > 2 || at.size < 1 || at.size > 2)
		return false;
	return (at.address == 2 || range.base <= UINT32_MAX) && (at.size == 2 || range.size <= UINT32_MAX);
}

/* ---- Sizes ---- */

static uint64_t property_growth(const char *name, uint64_t size)
{
	return PROP_HEAD + size + TAG_SIZE - 1 + strlen(name) + 1;
}

static uint64_t node_growth(void)
{
	return 2 * TAG_SIZE + NODE_NAME_MAX;
}

static uint64_t reservations_growth(const struct fdt_wishes *wishes)
{
	uint64_t growth = node_growth() + property_growth("#address-cells", 4) +
			  property_growth("#size-cells", 4) + property_growth("ranges", 0);

	for (size_t i = 0; i < wishes->reservation_count; i++) {
		const char *compatible = wishes->reservation[i].compatible;

		growth += node_growth() + property_growth("reg", 16) + property_growth("no-map", 0);
		if (wishes->reservation[i].call.size)
			growth += property_growth(CALL_PROPERTY, 16);
		if (compatible)
			growth += property_growth("compatible", strlen(compatible) + 1);
	}
	return growth;
}

static uint64_t growth(const struct fdt_wishes *wishes)
{
	const struct cells most = {2, 2};
	struct value v;
	uint64_t sum = node_growth(); /* /chosen may be absent */

	for (size_t i = 0; i < ARRAY_SIZE(fixups); i++) {
		if (!applies(&fixups[i], wishes))
			continue;
		fixup_value(&fixups[i], wishes, most, &v);
		sum += property_growth(fixups[i].name, v.size);
	}
	return sum + (wishes->reservation_count ? reservations_growth(wishes) : 0);
}

/* ---- What Linux makes of /reserved-memory ---- */

/* Has it a #address-cells or #size-cells of its own that is not @wanted? Absent ones: by @absent. */
static bool cells_differ(const void *fdt, int node, const char *name, int wanted, bool absent)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, name, &size);

	if (!cells)
		return absent;
	return size != sizeof(*cells) || fdt32_to_cpu(*cells) != (uint32_t)wanted;
}

/* Linux' rule: the root's cells, and ranges; else all of it is ignored. */
static bool linux_honours(const void *fdt, int parent)
{
	const struct cells root = cells_below(fdt, 0);

	return !cells_differ(fdt, parent, "#address-cells", root.address, true) &&
	       !cells_differ(fdt, parent, "#size-cells", root.size, true) &&
	       fdt_getprop(fdt, parent, "ranges", NULL);
}

/*
 * Can one that Linux ignores be given what it lacks? Not if what children say would then mean something else:
 * a reg in other cells, or a pool that Linux would take from somewhere. A range that firmware wants to be
 * left alone is left alone by the stage, anyway.
 */
static bool is_mendable(const void *fdt, int parent)
{
	const struct cells root = cells_below(fdt, 0);
	int child;

	if (cells_differ(fdt, parent, "#address-cells", root.address, false) ||
	    cells_differ(fdt, parent, "#size-cells", root.size, false))
		return fdt_first_subnode(fdt, parent) == -FDT_ERR_NOTFOUND;
	fdt_for_each_subnode(child, fdt, parent)
	{
		if (!fdt_getprop(fdt, child, "reg", NULL))
			return false;
	}
	return true;
}

static bool can_reserve(const void *fdt)
{
	const int parent = fdt_subnode_offset(fdt, 0, RESERVED_PARENT);

	return parent < 0 || linux_honours(fdt, parent) || is_mendable(fdt, parent);
}

static enum lb_err check_reservations(const void *blob, const struct fdt_wishes *wishes, struct diag *diag)
{
	const struct cells root = cells_below(blob, 0);

	if (!wishes->reservation_count)
		return LB_OK;
	if (!can_reserve(blob))
		return diag_fail(
			diag, LB_EUNSUPPORTED,
			"fdt: Linux ignores this /" RESERVED_PARENT
			", and what is in it forbids to mend it: give it ranges and the root's cells");
	for (size_t i = 0; i < wishes->reservation_count; i++) {
		if (!fits_cells(wishes->reservation[i].range, root))
			return diag_fail(diag, LB_EUNSUPPORTED,
					 "fdt: the root's %d address and %d size cells can't hold %#" PRIx64,
					 root.address, root.size, wishes->reservation[i].range.base);
	}
	return LB_OK;
}

/* A crash kernel's ranges are written in the root's cells. */
static enum lb_err check_wishes(const void *blob, const struct fdt_wishes *wishes, struct diag *diag)
{
	const struct cells root = cells_below(blob, 0);

	if (!range_is_valid(wishes->initrd.base, wishes->initrd.size))
		return diag_fail(diag, LB_ERANGE, "fdt: an initrd can't be at %#" PRIx64 " + %#" PRIx64,
				 wishes->initrd.base, wishes->initrd.size);
	if ((wishes->usable_memory.size && !fits_cells(wishes->usable_memory, root)) ||
	    (wishes->elfcorehdr.size && !fits_cells(wishes->elfcorehdr, root)))
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "fdt: the root's %d address and %d size cells can't hold %#" PRIx64,
				 root.address, root.size, wishes->usable_memory.base);
	return check_reservations(blob, wishes, diag);
}

static uint64_t reservations_size(const void *blob)
{
	return ((uint64_t)fdt_num_mem_rsv(blob) + 1) * sizeof(struct fdt_reserve_entry);
}

/* Do the blocks follow each other as usual? If not, libfdt puts them in order when it opens a copy. */
static bool is_ordered(const void *blob)
{
	return fdt_off_mem_rsvmap(blob) >= sizeof(struct fdt_header) &&
	       fdt_off_dt_struct(blob) >= fdt_off_mem_rsvmap(blob) + reservations_size(blob) &&
	       fdt_off_dt_strings(blob) >= (uint64_t)fdt_off_dt_struct(blob) + fdt_size_dt_struct(blob);
}

/* What a copy needs before it grows: all but the firmware's slack, which is of no use to anybody. */
static uint64_t used_size(const void *blob)
{
	if (is_ordered(blob))
		return (uint64_t)fdt_off_dt_strings(blob) + fdt_size_dt_strings(blob);
	return sizeof(struct fdt_header) + reservations_size(blob) + fdt_size_dt_struct(blob) +
	       (uint64_t)fdt_size_dt_strings(blob);
}

static uint64_t with_slack(uint64_t size)
{
	return size < FDT_SIZE_MAX - FDT_SLACK ? size + FDT_SLACK : FDT_SIZE_MAX;
}

enum lb_err fdt_payload_size(const void *blob, const struct fdt_wishes *wishes, uint64_t *size,
			     struct diag *diag)
{
	uint64_t old, new;
	enum lb_err err = fdt_peek_size(blob, &old, diag);

	if (!err)
		err = check_wishes(blob, wishes, diag);
	if (err)
		return err;
	old = used_size(blob);
	if (!align_up(old + growth(wishes), 8, &new) || new > FDT_SIZE_MAX)
		return diag_fail(diag, LB_ERANGE,
				 "fdt: would have %" PRIu64 " bytes, Linux takes 2 MiB: shorten the bootargs",
				 old + growth(wishes));
	*size = with_slack(new);
	return LB_OK;
}

/* ---- Writing ---- */

static int fix_property(void *fdt, int chosen, const struct fixup *fixup, const struct fdt_wishes *wishes)
{
	struct value v;
	int code;

	fixup_value(fixup, wishes, cells_below(fdt, 0), &v);
	if (v.size)
		return fdt_setprop(fdt, chosen, fixup->name, v.data, (int)v.size);
	code = fdt_delprop(fdt, chosen, fixup->name);
	return code == -FDT_ERR_NOTFOUND ? 0 : code;
}

/* Edits inside /chosen do not move its beginning, so one search serves all rows. */
static int fix_chosen(void *fdt, const struct fdt_wishes *wishes)
{
	int chosen = edit_find_or_add(fdt, 0, "chosen");
	int code = chosen < 0 ? chosen : 0;

	for (size_t i = 0; !code && i < ARRAY_SIZE(fixups); i++) {
		if (applies(&fixups[i], wishes))
			code = fix_property(fdt, chosen, &fixups[i], wishes);
	}
	return code;
}

/* One that we make, or that Linux would ignore, gets what Linux asks for. */
static int find_or_add_parent(void *fdt)
{
	const struct cells root = cells_below(fdt, 0);
	const int parent = edit_find_or_add(fdt, 0, RESERVED_PARENT);
	int code;

	if (parent < 0 || linux_honours(fdt, parent))
		return parent;
	code = fdt_setprop_u32(fdt, parent, "#address-cells", (uint32_t)root.address);
	if (!code)
		code = fdt_setprop_u32(fdt, parent, "#size-cells", (uint32_t)root.size);
	if (!code)
		code = fdt_setprop(fdt, parent, "ranges", NULL, 0);
	return code ? code : parent;
}

static int add_reservation(void *fdt, int parent, const struct fdt_reservation *r)
{
	const struct cells at = cells_below(fdt, parent);
	struct value v = {.data = NULL, .size = 0};
	char name[NODE_NAME_MAX];
	int node, code;

	if (!fits_cells(r->range, at))
		return -FDT_ERR_BADNCELLS;
	if (snprintf(name, sizeof(name), "%s@%" PRIx64, r->name, r->range.base) >= (int)sizeof(name))
		return -FDT_ERR_BADVALUE;
	node = edit_find_or_add(fdt, parent, name);
	if (node < 0)
		return node;
	range_value(r->range, at, &v);
	code = fdt_setprop(fdt, node, "reg", v.data, (int)v.size);
	if (!code && r->no_map)
		code = fdt_setprop(fdt, node, "no-map", NULL, 0);
	if (!code && r->compatible)
		code = fdt_setprop_string(fdt, node, "compatible", r->compatible);
	if (!code && r->call.size) {
		v.size = 0;
		range_value(r->call, at, &v);
		code = fdt_setprop(fdt, node, CALL_PROPERTY, v.data, (int)v.size);
	}
	return code;
}

/* Memory that Linux sets aside for drivers, and gives to its allocator or maps meanwhile. */
static bool is_pool(const void *fdt, int node)
{
	return !fdt_node_check_compatible(fdt, node, "shared-dma-pool") ||
	       !fdt_node_check_compatible(fdt, node, "restricted-dma-pool");
}

/*
 * Is a reservation one that a crash kernel must know? The crash region is its own memory. What has no place
 * yet would be taken out of that. A pool elsewhere is the dead kernel's RAM: Linux faults there, or uses it.
 * All else at a fixed place stays: firmware and devices know it, drivers refer to it, and outside of usable
 * memory it costs nothing.
 */
static bool is_for_crash_kernel(const void *fdt, int node)
{
	if (!fdt_node_check_compatible(fdt, node, FDT_CRASH_REGION) || !fdt_getprop(fdt, node, "reg", NULL) ||
	    fdt_getprop(fdt, node, "reusable", NULL))
		return false;
	return fdt_getprop(fdt, node, "no-map", NULL) || !is_pool(fdt, node);
}

/* A memory-region that refers to a node that is gone is -ENODEV in Linux: the driver does without. */
static int drop_reservations(void *fdt)
{
	const int parent = fdt_subnode_offset(fdt, 0, RESERVED_PARENT);
	int node = parent < 0 ? parent : fdt_first_subnode(fdt, parent), code = 0;

	while (!code && node >= 0) {
		if (is_for_crash_kernel(fdt, node)) {
			node = fdt_next_subnode(fdt, node);
		} else {
			code = fdt_del_node(fdt, node);
			node = fdt_first_subnode(fdt, parent);
		}
	}
	return code;
}

static int fix_reservations(void *fdt, const struct fdt_wishes *wishes)
{
	int parent = wishes->reservation_count ? find_or_add_parent(fdt) : 0;
	int code = parent < 0 ? parent : 0;

	if (is_crash_kernel(wishes))
		return drop_reservations(fdt);
	for (size_t i = 0; !code && i < wishes->reservation_count; i++)
		code = add_reservation(fdt, parent, &wishes->reservation[i]);
	return code;
}

/* Firmware's reservations of the initrd and the bundle that it handed over: entries, then nodes. */
static int fix_handed_over(void *fdt, const struct fdt_wishes *wishes)
{
	const struct machine *m = wishes->firmware;
	const int parent = fdt_subnode_offset(fdt, 0, RESERVED_PARENT);
	struct region range;
	int code = 0;

	for (int i = m ? fdt_num_mem_rsv(fdt) : 0; !code && i-- > 0;) {
		code = fdt_get_mem_rsv(fdt, i, &range.base, &range.size);
		if (!code && machine_handed_over(m, range))
			code = fdt_del_mem_rsv(fdt, i);
	}
	for (size_t i = 0; m && !code && i < m->reserved_count; i++) {
		const int node = machine_handed_over(m, m->reserved[i].range)
					 ? fdt_subnode_offset(fdt, parent, m->reserved[i].name)
					 : -FDT_ERR_NOTFOUND;

		code = node < 0 ? 0 : fdt_del_node(fdt, node);
	}
	return code;
}

/*
 * fdt_open_into() wants room for the slack, too, where it has nothing to put in order: leave it behind first.
 */
static int copy_without_slack(const void *blob, void *out, uint64_t out_size)
{
	const int room = out_size < FDT_SIZE_MAX ? (int)out_size : (int)FDT_SIZE_MAX;

	if (used_size(blob) > out_size)
		return -FDT_ERR_NOSPACE;
	if (!is_ordered(blob))
		return fdt_open_into(blob, out, room);
	memcpy(out, blob, used_size(blob));
	fdt_set_totalsize(out, (uint32_t)used_size(blob));
	return fdt_open_into(out, out, room);
}

static int add_slack(void *out, uint64_t out_size)
{
	const uint64_t used = fdt_totalsize(out), all = with_slack(align_down(used + 7, 8));

	if (all > out_size)
		return -FDT_ERR_NOSPACE;
	memset((char *)out + used, 0, all - used);
	fdt_set_totalsize(out, (uint32_t)all);
	return 0;
}

/* In this order; what fails is told by its name. */
static const struct {
	const char *name;
	int (*fix)(void *fdt, const struct fdt_wishes *wishes);
} steps[] = {
	{"/chosen", fix_chosen},
	{"handed over", fix_handed_over},
	{"/reserved-memory", fix_reservations},
};

enum lb_err fdt_make_payload_fdt(const void *blob, const struct fdt_wishes *wishes, void *out,
				 uint64_t out_size, struct diag *diag)
{
	const char *where = "the copy";
	uint64_t size;
	enum lb_err err;
	int code;

	/* Until it is whole, an FDT that was here before is none either. */
	memset(out, 0, out_size < sizeof(fdt32_t) ? out_size : sizeof(fdt32_t));
	err = fdt_payload_size(blob, wishes, &size, diag);
	if (err)
		return err;
	code = copy_without_slack(blob, out, out_size);
	for (size_t i = 0; !code && i < ARRAY_SIZE(steps); i++) {
		where = steps[i].name;
		code = steps[i].fix(out, wishes);
	}
	if (!code)
		code = fdt_pack(out);
	if (!code)
		code = add_slack(out, out_size);
	if (!code)
		return LB_OK;
	memset(out, 0, out_size < sizeof(fdt32_t) ? out_size : sizeof(fdt32_t));
	return diag_fail(diag, code == -FDT_ERR_NOSPACE ? LB_ENOSPC : LB_EFORMAT,
			 "fdt: cannot make the payload's (%s): %s", where, fdt_words(code));
}
