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
#include "fdt/reserve.h"
#include "fdt/words.h"

/* A property of /chosen that the payload gets from us, or not at all. */
struct fixup {
	const char *name;
	bool (*applies)(const struct fdt_wishes *wishes); /* NULL: always. If not, it stays */
	/* NULL: it goes. @at: the root's cells. */
	void (*value)(const struct fdt_wishes *wishes, struct edit_cells at, struct edit_value *v);
};

const char *fdt_bootargs(const void *fdt)
{
	int size;
	const char *text = fdt_getprop(fdt, edit_find(fdt, 0, "chosen"), "bootargs", &size);

	return text && size > 0 && !text[size - 1] ? text : NULL;
}

/* All that can fail is that there are none. */
void fdt_drop_bootargs(void *fdt)
{
	(void)fdt_delprop(fdt, edit_find(fdt, 0, "chosen"), "bootargs");
}

static bool has_bootargs(const struct fdt_wishes *wishes)
{
	return wishes->bootargs != NULL;
}

static bool is_crash_kernel(const struct fdt_wishes *wishes)
{
	return wishes->usable_memory.size != 0;
}

static void bootargs_value(const struct fdt_wishes *wishes, struct edit_cells at, struct edit_value *v)
{
	size_t length = strlen(wishes->bootargs);

	(void)at;
	v->data = wishes->bootargs;
	v->size = length ? length + 1 : 0;
}

/* Append @number in @count cells; check_wishes() has seen to it that it fits. */
/* Linux takes 4 or 8 bytes for these, whatever the root's cells are. */
static void initrd_start_value(const struct fdt_wishes *wishes, struct edit_cells at, struct edit_value *v)
{
	(void)at;
	if (wishes->initrd.size)
		edit_add_cells(v, wishes->initrd.base, 2);
}

static void initrd_end_value(const struct fdt_wishes *wishes, struct edit_cells at, struct edit_value *v)
{
	(void)at;
	if (wishes->initrd.size)
		edit_add_cells(v, region_end(wishes->initrd), 2);
}

static void elfcorehdr_value(const struct fdt_wishes *wishes, struct edit_cells at, struct edit_value *v)
{
	edit_range_value(wishes->elfcorehdr, at, v);
}

static void usable_memory_value(const struct fdt_wishes *wishes, struct edit_cells at, struct edit_value *v)
{
	edit_range_value(wishes->usable_memory, at, v);
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
static void fixup_value(const struct fixup *fixup, const struct fdt_wishes *wishes, struct edit_cells at,
			struct edit_value *v)
{
	v->data = NULL;
	v->size = 0;
	if (fixup->value)
		fixup->value(wishes, at, v);
}

/* ---- Sizes ---- */

static uint64_t growth(const struct fdt_wishes *wishes)
{
	const struct edit_cells most = {2, 2};
	struct edit_value v;
	uint64_t sum = edit_node_growth(); /* /chosen may be absent */

	for (size_t i = 0; i < ARRAY_SIZE(fixups); i++) {
		if (!applies(&fixups[i], wishes))
			continue;
		fixup_value(&fixups[i], wishes, most, &v);
		sum += edit_property_growth(fixups[i].name, v.size);
	}
	return sum + (wishes->reservation_count ? reserve_growth(wishes) : 0);
}

/* A crash kernel's ranges are written in the root's cells. */
static enum lb_err check_wishes(const void *blob, const struct fdt_wishes *wishes, struct diag *diag)
{
	const struct edit_cells root = edit_cells_below(blob, 0);

	if (!range_is_valid(wishes->initrd.base, wishes->initrd.size))
		return diag_fail(diag, LB_ERANGE, "fdt: an initrd can't be at %#" PRIx64 " + %#" PRIx64,
				 wishes->initrd.base, wishes->initrd.size);
	if ((wishes->usable_memory.size && !edit_fits_cells(wishes->usable_memory, root)) ||
	    (wishes->elfcorehdr.size && !edit_fits_cells(wishes->elfcorehdr, root)))
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "fdt: the root's %d address and %d size cells can't hold %#" PRIx64,
				 root.address, root.size, wishes->usable_memory.base);
	return reserve_check(blob, wishes, diag);
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

static int fix_property(void *fdt, int chosen, const struct fixup *fixup, const struct fdt_wishes *wishes,
			struct edit_cells root)
{
	struct edit_value v;
	int code;

	fixup_value(fixup, wishes, root, &v);
	if (v.size)
		return fdt_setprop(fdt, chosen, fixup->name, v.data, (int)v.size);
	code = fdt_delprop(fdt, chosen, fixup->name);
	return code == -FDT_ERR_NOTFOUND ? 0 : code;
}

/* Edits inside /chosen do not move its beginning, so one search serves all rows. */
static int fix_chosen(void *fdt, const struct fdt_wishes *wishes)
{
	int chosen = edit_find_or_add(fdt, 0, "chosen");
	const struct edit_cells root = edit_cells_below(fdt, 0);
	int code = chosen < 0 ? chosen : 0;

	for (size_t i = 0; !code && i < ARRAY_SIZE(fixups); i++) {
		if (applies(&fixups[i], wishes))
			code = fix_property(fdt, chosen, &fixups[i], wishes, root);
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
	{"handed over", reserve_fix_handed_over},
	{"/reserved-memory", reserve_fix},
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
