// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page-table builder, for every way in which two addresses can share tables, in all three modes; and for every two
 * ranges of a few pages around the edge of a table.
 */
#include "tests/unit/mmu.h"

#include "kexec/leave/trampoline.h"

#define POOL_PA UINT64_C(0x80000000)
#define WINDOW	4 /* pages around an edge */

static _Alignas(4096) uint64_t pool[TRAMPOLINE_POOL_PAGES + 16][PAGETABLE_ENTRIES];
static struct tables tables;

static void begin(unsigned levels, size_t pages)
{
	const struct pte_attributes none = {0, 0};

	assert_int_equal(pagetable_init(&tables.pt, levels, pool, POOL_PA, pages, none), LB_OK);
}

/* ---- The trampoline's two mappings ---- */

/* The indices that an address has on the levels below the top: first, second, last. */
static const uint64_t below_top[] = {0, 1, 511};
static const uint64_t top_va[] = {0, 255, 256, 511}, top_pa[] = {0, 1, 255};

/* The @number-th address of so many levels: its top index out of @top, and digits to base 3 below. */
static uint64_t address(unsigned levels, const uint64_t *top, unsigned tops, unsigned number)
{
	uint64_t va = top[number % tops];

	number /= tops;
	for (unsigned level = 1; level < levels; level++, number /= 3)
		va = va << 9 | below_top[number % 3];
	va <<= 12;
	return va >> (12 + 9 * levels - 1) & 1 ? va | ~UINT64_C(0) << (12 + 9 * levels) : va;
}

static unsigned power_of_3(unsigned n)
{
	return n ? 3 * power_of_3(n - 1) : 1;
}

/* Tables that two addresses take: one root, and a path each as long as they share none. */
static size_t tables_for(unsigned levels, uint64_t va, uint64_t pa)
{
	size_t count = 1;

	for (unsigned level = 1; level < levels; level++)
		count += va >> (12 + 9 * level) == pa >> (12 + 9 * level) ? 1 : 2;
	return count;
}

static void check_trampoline(unsigned levels, uint64_t va, uint64_t pa)
{
	struct range asked[] = {{va, va + 4095, pa, PTE_R | PTE_X}, {pa, pa + 4095, pa, PTE_R | PTE_X}};

	begin(levels, TRAMPOLINE_POOL_PAGES);
	assert_int_equal(trampoline_build(&tables.pt, va, pa), LB_OK);
	assert_int_equal(tables.pt.used_pages, tables_for(levels, va, pa));
	assert_maps_exactly(&tables, asked, va == pa ? 1 : 2);
	assert_access(&tables.pt, va, pa, PTE_R | PTE_X);
	assert_access(&tables.pt, pa, pa, PTE_R | PTE_X);
}

/* In Sv57 every eleventh pair, which is prime to all that is counted here: that meets every digit with every other. */
static void every_two_addresses_share_what_they_can(void **state)
{
	unsigned checked = 0;

	(void)state;
	for (unsigned levels = SV39_LEVELS; levels <= SV57_LEVELS; levels++) {
		const unsigned digits = power_of_3(levels - 1), step = levels == SV57_LEVELS ? 11 : 1;
		const unsigned vas = ARRAY_SIZE(top_va) * digits, pas = ARRAY_SIZE(top_pa) * digits;

		for (unsigned pair = 0; pair < vas * pas; pair += step, checked++)
			check_trampoline(levels, address(levels, top_va, ARRAY_SIZE(top_va), pair / pas),
					 address(levels, top_pa, ARRAY_SIZE(top_pa), pair % pas));
	}
	print_message("%u pairs of addresses\n", checked);
}

/* ---- Two ranges around an edge ---- */

struct pages {
	unsigned first, count;
};

/* What each page of the window is mapped to: 0 for nothing, else its physical page's number and permissions. */
static uint64_t window[WINDOW];

/* Map pages of the window, which begins at @va, and do so to @window; whether that can be. */
static bool map(uint64_t va, struct pages pages, uint64_t pa, uint64_t perms)
{
	bool agrees = true;

	for (unsigned i = pages.first; i < pages.first + pages.count; i++)
		agrees = agrees && (!window[i] || window[i] == (pa + i * PAGE_SIZE) + perms);
	assert_int_equal(pagetable_map(&tables.pt, va + pages.first * PAGE_SIZE, pa + pages.first * PAGE_SIZE,
				       pages.count * PAGE_SIZE, perms),
			 agrees ? LB_OK : LB_ECONFLICT);
	for (unsigned i = pages.first; agrees && i < pages.first + pages.count; i++)
		window[i] = pa + i * PAGE_SIZE + perms;
	return agrees;
}

static void check_two(unsigned levels, uint64_t va, struct pages first, struct pages second, bool other)
{
	const uint64_t pa = 0x80000000 + va % (1 << 21);

	memset(window, 0, sizeof(window));
	begin(levels, ARRAY_SIZE(pool));
	assert_true(map(va, first, pa, PTE_R | PTE_W));
	if (!map(va, second, pa + (other ? WINDOW * PAGE_SIZE : 0), PTE_R | PTE_W))
		return;
	for (unsigned i = 0; i < WINDOW; i++)
		assert_access(&tables.pt, va + i * PAGE_SIZE, align_down(window[i], PAGE_SIZE),
			      window[i] % PAGE_SIZE);
}

static void every_two_ranges_at_an_edge_agree_or_conflict(void **state)
{
	(void)state;
	for (unsigned levels = SV39_LEVELS; levels <= SV57_LEVELS; levels++) {
		for (unsigned level = 1; level < levels; level++) {
			const uint64_t va = (UINT64_C(1) << (12 + 9 * level)) - WINDOW / 2 * PAGE_SIZE;

			for (unsigned code = 0; code < WINDOW * WINDOW * WINDOW * WINDOW * 2; code++) {
				const struct pages a = {code % 4, 1 + code / 4 % 4};
				const struct pages b = {code / 16 % 4, 1 + code / 64 % 4};

				if (a.first + a.count <= WINDOW && b.first + b.count <= WINDOW)
					check_two(levels, va, a, b, code / 256);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_two_addresses_share_what_they_can),
		cmocka_unit_test(every_two_ranges_at_an_edge_agree_or_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
