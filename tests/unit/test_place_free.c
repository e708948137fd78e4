// SPDX-License-Identifier: BSD-2-Clause
/* What is kept free beside a payload: pools, what mem= takes away. And what is not: the room of its FDT. */
#include "kexec/place/limit.h"
#include "mm/pool.h"
#include "tests/unit/place_fixture.h"

static void a_fixed_image_may_lie_where_its_fdt_is_made(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_raw(&f, FLASH, MIB, RAM + 127 * MIB);
	f.request.fdt_from = (struct region){RAM + 128 * MIB - 64 * KIB, 64 * KIB};
	assert_int_equal(memmap_take(&f.map, f.request.fdt_from.base, 64 * KIB, MEMMAP_FDT, "being made"),
			 LB_OK);
	assert_planned(&f);
	assert_string_equal(f.plan.item[0].name, "fdt"); /* before the image destroys what it is made of */
	assert_int_equal(f.plan.fdt, RAM + 127 * MIB - FDT_SIZE);
	f.request.fdt_from.size -= 1; /* another FDT than that */
	assert_fails(
		&f, LB_ECONFLICT,
		"plan: kernel at [0x87f00000..0x87ffffff] lies on the FDT (being made): link it elsewhere");
}

static void a_pool_gets_the_window_that_linux_would_choose(void **state)
{
	static const struct pool cma = {"cma", 64 * MIB, 4 * MIB, 1, {{RAM + 512 * MIB, 256 * MIB}}};
	static const struct pool rings = {"rings", 1, 1, 0, {{0, 0}}};
	static const struct pool nowhere = {"nowhere", MIB, 1, 1, {{RAM + 2 * GIB, GIB}}};
	static struct fixture f;

	(void)state;
	begin(&f, GIB);
	set_bundle(&f, RAM + 700 * MIB, 100 * MIB); /* gone by then, and so no obstacle */
	assert_int_equal(memmap_take(&f.map, RAM + 767 * MIB, MIB, MEMMAP_RESERVED, "dsp"), LB_OK);
	assert_int_equal(pool_take(&f.map, &cma, false), LB_OK);
	assert_int_equal(pool_take(&f.map, &rings, false), LB_OK);
	assert_int_equal(f.map.taken[3].range.base, RAM + 700 * MIB);
	assert_int_equal(f.map.taken[4].range.base, RAM + GIB - PAGE_SIZE);
	assert_int_equal(pool_take(&f.map, &nowhere, false), LB_ENOSPC);
	assert_int_equal(f.map.taken_count, 5);
	assert_int_equal(memmap_release(&f.map, RAM + 700 * MIB, MEMMAP_KEPT), LB_OK);
	assert_int_equal(pool_take(&f.map, &cma, true), LB_OK);
	assert_int_equal(f.map.taken[4].range.base, RAM + 636 * MIB); /* below the bundle, if that is lost */
	assert_int_equal(memmap_release(&f.map, RAM + 636 * MIB, MEMMAP_KEPT), LB_OK);
	assert_int_equal(pool_take(&f.map, &cma, false), LB_OK);
	set_linux(&f, RAM + 700 * MIB, 30 * MIB, 32 * MIB);
	f.request.in_place = true; /* but for the pool it might */
	set_initrd(&f, RAM + 740 * MIB, MIB);
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 2 * MIB);
	assert_int_equal(f.plan.fdt, RAM + GIB - PAGE_SIZE - FDT_SIZE);
	assert_int_equal(f.plan.initrd.base, f.plan.fdt - MIB);
}

static void mem_ends_where_so_much_ram_is(void **state)
{
	static const struct {
		const char *bootargs;
		paddr_t limit;
	} rows[] = {
		{"", UINT64_MAX},
		{"console=ttyS0 mem=", UINT64_MAX},
		{"mem=0", UINT64_MAX},
		{"mem=4095", UINT64_MAX}, /* whole pages */
		{"mem=8191", RAM + PAGE_SIZE},
		{"mem=64M", RAM + 64 * MIB},
		{"  mem=0x4000000 x", RAM + 64 * MIB},
		{"mem=65536k", RAM + 64 * MIB},
		{"mem=128M", RAM + 128 * MIB},
		{"mem=129M", RAM + GIB + MIB}, /* in the second bank */
		{"mem=1T", UINT64_MAX},
		{"mem=99999999E", UINT64_MAX},
		{"mem=96M mem=64M mem=100M", RAM + 64 * MIB},
		{"xmem=64M memory=64M mem", UINT64_MAX},
		{"quiet -- mem=64M", UINT64_MAX}, /* init's */
		{"--quiet mem=64M", RAM + 64 * MIB},
		{"mem=64M -- mem=32M", RAM + 64 * MIB},
	};
	static struct region_set ram;

	(void)state;
	region_set_clear(&ram);
	assert_int_equal(region_set_add(&ram, RAM, 128 * MIB), LB_OK);
	assert_int_equal(region_set_add(&ram, RAM + GIB, 128 * MIB), LB_OK);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (place_limit(rows[i].bootargs, &ram) != rows[i].limit)
			fail_msg("'%s': %#llx", rows[i].bootargs,
				 (unsigned long long)place_limit(rows[i].bootargs, &ram));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixed_image_may_lie_where_its_fdt_is_made),
		cmocka_unit_test(a_pool_gets_the_window_that_linux_would_choose),
		cmocka_unit_test(mem_ends_where_so_much_ram_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
