// SPDX-License-Identifier: BSD-2-Clause
/* Finds the VMCOREINFO note of a dead kernel in its RAM, and makes sure that it is that kernel's. */
#include "kexec/dead/note.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/dead/note_text.h"
#include "kexec/dead/printk.h"

#define NOTE_NAME	"VMCOREINFO"
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

/* What makes one of several notes the dead kernel's; compared from the top down. */
struct rank {
	bool readable_log, no_successor, at_kernel_pa;
	uint64_t crash_time, last_words;
};

struct search {
	const struct ram *ram;
	paddr_t kernel_pa;
	size_t seen;
	bool found;
	struct rank rank;	 /* of the best so far */
	struct vmcoreinfo *info; /* the best so far */
	struct diag why;	 /* the last one was no good */
};

/* The test that nearly every page fails: inlined into the scan. */
static inline bool may_be_note(const void *page)
{
	return *(const uint32_t *)page == sizeof(NOTE_NAME);
}

bool vmcoreinfo_is_note(const void *page)
{
	struct note_header header;

	if (!may_be_note(page))
		return false;
	memcpy(&header, page, sizeof(header));
	return header.text_size && header.text_size <= NOTE_TEXT_MAX && header.type == 0 &&
	       memcmp(header.name, NOTE_NAME, sizeof(NOTE_NAME)) == 0;
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

enum lb_err vmcoreinfo_read(const struct ram *ram, paddr_t pa, paddr_t kernel_pa, struct vmcoreinfo *info,
			    struct diag *diag)
{
	struct region note;
	size_t text_size;
	enum lb_err err = measure(ram, pa, &note, &text_size);

	if (err)
		return diag_fail(diag, err, "vmcoreinfo: at 0x%" PRIx64 " there is no whole note", pa);
	err = vmcoreinfo_parse((const char *)ram_bytes(ram, pa, note.size) + sizeof(struct note_header),
			       text_size, kernel_pa, info, diag);
	if (err)
		return err;
	info->note = note;
	return check_release(ram, info, diag);
}

static void take_timestamp(const struct printk_record *record, void *context)
{
	*(uint64_t *)context = record->ts_nsec;
}

static struct rank rank_of(const struct search *search, const struct vmcoreinfo *info)
{
	struct rank rank = {
		.at_kernel_pa = info->kernel_pa == search->kernel_pa,
		.crash_time = info->crash_time,
	};
	struct printk_ring ring;

	rank.readable_log = printk_open(search->ram, info, &ring, NULL) == LB_OK;
	if (rank.readable_log) {
		printk_visit_last(&ring, 1, take_timestamp, &rank.last_words);
		rank.no_successor = printk_ending(&ring, NULL, 0) != PRINTK_ENDING_KEXEC;
	}
	return rank;
}

static bool ranks_higher(const struct rank *a, const struct rank *b)
{
	if (a->readable_log != b->readable_log)
		return a->readable_log;
	if (a->no_successor != b->no_successor)
		return a->no_successor;
	if (a->at_kernel_pa != b->at_kernel_pa)
		return a->at_kernel_pa;
	if (a->crash_time != b->crash_time)
		return a->crash_time > b->crash_time;
	return a->last_words > b->last_words;
}

/* Weigh the note at @pa against the best so far. */
static void weigh(struct search *search, paddr_t pa)
{
	struct vmcoreinfo info;
	struct rank rank;

	search->seen++;
	if (vmcoreinfo_read(search->ram, pa, search->kernel_pa, &info, &search->why))
		return;
	rank = rank_of(search, &info);
	if (search->found && !ranks_higher(&rank, &search->rank))
		return;
	search->found = true;
	search->rank = rank;
	*search->info = info;
}

/* The whole pages that are in @a and in @b. */
static struct region common_pages(struct region a, struct region b)
{
	paddr_t base = a.base > b.base ? a.base : b.base;
	paddr_t end = region_end(a) < region_end(b) ? region_end(a) : region_end(b);

	end = align_down(end, PAGE_SIZE);
	if (!align_up(base, PAGE_SIZE, &base) || base >= end)
		return (struct region){0, 0};
	return (struct region){base, end - base};
}

/* The first page of [@page, @end) worth a look: a load and three more instructions for each that is not. */
__attribute__((noinline)) static const char *skip_pages(const char *page, const char *end)
{
	while (page != end && !may_be_note(page))
		page += PAGE_SIZE;
	return page;
}

/* Weigh every note in @pages, all of them readable. */
static void scan(struct search *search, struct region pages)
{
	const char *page = (const char *)(uintptr_t)(pages.base + search->ram->offset);
	const char *end = page + pages.size;

	while ((page = skip_pages(page, end)) != end) {
		if (vmcoreinfo_is_note(page) && search->seen < VMCOREINFO_CANDIDATES_MAX)
			weigh(search, (paddr_t)(uintptr_t)page - search->ram->offset);
		page += PAGE_SIZE;
	}
}

enum lb_err vmcoreinfo_find(const struct ram *ram, const struct region_set *where, paddr_t kernel_pa,
			    struct vmcoreinfo *info, size_t *candidates, struct diag *diag)
{
	struct search search = {.ram = ram, .kernel_pa = kernel_pa, .info = info};

	for (size_t i = 0; i < where->count; i++) {
		for (size_t j = 0; j < ram->readable->count; j++)
			scan(&search, common_pages(where->region[i], ram->readable->region[j]));
	}
	if (candidates)
		*candidates = search.seen;
	if (search.found)
		return LB_OK;
	if (!search.seen)
		return diag_fail(
			diag, LB_ENOENT,
			"vmcoreinfo: no note in RAM (no Linux ran, or one without CONFIG_VMCORE_INFO)");
	return diag_fail(diag, LB_ENOENT, "none of %zu notes is good; the last: %s", search.seen,
			 search.why.text);
}
