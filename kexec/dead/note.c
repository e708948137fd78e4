// SPDX-License-Identifier: BSD-2-Clause
/* A VMCOREINFO note: what it looks like in RAM, what its text says, and where its kernel's addresses lead. */
#include "kexec/dead/note.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/image/image.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a number is stored by its low bytes");

/* ---- The text ---- */

/* A line that is understood. Numbers are of the row's base; one with 0x before it is always of base 16. */
struct row {
	const char *prefix;
	uint8_t length; /* of the prefix */
	uint8_t base;
	bool needed;
	uint8_t width; /* of its place in struct vmcoreinfo, and so the bound of the number */
	uint16_t place;
};

#define ROW(prefix, base, needed, field)                                                              \
	{                                                                                             \
		prefix, sizeof(prefix) - 1, base, needed, sizeof(((struct vmcoreinfo *)NULL)->field), \
			offsetof(struct vmcoreinfo, field)                                            \
	}

/* Formats: VMCOREINFO_SYMBOL %lx, _OFFSET, _SIZE %lu, _NUMBER %ld; riscv's own lines 0x%lx. */
static const struct row rows[] = {
	ROW("SYMBOL(init_uts_ns)=", 16, true, uts_ns),
	ROW("OFFSET(uts_namespace.name)=", 10, true, uts_name),
	ROW("SYMBOL(_stext)=", 16, true, stext),
	ROW("SYMBOL(prb)=", 16, true, prb),
	ROW("OFFSET(printk_ringbuffer.desc_ring)=", 10, true, printk.rb_desc_ring),
	ROW("OFFSET(printk_ringbuffer.text_data_ring)=", 10, true, printk.rb_text_data_ring),
	ROW("OFFSET(prb_desc_ring.count_bits)=", 10, true, printk.ring_count_bits),
	ROW("OFFSET(prb_desc_ring.descs)=", 10, true, printk.ring_descs),
	ROW("OFFSET(prb_desc_ring.infos)=", 10, true, printk.ring_infos),
	ROW("OFFSET(prb_desc_ring.head_id)=", 10, true, printk.ring_head),
	ROW("OFFSET(prb_desc_ring.tail_id)=", 10, true, printk.ring_tail),
	ROW("SIZE(prb_desc)=", 10, true, printk.desc_size),
	ROW("OFFSET(prb_desc.state_var)=", 10, true, printk.desc_state),
	ROW("OFFSET(prb_desc.text_blk_lpos)=", 10, true, printk.desc_text),
	ROW("OFFSET(prb_data_blk_lpos.begin)=", 10, true, printk.lpos_begin),
	ROW("OFFSET(prb_data_blk_lpos.next)=", 10, true, printk.lpos_next),
	ROW("SIZE(printk_info)=", 10, true, printk.info_size),
	ROW("OFFSET(printk_info.seq)=", 10, true, printk.info_seq),
	ROW("OFFSET(printk_info.ts_nsec)=", 10, true, printk.info_ts),
	ROW("OFFSET(printk_info.text_len)=", 10, true, printk.info_text_len),
	ROW("OFFSET(prb_data_ring.size_bits)=", 10, true, printk.data_size_bits),
	ROW("OFFSET(prb_data_ring.data)=", 10, true, printk.data_data),
	ROW("OFFSET(atomic_long_t.counter)=", 10, true, printk.counter),
	ROW("NUMBER(phys_ram_base)=", 10, false, phys_ram_base),
	ROW("NUMBER(PAGE_OFFSET)=", 16, false, page_offset),
	ROW("NUMBER(KERNEL_LINK_ADDR)=", 16, false, kernel_link),
	ROW("NUMBER(va_kernel_pa_offset)=", 16, false, va_kernel_pa_offset),
	ROW("CRASHTIME=", 10, false, crash_time),
};
_Static_assert(ARRAY_SIZE(rows) <= 64, "one bit for each in `seen`");

#define RELEASE_PREFIX "OSRELEASE="
#define IMAGE_ALIGN    (2 * MIB)
#define MODULES_SPAN   (2 * GIB) /* below the kernel, no part of the linear map */

/* One line, without its newline. */
struct line {
	const char *text;
	size_t length;
};

/* Cut the next line off; false when there is none. An unfinished last line is none: it may have been cut. */
static bool next_line(const char **text, size_t *size, struct line *line)
{
	const char *end = memchr(*text, '\n', *size);

	if (!end)
		return false;
	*line = (struct line){*text, (size_t)(end - *text)};
	*size -= line->length + 1;
	*text = end + 1;
	return true;
}

static bool starts_with(const struct line *line, const char *prefix, size_t length)
{
	return line->length >= length && memcmp(line->text, prefix, length) == 0;
}

/* The digit's value; 255 for what is none. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 255;
}

/* The whole of @line is one number, at most @max. */
static enum lb_err read_number(struct line line, unsigned base, uint64_t max, uint64_t *number)
{
	uint64_t sum = 0;

	if (starts_with(&line, "0x", 2)) {
		line = (struct line){line.text + 2, line.length - 2};
		base = 16;
	}
	if (!line.length)
		return LB_EFORMAT;
	for (size_t i = 0; i < line.length; i++) {
		unsigned value = digit(line.text[i]);

		if (value >= base)
			return LB_EFORMAT;
		if (__builtin_mul_overflow(sum, base, &sum) || __builtin_add_overflow(sum, value, &sum) ||
		    sum > max)
			return LB_ERANGE;
	}
	*number = sum;
	return LB_OK;
}

/* Take over @line if a row knows it. */
static enum lb_err read_line(const struct line *line, struct vmcoreinfo *info, uint64_t *seen,
			     struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		uint64_t number;
		enum lb_err err;

		if (!starts_with(line, row->prefix, row->length))
			continue;
		err = read_number((struct line){line->text + row->length, line->length - row->length},
				  row->base, UINT64_MAX >> (64 - 8 * row->width), &number);
		if (err)
			return diag_fail(diag, err, "vmcoreinfo: %s is %s", row->prefix,
					 err == LB_ERANGE ? "too large" : "no number");
		memcpy((char *)info + row->place, &number, row->width);
		*seen |= UINT64_C(1) << i;
		break;
	}
	return LB_OK;
}

/* The first line names the release: printable, and short enough for struct new_utsname. */
static enum lb_err read_release(const struct line *line, char release[65], struct diag *diag)
{
	const size_t skip = sizeof(RELEASE_PREFIX) - 1;
	size_t length = line->length - skip;

	if (!starts_with(line, RELEASE_PREFIX, skip) || !length || length > 64)
		return diag_fail(diag, LB_EFORMAT, "vmcoreinfo: the text does not begin with a release");
	for (size_t i = 0; i < length; i++) {
		release[i] = line->text[skip + i];
		if (release[i] <= ' ' || release[i] > '~')
			return diag_fail(diag, LB_EFORMAT, "vmcoreinfo: the release is not a printable word");
	}
	release[length] = '\0';
	return LB_OK;
}

static enum lb_err check_needed(uint64_t seen, struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].needed && !(seen >> i & 1))
			return diag_fail(diag, LB_EFORMAT, "vmcoreinfo: there is no line %s", rows[i].prefix);
	}
	return LB_OK;
}

/* Whether the numbers can be; translation counts on it. */
static enum lb_err check_maps(const struct vmcoreinfo *info, struct diag *diag)
{
	if (!(info->kernel_link >> 63) || info->stext < info->kernel_link ||
	    info->page_offset >= info->kernel_link - MODULES_SPAN ||
	    (info->page_offset && !(info->page_offset >> 63)))
		return diag_fail(diag, LB_EFORMAT,
				 "vmcoreinfo: impossible PAGE_OFFSET, KERNEL_LINK_ADDR or _stext");
	return LB_OK;
}

/* Fill in what older kernels do not say. */
static enum lb_err complete_maps(struct vmcoreinfo *info, paddr_t kernel_pa, struct diag *diag)
{
	if (!info->kernel_link)
		info->kernel_link = LINUX_KERNEL_LINK_ADDR;
	if (!info->va_kernel_pa_offset) {
		/* 6.1: only the stage knows. In 6.2 and 6.3 phys_ram_base is where the kernel was loaded. */
		if (!kernel_pa)
			kernel_pa = info->phys_ram_base;
		if (!kernel_pa)
			return diag_fail(diag, LB_EFORMAT,
					 "vmcoreinfo: the note does not say where the kernel is");
		info->va_kernel_pa_offset = info->kernel_link - kernel_pa;
	}
	/* KASLR moves by a multiple of the image's alignment; _stext is in its first 2 MiB. */
	info->kernel_pa = align_down(info->stext, IMAGE_ALIGN) - info->va_kernel_pa_offset;
	return check_maps(info, diag);
}

/* Fill all of @info but its note. @text need not be terminated. */
static enum lb_err parse(const char *text, size_t size, paddr_t kernel_pa, struct vmcoreinfo *info,
			 struct diag *diag)
{
	struct line line = {text, 0};
	uint64_t seen = 0;
	enum lb_err err;

	memset(info, 0, sizeof(*info));
	next_line(&text, &size, &line);
	err = read_release(&line, info->release, diag);
	while (!err && next_line(&text, &size, &line))
		err = read_line(&line, info, &seen, diag);
	if (!err)
		err = check_needed(seen, diag);
	if (!err)
		err = complete_maps(info, kernel_pa, diag);
	return err;
}

/* ---- Addresses ---- */

enum lb_err vmcoreinfo_translate(const struct vmcoreinfo *info, uint64_t va, paddr_t *pa)
{
	paddr_t linear;

	if (va >= info->kernel_link) {
		*pa = va - info->va_kernel_pa_offset;
		return LB_OK;
	}
	if (!info->page_offset || va < info->page_offset || va >= info->kernel_link - MODULES_SPAN ||
	    __builtin_add_overflow(va - info->page_offset, info->phys_ram_base, &linear))
		return LB_ERANGE;
	*pa = linear;
	return LB_OK;
}

const void *vmcoreinfo_bytes(const struct ram *ram, const struct vmcoreinfo *info, uint64_t va, uint64_t size)
{
	paddr_t pa;

	return vmcoreinfo_translate(info, va, &pa) ? NULL : ram_bytes(ram, pa, size);
}

/* ---- The note ---- */

#define NOTE_TEXT_MAX	4096
#define UTS_RELEASE	130 /* of struct new_utsname: behind two fields of 65 bytes */
#define TERMINATOR_SIZE 12

/* How an ELF note begins, with the name's padding. */
struct note_header {
	uint32_t name_size;
	uint32_t text_size;
	uint32_t type;
	char name[12];
};
_Static_assert(sizeof(struct note_header) + NOTE_TEXT_MAX + TERMINATOR_SIZE == VMCOREINFO_NOTE_SIZE,
	       "as Linux reckons");

/* The test that nearly every page fails. */
static bool may_be_note(const void *page)
{
	return *(const uint32_t *)page == sizeof(VMCOREINFO_NAME);
}

/* A load and three more instructions for each that can't be one. */
__attribute__((noinline)) static const char *skip_pages(const char *page, const char *end)
{
	while (page != end && !may_be_note(page))
		page += PAGE_SIZE;
	return page;
}

const char *vmcoreinfo_next_note(const char *page, const char *end)
{
	while ((page = skip_pages(page, end)) != end && !vmcoreinfo_is_note(page))
		page += PAGE_SIZE;
	return page;
}

bool vmcoreinfo_is_note(const void *page)
{
	struct note_header header;

	if (!may_be_note(page))
		return false;
	memcpy(&header, page, sizeof(header));
	return header.text_size && header.text_size <= NOTE_TEXT_MAX && header.type == 0 &&
	       memcmp(header.name, VMCOREINFO_NAME, sizeof(VMCOREINFO_NAME)) == 0;
}

/* The size of the text of the note at @pa, if the whole note is readable and ends as notes do. */
static enum lb_err measure(const struct ram *ram, paddr_t pa, struct region *note, size_t *text_size)
{
	static const char terminator[TERMINATOR_SIZE];
	const char *page = ram_bytes(ram, pa, PAGE_SIZE);
	struct note_header header;
	size_t padded;

	if (!page)
		return LB_ERANGE;
	if (!is_aligned(pa, 4) || !vmcoreinfo_is_note(page))
		return LB_EFORMAT;
	memcpy(&header, page, sizeof(header));
	*text_size = header.text_size;
	padded = sizeof(header) + (*text_size + 3) / 4 * 4;
	*note = (struct region){pa, padded + sizeof(terminator)};
	if (!ram_bytes(ram, pa, note->size))
		return LB_ERANGE;
	return memcmp(page + padded, terminator, sizeof(terminator)) ? LB_EFORMAT : LB_OK;
}

/* A note outlives its kernel; one whose kernel is still there finds its release where it says. */
static enum lb_err check_release(const struct ram *ram, const struct vmcoreinfo *info, struct diag *diag)
{
	size_t size = strlen(info->release) + 1;
	const char *there = vmcoreinfo_bytes(ram, info, info->uts_ns + info->uts_name + UTS_RELEASE, size);

	if (!there)
		return diag_fail(diag, LB_ERANGE,
				 "vmcoreinfo: the kernel of the note at 0x%" PRIx64
				 " (%s) would lie outside RAM",
				 info->note.base, info->release);
	if (memcmp(there, info->release, size))
		return diag_fail(diag, LB_EFORMAT,
				 "vmcoreinfo: the kernel of the note at 0x%" PRIx64
				 " (%s) is not there any more",
				 info->note.base, info->release);
	return LB_OK;
}

/* What its own header says, which stays in RAM; or else what the stage gave it. */
static uint64_t measure_image(const struct ram *ram, paddr_t pa, struct region given)
{
	const void *header = ram_bytes(ram, pa, IMAGE_LINUX_HEADER);
	struct image image;

	if (header && !image_read_linux(header, IMAGE_LINUX_HEADER, &image, NULL))
		return image.mem_size;
	return pa == given.base ? align_down(given.size, PAGE_SIZE) : 0;
}

/* All @size bytes at @va are the image's own. */
static bool is_in_image(const struct vmcoreinfo *info, uint64_t va, uint64_t size)
{
	const struct region image = {info->kernel_pa, info->kernel_size};

	return va >= info->kernel_link &&
	       region_contains(image, (struct region){va - info->va_kernel_pa_offset, size});
}

static bool is_anchored(const struct ram *ram, const struct vmcoreinfo *info)
{
	const void *prb = vmcoreinfo_bytes(ram, info, info->prb, sizeof(uint64_t));
	uint64_t ring;

	if (!prb || !range_is_valid(info->kernel_pa, info->kernel_size))
		return false;
	memcpy(&ring, prb, sizeof(ring));
	return is_in_image(info, info->uts_ns, info->uts_name + UTS_RELEASE + sizeof(info->release)) &&
	       is_in_image(info, info->prb, sizeof(ring)) &&
	       is_in_image(info, ring, info->printk.rb_text_data_ring + sizeof(ring));
}

enum lb_err vmcoreinfo_read(const struct ram *ram, paddr_t pa, const struct vmcoreinfo_home *home,
			    struct vmcoreinfo *info, struct diag *diag)
{
	struct region note;
	size_t text_size;
	enum lb_err err = measure(ram, pa, &note, &text_size);

	if (err)
		return diag_fail(diag, err, "vmcoreinfo: at 0x%" PRIx64 " there is no whole note", pa);
	err = parse((const char *)ram_bytes(ram, pa, note.size) + sizeof(struct note_header), text_size,
		    home->kernel.base, info, diag);
	if (err)
		return err;
	info->note = note;
	err = check_release(ram, info, diag);
	if (err)
		return err;
	info->kernel_size = measure_image(ram, info->kernel_pa, home->kernel);
	info->anchored = is_anchored(ram, info);
	return LB_OK;
}
