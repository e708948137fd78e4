// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FDT for a payload, written once from front to back: the firmware's, but for properties of /chosen.
 *
 * libfdt's editing functions search the tree and move its rest once per change, and first of all need
 * room for the firmware's FDT with its slack. Here the blocks are copied as they are, with one gap at the
 * start of /chosen, where the table's properties go. The same code without a buffer tells the size.
 */
#include "fdt/fixup.h"

#include "fdt/read.h"
#include "fdt/walk.h"

/* The blocks follow from here; the first, of reservations, is 8-byte aligned. */
#define HEADER_SIZE sizeof(struct fdt_header)

struct value {
	const void *data;
	uint64_t size; /* 0: the payload gets no such property */
};

/* A property of /chosen that the payload gets from us, or not at all. */
struct fixup {
	const char *name;
	bool (*applies)(const struct fdt_wishes *wishes); /* NULL: always. If not, it stays as it is */
	/* NULL: it goes. @number is room for a value that is made. */
	struct value (*value)(const struct fdt_wishes *wishes, fdt64_t *number);
};

static bool has_bootargs(const struct fdt_wishes *wishes)
{
	return wishes->bootargs != NULL;
}

static struct value bootargs_value(const struct fdt_wishes *wishes, fdt64_t *number)
{
	size_t length = strlen(wishes->bootargs);

	(void)number;
	return (struct value){.data = wishes->bootargs, .size = length ? length + 1 : 0};
}

static struct value initrd_value(const struct fdt_wishes *wishes, uint64_t address, fdt64_t *number)
{
	*number = cpu_to_fdt64(address);
	return (struct value){.data = number, .size = wishes->initrd.size ? sizeof(*number) : 0};
}

static struct value initrd_start_value(const struct fdt_wishes *wishes, fdt64_t *number)
{
	return initrd_value(wishes, wishes->initrd.base, number);
}

static struct value initrd_end_value(const struct fdt_wishes *wishes, fdt64_t *number)
{
	return initrd_value(wishes, region_end(wishes->initrd), number);
}

static const struct fixup fixups[] = {
	{"bootargs", has_bootargs, bootargs_value},
	{"linux,initrd-start", NULL, initrd_start_value},
	{"linux,initrd-end", NULL, initrd_end_value},
	/* What Linux was told when it was to be a capture kernel, or a successor by kexec. */
	{"linux,elfcorehdr", NULL, NULL},
	{"linux,usable-memory-range", NULL, NULL},
	{"linux,dmcryptkeys", NULL, NULL},
	{"linux,kho-fdt", NULL, NULL},
	{"linux,kho-scratch", NULL, NULL},
	/* What we were told. */
	{"lifeboat,bundle", NULL, NULL},
};

#define FIXUPS ARRAY_SIZE(fixups)

struct writer {
	const void *blob;
	const struct fdt_wishes *wishes;
	uint8_t *out;  /* NULL: only count */
	uint64_t room; /* bytes at out */
	uint64_t used; /* bytes written, or that would have been if there were room */
	/* The property names that the firmware's FDT lacks, by row of the table, and their bytes. */
	bool is_new_name[FIXUPS];
	uint32_t new_names_size;
};

static void put(struct writer *w, const void *data, uint64_t size)
{
	if (w->out && w->used <= w->room && size <= w->room - w->used)
		memcpy(w->out + w->used, data, size);
	w->used += size;
}

static void put_u32(struct writer *w, uint32_t number)
{
	fdt32_t big_endian = cpu_to_fdt32(number);

	put(w, &big_endian, sizeof(big_endian));
}

static void put_padding(struct writer *w, uint64_t align)
{
	static const uint8_t zeros[8];

	put(w, zeros, -w->used & (align - 1));
}

/* Copy bytes [@from, @to) of the firmware's structure block. */
static void put_structure(struct writer *w, uint32_t from, uint32_t to)
{
	const char *structure = (const char *)w->blob + fdt_off_dt_struct(w->blob);

	put(w, structure + from, to - from);
}

/* Where @name is in the firmware's strings block, be it the end of a longer one; or the block's size. */
static uint32_t find_name(const void *blob, const char *name)
{
	const char *strings = (const char *)blob + fdt_off_dt_strings(blob);
	const char *behind = strings + fdt_size_dt_strings(blob);
	size_t length = strlen(name);
	const char *end;

	for (const char *each = strings; each < behind; each = end + 1) {
		end = memchr(each, '\0', (size_t)(behind - each));
		if (!end)
			break;
		if ((size_t)(end - each) >= length && memcmp(end - length, name, length) == 0)
			return (uint32_t)(end - length - strings);
	}
	return (uint32_t)(behind - strings);
}

/* Where the name of a row's property is, or will be, in the strings block that is written. */
static uint32_t place_name(struct writer *w, size_t row)
{
	uint32_t old_size = fdt_size_dt_strings(w->blob);
	uint32_t offset = find_name(w->blob, fixups[row].name);

	if (offset == old_size) {
		offset += w->new_names_size;
		w->new_names_size += (uint32_t)strlen(fixups[row].name) + 1;
		w->is_new_name[row] = true;
	}
	return offset;
}

static void put_new_names(struct writer *w)
{
	for (size_t row = 0; row < FIXUPS; row++)
		if (w->is_new_name[row])
			put(w, fixups[row].name, strlen(fixups[row].name) + 1);
}

static bool applies(const struct fixup *fixup, const struct fdt_wishes *wishes)
{
	return !fixup->applies || fixup->applies(wishes);
}

/* Write the properties that the payload gets from us. */
static void put_fixups(struct writer *w)
{
	for (size_t row = 0; row < FIXUPS; row++) {
		struct value value = {NULL, 0};
		fdt64_t number;

		if (fixups[row].value && applies(&fixups[row], w->wishes))
			value = fixups[row].value(w->wishes, &number);
		if (!value.size)
			continue;
		put_u32(w, FDT_PROP);
		put_u32(w, (uint32_t)value.size); /* if that cuts it, the whole is too large */
		put_u32(w, place_name(w, row));
		put(w, value.data, value.size);
		put_padding(w, FDT_TAGSIZE);
	}
}

/* Does the firmware's property go, be it to be replaced? */
static bool is_dropped(const struct walk *at, const struct fdt_wishes *wishes)
{
	for (size_t row = 0; row < FIXUPS; row++)
		if (walk_property_is(at, fixups[row].name, strlen(fixups[row].name)))
			return applies(&fixups[row], wishes);
	return false;
}

/* Copy a node's properties but for those that go, and stop behind them. */
static void put_kept_properties(struct writer *w, struct walk *at)
{
	uint32_t tag;

	while ((tag = walk_next(at)) == FDT_PROP || tag == FDT_NOP)
		if (tag == FDT_NOP || !is_dropped(at, w->wishes))
			put_structure(w, at->offset, at->next);
}

/*
 * Walk on to the root's child /chosen, so that its properties are next.
 *
 * @make_at  receives where it can be made if there is none: behind the root's properties; 0 in a
 *           tree without a root
 * Return: is it there?
 */
static bool find_chosen(struct walk *at, uint32_t *make_at)
{
	unsigned int depth = 0;
	uint32_t tag;

	*make_at = 0;
	while ((tag = walk_next(at)) != FDT_END) {
		if (depth == 1 && (tag == FDT_BEGIN_NODE || tag == FDT_END_NODE) && !*make_at)
			*make_at = at->offset;
		if (tag == FDT_BEGIN_NODE && ++depth == 2 && walk_node_is(at, "chosen"))
			return true;
		if (tag == FDT_END_NODE)
			depth--;
	}
	return false;
}

static void put_new_chosen(struct writer *w)
{
	static const char name[8] = "chosen";

	put_u32(w, FDT_BEGIN_NODE);
	put(w, name, sizeof(name));
	put_fixups(w);
	put_u32(w, FDT_END_NODE);
}

/* The structure block, /chosen mended. Return: false if it has no root, or no end. */
static bool put_whole_structure(struct writer *w)
{
	struct walk at;
	uint32_t size = fdt_size_dt_struct(w->blob);
	uint32_t rest;

	walk_start(&at, w->blob);
	if (find_chosen(&at, &rest)) {
		put_structure(w, 0, at.next);
		put_fixups(w);
		put_kept_properties(w, &at);
		rest = at.offset;
	} else {
		put_structure(w, 0, rest);
		put_new_chosen(w);
	}
	if (rest == 0 || rest > size)
		return false;
	put_structure(w, rest, size);
	return true;
}

/* The header, of blocks that begin at @structure and @strings and are all written. */
static void write_header(const struct writer *w, uint64_t structure, uint64_t strings)
{
	struct fdt_header *header = (struct fdt_header *)(void *)w->out;

	fdt_set_totalsize(header, (uint32_t)w->used);
	fdt_set_off_dt_struct(header, (uint32_t)structure);
	fdt_set_off_dt_strings(header, (uint32_t)strings);
	fdt_set_off_mem_rsvmap(header, HEADER_SIZE);
	fdt_set_version(header, 17);
	fdt_set_last_comp_version(header, 16);
	fdt_set_boot_cpuid_phys(header, fdt_boot_cpuid_phys(w->blob));
	fdt_set_size_dt_strings(header, fdt_size_dt_strings(w->blob) + w->new_names_size);
	fdt_set_size_dt_struct(header, (uint32_t)(strings - structure));
	fdt_set_magic(header, FDT_MAGIC);
}

/* Write the whole FDT, or only count: the one walk behind both functions of the interface. */
static enum lb_err write_fdt(struct writer *w, struct diag *diag)
{
	int reservations = fdt_num_mem_rsv(w->blob);
	uint64_t structure, strings;

	if (reservations < 0)
		return diag_fail(diag, LB_EFORMAT, "fdt: the list of memory reservations has no end");
	w->used = HEADER_SIZE;
	put(w, (const char *)w->blob + fdt_off_mem_rsvmap(w->blob),
	    ((uint64_t)reservations + 1) * sizeof(struct fdt_reserve_entry));
	structure = w->used;
	if (!put_whole_structure(w))
		return diag_fail(diag, LB_EFORMAT, "fdt: the tree has no root or no end");
	strings = w->used;
	put(w, (const char *)w->blob + fdt_off_dt_strings(w->blob), fdt_size_dt_strings(w->blob));
	put_new_names(w);
	put_padding(w, 8);
	if (w->used > FDT_SIZE_MAX)
		return diag_fail(diag, LB_ERANGE,
				 "fdt: would have %llu bytes, Linux takes 2 MiB; shorten the bootargs",
				 (unsigned long long)w->used);
	if (w->out && w->used <= w->room)
		write_header(w, structure, strings);
	return LB_OK;
}

static enum lb_err check_request(const void *blob, const struct fdt_wishes *wishes, struct diag *diag)
{
	uint64_t size;

	if (!range_is_valid(wishes->initrd.base, wishes->initrd.size))
		return diag_fail(diag, LB_ERANGE, "fdt: an initrd cannot be at 0x%llx + 0x%llx",
				 (unsigned long long)wishes->initrd.base,
				 (unsigned long long)wishes->initrd.size);
	return fdt_peek_size(blob, &size, diag);
}

enum lb_err fdt_payload_size(const void *blob, const struct fdt_wishes *wishes, uint64_t *size,
			     struct diag *diag)
{
	struct writer w = {.blob = blob, .wishes = wishes};
	enum lb_err err = check_request(blob, wishes, diag);

	if (err)
		return err;
	err = write_fdt(&w, diag);
	if (!err)
		*size = w.used;
	return err;
}

enum lb_err fdt_make_payload_fdt(const void *blob, const struct fdt_wishes *wishes, void *out,
				 uint64_t out_size, struct diag *diag)
{
	struct writer w = {.blob = blob, .wishes = wishes, .out = out, .room = out_size};
	enum lb_err err = check_request(blob, wishes, diag);

	/* Until the header is written, at the very end, an FDT that was here before is none either. */
	memset(out, 0, out_size < sizeof(fdt32_t) ? out_size : sizeof(fdt32_t));
	if (err)
		return err;
	err = write_fdt(&w, diag);
	if (err)
		return err;
	if (w.used > out_size)
		return diag_fail(diag, LB_ENOSPC,
				 "fdt: the payload's needs %llu bytes, there is room for %llu",
				 (unsigned long long)w.used, (unsigned long long)out_size);
	return LB_OK;
}
