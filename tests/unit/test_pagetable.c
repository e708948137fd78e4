// SPDX-License-Identifier: BSD-2-Clause
/* The page-table builder: what it maps, what it leaves alone, what it refuses. Read back by mmu.h. */
#include "tests/unit/mmu.h"

#define ROUNDS 600

/* Of the round that runs, for the report. */
static uint64_t last_seed;

static _Alignas(4096) uint64_t pool[POOL_MAX][PAGETABLE_ENTRIES];

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

static const struct pte_attributes standard, maee = {.ram = UINT64_C(7) << 60, .device = UINT64_C(9) << 60};

/* Tables with a pool full of garbage, for a core of either kind. */
static void begin(struct tables *t, unsigned levels, uint64_t pool_pa, uint64_t *seed)
{
	const struct pte_attributes *attributes = below(seed, 2) ? &maee : &standard;

	memset(pool, 1 + (int)below(seed, 255), sizeof(pool));
	memset(t, 0, sizeof(*t));
	assert_int_equal(pagetable_init(&t->pt, levels, pool, pool_pa, POOL_MAX, *attributes), LB_OK);
}

static uint64_t random_pool_pa(uint64_t *seed)
{
	return below(seed, (UINT64_C(1) << 56) - sizeof(pool)) >> below(seed, 24) & ~UINT64_C(4095);
}

/* A canonical page address, in either half. */
static uint64_t random_va(unsigned levels, uint64_t *seed)
{
	unsigned va_bits = 12 + 9 * levels;

	return (uint64_t)((int64_t)(next_random(seed) << (64 - va_bits)) >> (64 - va_bits)) & ~UINT64_C(4095);
}

static uint64_t random_perms(uint64_t *seed)
{
	static const uint64_t perms[] = {PTE_R, PTE_R | PTE_W, PTE_R | PTE_X};

	return perms[below(seed, 3)];
}

/* ---- Random mappings ---- */

/* Near another one, so that they touch and overlap; aligned alike, so that large leaves come up. */
static struct range random_range(unsigned levels, const struct range *others, size_t count, uint64_t *seed)
{
	unsigned shift = 12 + 9 * (unsigned)below(seed, 4);
	uint64_t size = below(seed, 2) ? (1 + below(seed, 600)) << 12 : (1 + below(seed, 5)) << shift;
	uint64_t va = random_va(levels, seed);
	uint64_t pa = below(seed, UINT64_C(1) << 56) & ~UINT64_C(4095);
	uint64_t perms = random_perms(seed);

	if (below(seed, 4)) /* va and pa alike below the largest leaf */
		pa = (pa & ~((UINT64_C(1) << 39) - 1)) | (va & ((UINT64_C(1) << 39) - 1));
	else
		size = size > 600 * 4096 ? 600 * 4096 : size;
	if (below(seed, 2)) {
		va &= ~((UINT64_C(1) << shift) - 1);
		pa &= ~((UINT64_C(1) << shift) - 1);
	}
	if (count && below(seed, 2)) { /* the same mapping, moved by a bit and cut anew */
		struct range like = others[below(seed, count)];
		uint64_t by = (below(seed, 1200) << 12) - (UINT64_C(600) << 12);

		va = like.va + by;
		pa = like.pa + by;
		perms = below(seed, 8) ? like.perms : perms;
		size = (1 + below(seed, 600)) << 12;
	}
	return (struct range){va, va + size - 1, pa, perms};
}

/* Does a page of @r already mean something else? */
static bool disagrees(struct range r, const struct range *others, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct range *o = &others[i];

		if (r.va <= o->last && o->va <= r.last &&
		    (r.perms != o->perms || r.va - r.pa != o->va - o->pa))
			return true;
	}
	return false;
}

/* Is it out of what the mode or the machine can address? By the book: bits above the top VA bit equal it. */
static bool out_of_range(unsigned levels, struct range r)
{
	int top = 12 + 9 * (int)levels - 1;
	int64_t first = (int64_t)r.va >> top, last = (int64_t)r.last >> top;

	return r.last < r.va || first != last || (first != 0 && first != -1) || r.pa >> 56 ||
	       (r.pa + (r.last - r.va)) >> 56;
}

static void random_round(uint64_t seed, unsigned levels)
{
	static struct tables t;
	struct range asked[8];
	size_t count = 0;

	last_seed = seed;
	begin(&t, levels, random_pool_pa(&seed), &seed);
	for (int i = 0; i < 8; i++) {
		struct range r = random_range(levels, asked, count, &seed);
		enum lb_err err = pagetable_map(&t.pt, r.va, r.pa, r.last - r.va + 1, r.perms);

		if (out_of_range(levels, r)) {
			assert_int_equal(err, LB_ERANGE);
			continue;
		}
		if (disagrees(r, asked, count)) {
			assert_int_equal(err, LB_ECONFLICT);
			break;
		}
		assert_int_equal(err, LB_OK);
		asked[count++] = r;
		assert_edges(&t.pt, r);
		assert_maps_exactly(&t, asked, count);
	}
	/* Whatever failed, nobody's mapping was overwritten. */
	for (size_t i = 0; i < count; i++)
		assert_edges(&t.pt, asked[i]);
	for (int i = 0; i < 20; i++) {
		struct range r = {.va = next_random(&seed)};
		uint64_t pa;

		collect(&t);
		for (size_t k = 0; k < t.range_count; k++)
			r.perms |= r.va >= t.range[k].va && r.va <= t.range[k].last;
		if (!r.perms)
			assert_false(translate(&t.pt, pagetable_satp(&t.pt), r.va, LOAD, &pa));
	}
}

static void random_mappings_read_back_exactly(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++)
		random_round(0x9a6e7ab1e + round, SV39_LEVELS + round % 3);
}

static int print_seed(void **state)
{
	(void)state;
	print_message("last seed 0x%llx\n", (unsigned long long)last_seed);
	return 0;
}

/* The largest leaves that the book and the 512 GiB cap allow, counted one by one. */
static void count_leaves(unsigned levels, uint64_t va, uint64_t pa, uint64_t size, size_t leaves[5])
{
	while (size) {
		unsigned level = levels - 1 < 3 ? levels - 1 : 3;

		while ((va | pa) % (UINT64_C(1) << (12 + 9 * level)) || size < UINT64_C(1)
											<< (12 + 9 * level))
			level--;
		leaves[level]++;
		va += UINT64_C(1) << (12 + 9 * level);
		pa += UINT64_C(1) << (12 + 9 * level);
		size -= UINT64_C(1) << (12 + 9 * level);
	}
}

static void leaves_are_as_large_as_alignment_allows(void **state)
{
	static struct tables t;
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 300; i++) {
		unsigned levels = SV39_LEVELS + (unsigned)below(&seed, 3);
		uint64_t size = (1 + below(&seed, 1 << below(&seed, 11))) << (12 + 3 * below(&seed, 7));
		uint64_t va =
			below(&seed, UINT64_C(1) << 37) & ~((UINT64_C(1) << (12 + below(&seed, 24))) - 1);
		uint64_t pa = va + (below(&seed, 2) << (12 + 9 * (1 + below(&seed, 3))));
		size_t want[5] = {0};

		if (size > UINT64_C(1) << 36)
			continue;
		begin(&t, levels, random_pool_pa(&seed), &seed);
		count_leaves(levels, va, pa, size, want);
		assert_int_equal(pagetable_map(&t.pt, va, pa, size, PTE_R), LB_OK);
		collect(&t);
		assert_memory_equal(t.leaves, want, sizeof(want));
	}
}

static void leaves_of_512_gib_are_the_largest(void **state)
{
	static struct tables t;
	uint64_t seed = 6;

	(void)state;
	for (unsigned levels = SV48_LEVELS; levels <= SV57_LEVELS; levels++) {
		begin(&t, levels, 4096, &seed);
		assert_int_equal(pagetable_map(&t.pt, 0, 0, 4096 * GIB, PTE_R | PTE_W), LB_OK);
		collect(&t);
		assert_int_equal(t.leaves[3], 8);
		assert_int_equal(t.pt.used_pages, levels - 3);
	}
	begin(&t, SV57_LEVELS, 4096, &seed);
	assert_int_equal(pagetable_map(&t.pt, 0, 0, UINT64_C(1) << 48, PTE_R), LB_OK); /* no 256 TiB leaf */
	collect(&t);
	assert_int_equal(t.leaves[3], 512);
	begin(&t, SV39_LEVELS, 4096, &seed);
	assert_int_equal(pagetable_map(&t.pt, 0, 0, 256 * GIB, PTE_R), LB_OK);
	collect(&t);
	assert_int_equal(t.leaves[2], 256);
	assert_int_equal(t.pt.used_pages, 1);
}

/* ---- The trampoline ---- */

/* A page below the identity limit, and a virtual one whose path leaves its path at @level. */
static void pick_trampoline(unsigned levels, unsigned level, uint64_t *va, uint64_t *pa, uint64_t *seed)
{
	*pa = below(seed, UINT64_C(1) << (11 + 9 * levels)) & ~UINT64_C(4095);
	do {
		uint64_t mask = UINT64_C(1) << (12 + 9 * (level + 1));

		*va = *pa - *pa % mask + next_random(seed) % mask;
		*va = (uint64_t)((int64_t)(*va << (52 - 9 * levels)) >> (52 - 9 * levels)) & ~UINT64_C(4095);
	} while (((*va ^ *pa) >> (12 + 9 * level)) % 512 == 0);
}

static void assert_trampoline_works(struct tables *t, uint64_t va, uint64_t pa)
{
	struct range asked[2] = {{va, va + 4095, pa, PTE_R | PTE_X}, {pa, pa + 4095, pa, PTE_R | PTE_X}};

	assert_edges(&t->pt, asked[0]);
	assert_edges(&t->pt, asked[1]);
	assert_maps_exactly(t, asked, 2);
}

static void the_trampolines_two_mappings_may_part_at_any_level(void **state)
{
	static struct tables t;
	uint64_t seed = 0x77a;

	(void)state;
	for (int i = 0; i < 600; i++) {
		unsigned levels = SV39_LEVELS + (unsigned)i % 3;
		unsigned level = (unsigned)below(&seed, levels);
		uint64_t va, pa;

		last_seed = seed;
		begin(&t, levels, random_pool_pa(&seed), &seed);
		t.pt.pool_pages = PAGETABLE_POOL_PAGES(levels, 2);
		pick_trampoline(levels, level, &va, &pa, &seed);
		assert_int_equal(pagetable_map(&t.pt, va, pa, 4096, PTE_R | PTE_X), LB_OK);
		assert_int_equal(pagetable_map(&t.pt, pa, pa, 4096, PTE_R | PTE_X), LB_OK);
		assert_int_equal(t.pt.used_pages, levels + level);
		assert_trampoline_works(&t, va, pa);
	}
}

static void a_trampoline_at_its_own_address_needs_one_mapping(void **state)
{
	static struct tables t;
	uint64_t seed = 0x77b;

	(void)state;
	for (unsigned levels = SV39_LEVELS; levels <= SV57_LEVELS; levels++) {
		uint64_t pa = pagetable_identity_limit(levels) - 4096;

		begin(&t, levels, 0x80000000, &seed);
		assert_int_equal(pagetable_map(&t.pt, pa, pa, 4096, PTE_R | PTE_X), LB_OK);
		assert_int_equal(pagetable_map(&t.pt, pa, pa, 4096, PTE_R | PTE_X), LB_OK);
		assert_int_equal(t.pt.used_pages, levels);
		assert_trampoline_works(&t, pa, pa);
	}
}

/* Every pool from none to enough, each an allocation of its own so that ASan sees a write behind it. */
static void a_pool_that_is_too_small_is_an_error_and_never_overrun(void **state)
{
	uint64_t seed = 0x77c;

	(void)state;
	for (int i = 0; i < 60; i++) {
		unsigned levels = SV39_LEVELS + (unsigned)i % 3;
		unsigned level = (unsigned)below(&seed, levels);
		size_t need = levels + level;
		uint64_t va, pa;

		pick_trampoline(levels, level, &va, &pa, &seed);
		for (size_t pages = 0; pages <= need; pages++) {
			struct pagetable pt;
			void *small = pages ? aligned_alloc(4096, pages * 4096) : NULL;
			enum lb_err err = pagetable_init(&pt, levels, small, 0x1000, pages, standard);

			assert_int_equal(err, pages ? LB_OK : LB_ENOSPC);
			if (!err)
				err = pagetable_map(&pt, va, pa, 4096, PTE_R | PTE_X);
			if (!err)
				err = pagetable_map(&pt, pa, pa, 4096, PTE_R | PTE_X);
			assert_int_equal(err, pages < need ? LB_ENOSPC : LB_OK);
			assert_true(!pages || pt.used_pages <= pages);
			free(small);
		}
	}
}

/* ---- Conflicts ---- */

static void a_page_that_is_mapped_otherwise_is_a_conflict_and_stays(void **state)
{
	static const struct {
		uint64_t first_va, first_pa, first_size, va, pa, size, perms;
		enum lb_err want;
	} rows[] = {
		{0x5000, 0x8000, 0x1000, 0x5000, 0x8000, 0x1000, PTE_R, LB_OK},
		{0x5000, 0x8000, 0x1000, 0x5000, 0x9000, 0x1000, PTE_R, LB_ECONFLICT},
		{0x5000, 0x8000, 0x1000, 0x5000, 0x8000, 0x1000, PTE_R | PTE_W, LB_ECONFLICT},
		{0x5000, 0x8000, 0x1000, 0x4000, 0x7000, 0x3000, PTE_R, LB_OK},
		{0x5000, 0x8000, 0x1000, 0x4000, 0x6000, 0x3000, PTE_R, LB_ECONFLICT},
		{0x200000, 0x400000, 0x200000, 0x234000, 0x434000, 0x1000, PTE_R, LB_OK},
		{0x200000, 0x400000, 0x200000, 0x234000, 0x435000, 0x1000, PTE_R, LB_ECONFLICT},
		{0x200000, 0x400000, 0x200000, 0x3ff000, 0x5ff000, 0x2000, PTE_R, LB_OK},
		{0x200000, 0x400000, 0x200000, 0x3ff000, 0x1000, 0x1000, PTE_R, LB_ECONFLICT},
		{0x234000, 0x434000, 0x1000, 0x200000, 0x400000, 0x200000, PTE_R, LB_OK},
		{0x234000, 0x435000, 0x1000, 0x200000, 0x400000, 0x200000, PTE_R, LB_ECONFLICT},
		{0x40000000, 0x40000000, 0x40000000, 0x40200000, 0x40200000, 0x200000, PTE_R, LB_OK},
		{0x40000000, 0x40000000, 0x40000000, 0x40200000, 0x40400000, 0x200000, PTE_R, LB_ECONFLICT},
		{0x40200000, 0x40200000, 0x200000, 0x40000000, 0x40000000, 0x40000000, PTE_R, LB_OK},
	};
	static struct tables t;
	uint64_t seed = 9;

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(rows); i++) {
		struct range first = {rows[i / 3].first_va, rows[i / 3].first_va + rows[i / 3].first_size - 1,
				      rows[i / 3].first_pa, PTE_R};
		struct range second = {rows[i / 3].va, rows[i / 3].va + rows[i / 3].size - 1, rows[i / 3].pa,
				       rows[i / 3].perms};

		begin(&t, SV39_LEVELS + i % 3, 0x80000000, &seed);
		assert_int_equal(pagetable_map(&t.pt, first.va, first.pa, first.last - first.va + 1,
					       first.perms),
				 LB_OK);
		assert_int_equal(pagetable_map(&t.pt, second.va, second.pa, second.last - second.va + 1,
					       second.perms),
				 rows[i / 3].want);
		assert_edges(&t.pt, first);
		if (rows[i / 3].want == LB_OK)
			assert_maps_exactly(&t, (struct range[]){first, second}, 2);
	}
}

/* ---- Limits ---- */

static void only_canonical_addresses_can_be_mapped(void **state)
{
	static struct tables t;
	uint64_t seed = 10;

	(void)state;
	for (unsigned levels = SV39_LEVELS; levels <= SV57_LEVELS; levels++) {
		uint64_t low_end = UINT64_C(1) << (12 + 9 * levels - 1), high = -low_end;
		const struct {
			uint64_t va, size;
			bool canonical;
		} rows[] = {
			{0, 4096, true},
			{low_end - 4096, 4096, true},
			{low_end - 4096, 8192, false},
			{low_end, 4096, false},
			{high - 4096, 4096, false},
			{high - 4096, 8192, false},
			{high, 4096, true},
			{-UINT64_C(4096), 4096, true},
			{-UINT64_C(4096), 8192, false},
			{0, -UINT64_C(4096), false},
			{high, low_end, true},
			{0, low_end, true},
			{0, low_end + 4096, false},
		};

		assert_int_equal(pagetable_identity_limit(levels), low_end);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			enum lb_err want = rows[i].canonical ? LB_OK : LB_ERANGE;

			assert_int_equal(pagetable_is_canonical(levels, rows[i].va, rows[i].size),
					 rows[i].canonical);
			if (rows[i].canonical && rows[i].size > 8192)
				continue; /* could be mapped, but not from this pool in Sv57 */
			begin(&t, levels, 0x80000000, &seed);
			assert_int_equal(pagetable_map(&t.pt, rows[i].va, 0x1000, rows[i].size, PTE_R), want);
		}
	}
}

static void only_physical_addresses_below_2_to_56_can_be_mapped(void **state)
{
	static struct tables t;
	uint64_t seed = 11, end = UINT64_C(1) << 56;

	(void)state;
	begin(&t, SV39_LEVELS, end - sizeof(pool), &seed);
	assert_int_equal(pagetable_map(&t.pt, 0, end, 4096, PTE_R), LB_ERANGE);
	assert_int_equal(pagetable_map(&t.pt, 0, end - 4096, 8192, PTE_R), LB_ERANGE);
	assert_int_equal(pagetable_map(&t.pt, 0, -UINT64_C(4096), 4096, PTE_R), LB_ERANGE);
	assert_int_equal(pagetable_map(&t.pt, 0, end - 4096, 4096, PTE_R), LB_OK);
	assert_edges(&t.pt, (struct range){0, 4095, end - 4096, PTE_R});
}

static void calls_that_break_the_contract_are_refused(void **state)
{
	static struct tables t;
	struct pagetable pt;
	uint64_t seed = 12;

	(void)state;
	assert_int_equal(pagetable_init(&pt, 2, pool, 0, POOL_MAX, standard), LB_EINVAL);
	assert_int_equal(pagetable_init(&pt, 6, pool, 0, POOL_MAX, standard), LB_EINVAL);
	assert_int_equal(pagetable_init(&pt, 3, pool, 0x800, POOL_MAX, standard), LB_EINVAL);
	assert_int_equal(pagetable_init(&pt, 3, (char *)pool + 2048, 0x1000, POOL_MAX - 1, standard),
			 LB_EINVAL);
	assert_int_equal(pagetable_init(&pt, 3, pool, 0, 0, standard), LB_ENOSPC);
	begin(&t, SV39_LEVELS, 0, &seed);
	assert_int_equal(pagetable_map(&t.pt, 0x800, 0, 4096, PTE_R), LB_EINVAL);
	assert_int_equal(pagetable_map(&t.pt, 0, 0x800, 4096, PTE_R), LB_EINVAL);
	assert_int_equal(pagetable_map(&t.pt, 0, 0, 4095, PTE_R), LB_EINVAL);
	assert_int_equal(pagetable_map(&t.pt, 0, 0, 0, PTE_R), LB_EINVAL);
	for (uint64_t perms = 0; perms < 512; perms++) {
		bool good = perms == PTE_R || perms == (PTE_R | PTE_W) || perms == (PTE_R | PTE_X) ||
			    perms == (PTE_R | PTE_W | PTE_DEVICE);

		begin(&t, SV39_LEVELS, 0, &seed);
		assert_int_equal(pagetable_map(&t.pt, 0, 0, 4096, perms), good ? LB_OK : LB_EINVAL);
		assert_int_equal(pagetable_map(&t.pt, 0, 0, 4096, perms | UINT64_C(1) << 61), LB_EINVAL);
	}
}

static void satp_names_the_mode_and_the_root(void **state)
{
	static const char *const names[] = {"bare", "bare", "bare", "Sv39", "Sv48", "Sv57", "bare"};
	static struct tables t;
	uint64_t seed = 13;

	(void)state;
	for (unsigned levels = 0; levels < ARRAY_SIZE(names); levels++)
		assert_string_equal(pagetable_mode_name(levels), names[levels]);
	begin(&t, SV39_LEVELS, 0x80000000, &seed);
	assert_int_equal(pagetable_satp(&t.pt), UINT64_C(0x8000000000080000));
	begin(&t, SV48_LEVELS, 0x80001000, &seed);
	assert_int_equal(pagetable_satp(&t.pt), UINT64_C(0x9000000000080001));
	begin(&t, SV57_LEVELS, UINT64_C(0xff000000000000), &seed);
	assert_int_equal(pagetable_satp(&t.pt), UINT64_C(0xa0000ff000000000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(random_mappings_read_back_exactly, print_seed),
		cmocka_unit_test(leaves_are_as_large_as_alignment_allows),
		cmocka_unit_test(leaves_of_512_gib_are_the_largest),
		cmocka_unit_test_teardown(the_trampolines_two_mappings_may_part_at_any_level, print_seed),
		cmocka_unit_test(a_trampoline_at_its_own_address_needs_one_mapping),
		cmocka_unit_test(a_pool_that_is_too_small_is_an_error_and_never_overrun),
		cmocka_unit_test(a_page_that_is_mapped_otherwise_is_a_conflict_and_stays),
		cmocka_unit_test(only_canonical_addresses_can_be_mapped),
		cmocka_unit_test(only_physical_addresses_below_2_to_56_can_be_mapped),
		cmocka_unit_test(calls_that_break_the_contract_are_refused),
		cmocka_unit_test(satp_names_the_mode_and_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
