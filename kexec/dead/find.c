// SPDX-License-Identifier: BSD-2-Clause
/* Looks through a dead kernel's RAM for its VMCOREINFO note, and ranks those that it finds. */
#include "kexec/dead/find.h"

#include "kexec/dead/printk.h"

/* Where Linux begins its linear map: Sv57, Sv48, Sv39, and Sv39 before 6.5. */
static const uint64_t page_offsets[] = {UINT64_C(0xff60000000000000), UINT64_C(0xffffaf8000000000),
					UINT64_C(0xffffffd600000000), UINT64_C(0xffffffd800000000)};

/* Why one of several notes is the dead kernel's; compared from the top down. */
struct rank {
	uint8_t group; /* 2: anchored; 1: not anchored; 0: left by kexec -e */
	bool not_orderly, readable_log, at_home;
	uint64_t crash_time, last_words;
};

struct search {
	const struct ram *ram;
	const struct vmcoreinfo_home *home;
	size_t seen;
	bool found;
	struct rank rank;	 /* of the best so far */
	struct vmcoreinfo *info; /* the best so far */
	struct diag why;	 /* the last one was no good */
};

static void take_timestamp(const struct printk_record *record, void *context)
{
	*(uint64_t *)context = record->ts_nsec;
}

static struct rank rank_of(const struct search *search, const struct vmcoreinfo *info)
{
	struct rank rank = {
		.group = info->anchored ? 2 : 1,
		.not_orderly = true,
		.at_home = info->kernel_pa == search->home->kernel.base,
		.crash_time = info->crash_time,
	};
	struct printk_told told;
	struct printk_ring ring;

	rank.readable_log = printk_open(search->ram, info, &ring, NULL) == LB_OK;
	if (rank.readable_log) {
		printk_visit_last(&ring, 1, take_timestamp, &rank.last_words);
		told = printk_ending(&ring);
		rank.not_orderly = !printk_ending_is_orderly(told.ending);
		if (told.ending == PRINTK_ENDING_KEXEC)
			rank.group = 0;
	}
	return rank;
}

static bool ranks_higher(const struct rank *a, const struct rank *b)
{
	if (a->group != b->group)
		return a->group > b->group;
	if (a->not_orderly != b->not_orderly)
		return a->not_orderly;
	if (a->readable_log != b->readable_log)
		return a->readable_log;
	if (a->at_home != b->at_home)
		return a->at_home;
	if (a->crash_time != b->crash_time)
		return a->crash_time > b->crash_time;
	return a->last_words > b->last_words;
}

/* Does the image at home hold @word as its pointer to a note? If so, that note is the best so far. */
static bool take_if_named(struct search *search, uint64_t word)
{
	const paddr_t bases[] = {align_down(search->home->ram_base, 2 * MIB), search->home->kernel.base};

	for (size_t i = 0; i < ARRAY_SIZE(page_offsets) * ARRAY_SIZE(bases); i++) {
		const paddr_t pa = word - page_offsets[i / 2] + bases[i % 2];
		const void *page = ram_bytes(search->ram, pa, PAGE_SIZE);
		struct vmcoreinfo *info = search->info;
		paddr_t there;

		if (!page || !vmcoreinfo_is_note(page) ||
		    vmcoreinfo_read(search->ram, pa, search->home, info, &search->why) || !info->anchored ||
		    info->kernel_pa != search->home->kernel.base)
			continue;
		/* (A note without riscv lines does not tell its linear map.) */
		if (info->page_offset && (vmcoreinfo_translate(info, word, &there) || there != pa))
			continue;
		search->rank = rank_of(search, info);
		search->found = true;
		search->seen = 1;
		return true;
	}
	return false;
}

/* From the end downwards: the pointers are in .bss, and behind all that the kernel gives away (.init). */
__attribute__((noinline)) static const uint64_t *skip_words(const uint64_t *word, const uint64_t *begin)
{
	while (word != begin && (word[-1] % PAGE_SIZE || word[-1] < page_offsets[0]))
		word--;
	return word;
}

static void ask_image(struct search *search)
{
	const struct region image = search->home->kernel;
	const uint64_t *begin = ram_bytes(search->ram, image.base, align_down(image.size, PAGE_SIZE));
	const uint64_t *word = begin ? begin + align_down(image.size, PAGE_SIZE) / sizeof(*word) : NULL;

	while ((word = skip_words(word, begin)) != begin) {
		if (take_if_named(search, *--word))
			break;
	}
}

/* Weigh the note at @pa against the best so far. */
static void weigh(struct search *search, paddr_t pa)
{
	struct vmcoreinfo info;
	struct rank rank;

	search->seen++;
	if (vmcoreinfo_read(search->ram, pa, search->home, &info, &search->why))
		return;
	rank = rank_of(search, &info);
	if (search->found && !ranks_higher(&rank, &search->rank))
		return;
	search->found = true;
	search->rank = rank;
	*search->info = info;
}

/* Weigh every note in @pages, all of them readable. */
static void scan(struct search *search, struct region pages)
{
	const char *page = (const char *)(uintptr_t)(pages.base + search->ram->offset);
	const char *end = page + pages.size;

	while ((page = vmcoreinfo_next_note(page, end)) != end) {
		if (search->seen < VMCOREINFO_CANDIDATES_MAX)
			weigh(search, (paddr_t)(uintptr_t)page - search->ram->offset);
		page += PAGE_SIZE;
	}
}

static void search_all(struct search *search, const struct region_set *where)
{
	const struct region_set *readable = search->ram->readable;

	for (size_t i = 0; i < where->count; i++) {
		for (size_t j = 0; j < readable->count; j++)
			scan(search,
			     region_pages_inside(region_intersection(where->region[i], readable->region[j])));
	}
	if (search->seen == VMCOREINFO_CANDIDATES_MAX)
		search->info->anchored = false;
}

enum lb_err vmcoreinfo_find(const struct ram *ram, const struct region_set *where,
			    const struct vmcoreinfo_home *home, struct vmcoreinfo *info, size_t *candidates,
			    struct diag *diag)
{
	struct search search = {.ram = ram, .home = home, .info = info};

	ask_image(&search);
	if (!search.found || !search.rank.group)
		search_all(&search, where);
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
