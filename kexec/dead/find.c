// SPDX-License-Identifier: BSD-2-Clause
/* Looks through a dead kernel's RAM for its VMCOREINFO note, and ranks those that it finds. */
#include "kexec/dead/find.h"

#include "kexec/dead/printk.h"

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

/* The first page of [@page, @end) worth a look: a load and three more instructions for each that is not. */
__attribute__((noinline)) static const char *skip_pages(const char *page, const char *end)
{
	while (page != end && !vmcoreinfo_may_be_note(page))
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
			scan(&search, region_pages_inside(region_intersection(where->region[i],
									      ram->readable->region[j])));
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
