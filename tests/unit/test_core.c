// SPDX-License-Identifier: BSD-2-Clause
/* Which cores differ from the standard, and in what. The figures are the makers' own, not the code's. */
#include "platform/core.h"
#include "tests/unit/mmu.h"

static const struct pte_attributes standard, maee = {.ram = UINT64_C(7) << 60, .device = UINT64_C(9) << 60};

static _Alignas(4096) uint64_t pool[POOL_MAX][PAGETABLE_ENTRIES];

static void only_t_heads_first_cores_are_asked(void **state)
{
	static const struct {
		struct core_id id;
		bool asked;
	} rows[] = {
		{{0x5b7, 0, 0}, true},					 /* C906, C910, C920v1 */
		{{0x5b7, UINT64_C(0x8000000009140d00), 0x50000}, false}, /* a successor: another marchid */
		{{0x5b7, 0, 1}, false},
		{{0x489, 0, 0}, false}, /* SiFive */
		{{0, 0, 0}, false},	/* QEMU, and firmware that does not tell */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(core_has_sxstatus(&rows[i].id), rows[i].asked);
}

static void sxstatus_tells_attributes_and_cache_operations(void **state)
{
	static const struct {
		uint64_t sxstatus, ram, device;
		bool cache_ops;
	} rows[] = {
		{0, 0, 0, false},
		{0x410000, 0, 0, true}, /* QEMU's thead-c906: THEADISAEE and UCME */
		{0x200000, UINT64_C(0x7000000000000000), UINT64_C(0x9000000000000000), false},
		{0xc0638000, UINT64_C(0x7000000000000000), UINT64_C(0x9000000000000000), true},
		{~UINT64_C(0x600000), 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core core = core_from_sxstatus(rows[i].sxstatus);

		assert_int_equal(core.attributes.ram, rows[i].ram);
		assert_int_equal(core.attributes.device, rows[i].device);
		assert_int_equal(core.thead_cache_ops, rows[i].cache_ops);
	}
}

/* The one leaf of @pt that maps @va, as its bits are. */
static uint64_t leaf_at(const struct pagetable *pt, uint64_t va)
{
	uint64_t pte = 0, a = pt->pool_pa;

	for (int i = (int)pt->levels - 1; i >= 0 && !(pte & 0xe); i--) {
		pte = read_physical(pt, a + (va >> (12 + 9 * i) & 511) * 8);
		a = pte_pa(pte);
	}
	return pte;
}

/*
 * The figures are T-Head's (C, B, SH for memory; SO, SH for devices), and what the standard wants: nothing.
 */
static void leaves_have_the_cores_attributes_and_pointers_have_none(void **state)
{
	static const struct {
		const struct pte_attributes *core;
		uint64_t ram, device;
	} rows[] = {
		{&standard, 0, 0},
		{&maee, UINT64_C(0x7000000000000000), UINT64_C(0x9000000000000000)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pagetable pt;
		uint64_t pointer, pa;

		assert_int_equal(pagetable_init(&pt, 3, pool, 0x80000000, POOL_MAX, *rows[i].core), LB_OK);
		assert_int_equal(pagetable_map(&pt, 0x40000000, 0x40000000, 0x600000, PTE_R | PTE_W), LB_OK);
		assert_int_equal(pagetable_map(&pt, 0x1000, 0x1000, 0x1000, PTE_R | PTE_X), LB_OK);
		assert_int_equal(pagetable_map(&pt, 0x2010000, 0x2010000, 0x1000, PTE_R | PTE_W | PTE_DEVICE),
				 LB_OK);
		assert_int_equal(leaf_at(&pt, 0x40400000), rows[i].ram | 0x40400000 >> 2 | 0xc7);
		assert_int_equal(leaf_at(&pt, 0x1000), rows[i].ram | 0x1000 >> 2 | 0x4b);
		assert_int_equal(leaf_at(&pt, 0x2010000), rows[i].device | 0x2010000 >> 2 | 0xc7);
		pointer = read_physical(&pt, pt.pool_pa);
		assert_int_equal(pointer & PTE_MAEE, 0);
		assert_true(translate(&pt, pagetable_satp(&pt), 0x2010200, STORE, &pa) && pa == 0x2010200);
		/* What is a device can't be memory, too, where that makes a difference. */
		assert_int_equal(pagetable_map(&pt, 0x2010000, 0x2010000, 0x1000, PTE_R | PTE_W),
				 rows[i].device ? LB_ECONFLICT : LB_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_t_heads_first_cores_are_asked),
		cmocka_unit_test(sxstatus_tells_attributes_and_cache_operations),
		cmocka_unit_test(leaves_have_the_cores_attributes_and_pointers_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
