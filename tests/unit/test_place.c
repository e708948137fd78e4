// SPDX-License-Identifier: BSD-2-Clause
/* The plan, case by case: what a person would set up, what the plan says, and what it tells the person. */
#include "tests/unit/place_bytes.h"
#include "tests/unit/place_fixture.h"

/* ---- The ordinary ---- */

static void linux_goes_lowest_the_fdt_highest_and_the_initrd_below_it(void **state)
{
	static struct fixture f;
	paddr_t top = RAM + GIB;

	(void)state;
	begin(&f, GIB);
	set_bundle(&f, RAM + 256 * MIB + 0x100, 64 * MIB);
	set_linux(&f, RAM + 256 * MIB + 0x1100, 31165952, 32 * MIB);
	set_initrd(&f, RAM + 300 * MIB + 0x10, 5000001);
	assert_planned(&f);
	assert_int_equal(f.plan.count, 3);
	assert_string_equal(f.plan.item[0].name, "fdt");
	assert_string_equal(f.plan.item[1].name, "initrd");
	assert_string_equal(f.plan.item[2].name, "kernel");
	assert_int_equal(item(&f, "kernel", 0)->dest, RAM + 2 * MIB);
	assert_int_equal(item(&f, "kernel", 0)->source, RAM + 256 * MIB + 0x1100);
	assert_int_equal(item(&f, "kernel", 0)->mem_size, 32 * MIB);
	assert_false(item(&f, "kernel", 0)->zero_fill);
	assert_int_equal(f.plan.entry, RAM + 2 * MIB);
	assert_int_equal(f.plan.fdt, top - FDT_SIZE);
	assert_int_equal(item(&f, "fdt", 0)->file_size, 0);
	assert_int_equal(f.plan.initrd.base, top - FDT_SIZE - 5001216);
	assert_int_equal(f.plan.initrd.size, 5000001);
	assert_int_equal(item(&f, "initrd", 0)->mem_size, 5001216);
	assert_int_equal(bytes_to_copy(&f.plan), 31165952 + 5000001);
}

static void without_an_initrd_the_plan_has_none(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_linux(&f, FLASH, MIB, 2 * MIB);
	set_initrd(&f, 12345, 0);
	assert_planned(&f);
	assert_int_equal(f.plan.count, 2);
	assert_int_equal(f.plan.initrd.size, 0);
}

static void the_fdt_stays_below_4_gib_if_there_is_room(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 8 * GIB);
	set_linux(&f, FLASH, MIB, 2 * MIB);
	set_initrd(&f, FLASH + 16 * MIB, 3 * GIB);
	assert_planned(&f);
	assert_int_equal(f.plan.fdt, 4 * GIB - FDT_SIZE);
	assert_int_equal(f.plan.initrd.base, RAM + 8 * GIB - 3 * GIB); /* no room below the FDT */
}

static void without_ram_below_4_gib_the_fdt_goes_highest(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 512 * KIB);
	assert_int_equal(memmap_add_ram(&f.map, UINT64_C(0x100000000000), 16 * GIB), LB_OK);
	set_linux(&f, FLASH, MIB, 2 * MIB);
	assert_planned(&f);
	assert_int_equal(f.plan.fdt, UINT64_C(0x100000000000) + 16 * GIB - FDT_SIZE);
	assert_int_equal(f.plan.entry, UINT64_C(0x100000000000));
}

static void nothing_is_placed_at_or_above_the_limit(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, GIB);
	set_linux(&f, FLASH, MIB, 2 * MIB);
	f.request.limit = RAM + 64 * MIB + 100;
	assert_planned(&f);
	assert_int_equal(f.plan.fdt, RAM + 64 * MIB - FDT_SIZE);
}

/* ---- What stays ---- */

static void a_kernel_that_lies_right_stays_only_when_asked(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, GIB);
	set_bundle(&f, RAM + 64 * MIB - 0x1000, 40 * MIB);
	set_linux(&f, RAM + 64 * MIB, 30 * MIB, 32 * MIB);
	f.request.in_place = true;
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 64 * MIB);
	assert_int_equal(bytes_to_copy(&f.plan), 0);
	f.request.in_place = false;
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 2 * MIB);
	assert_int_equal(bytes_to_copy(&f.plan), 30 * MIB);
}

static void a_kernel_that_does_not_lie_right_moves(void **state)
{
	static const struct region reserved[] = {{RAM + 95 * MIB, 1}, {RAM + 96 * MIB, 1}};
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < 3; i++) { /* taken under its bss; taken right behind it; not aligned */
		begin(&f, GIB);
		if (i < 2)
			assert_int_equal(memmap_take(&f.map, reserved[i].base, 1, MEMMAP_RESERVED, "r"),
					 LB_OK);
		set_bundle(&f, RAM + 64 * MIB - 0x1000, 31 * MIB);
		set_linux(&f, RAM + 64 * MIB + (i == 2 ? 4096 : 0), 30 * MIB, 32 * MIB);
		f.request.in_place = true;
		assert_planned(&f);
		assert_int_equal(f.plan.entry, i == 1 ? RAM + 64 * MIB : RAM + 2 * MIB);
	}
}

static void a_kernel_in_place_whose_bss_covers_the_ramdisk_stays_and_the_ramdisk_moves_first(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, GIB);
	set_bundle(&f, RAM + 64 * MIB - 0x1000, 40 * MIB);
	set_linux(&f, RAM + 64 * MIB, 30 * MIB, 34 * MIB);
	set_initrd(&f, RAM + 94 * MIB, 6 * MIB);
	f.request.in_place = true;
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 64 * MIB);
	assert_int_equal(f.plan.initrd.base, RAM + GIB - FDT_SIZE - 6 * MIB);
	assert_true(item(&f, "initrd", 0) < item(&f, "kernel", 0));
	assert_int_equal(bytes_to_copy(&f.plan), 6 * MIB);
}

static void a_kernel_in_place_that_starves_the_ramdisk_moves_after_all(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 34 * MIB); /* bundle 12..30 MiB; free are 0.5..12 and 30..34 */
	set_bundle(&f, RAM + 12 * MIB, 18 * MIB);
	set_linux(&f, RAM + 12 * MIB, 6 * MIB, 8 * MIB);
	set_initrd(&f, RAM + 18 * MIB, 12 * MIB);
	f.request.in_place = true;
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 2 * MIB);
	assert_int_equal(f.plan.initrd.base, RAM + 18 * MIB);
}

static void an_initrd_stays_if_it_lies_on_a_page_boundary(void **state)
{
	static struct fixture f;

	(void)state;
	for (paddr_t shift = 0; shift <= 2048; shift += 2048) {
		begin(&f, GIB);
		set_bundle(&f, RAM + 64 * MIB, 40 * MIB);
		set_linux(&f, RAM + 65 * MIB, MIB, 2 * MIB);
		set_initrd(&f, RAM + 70 * MIB + shift, MIB + 5);
		assert_planned(&f);
		assert_int_equal(f.plan.initrd.base == RAM + 70 * MIB, shift == 0);
		assert_int_equal(f.plan.initrd.size, MIB + 5);
		assert_int_equal(item(&f, "initrd", 0)->mem_size, MIB + 4096);
		assert_int_equal(bytes_to_copy(&f.plan), shift ? 2 * MIB + 5 : MIB);
	}
}

static void an_initrd_whose_last_page_is_not_its_own_moves(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, GIB);
	set_bundle(&f, RAM + 64 * MIB, 6 * MIB + MIB + 5);
	assert_int_equal(memmap_take(&f.map, RAM + 71 * MIB + 4000, 8, MEMMAP_RESERVED, "r"), LB_OK);
	set_linux(&f, RAM + 65 * MIB, MIB, 2 * MIB);
	set_initrd(&f, RAM + 70 * MIB, MIB + 5);
	assert_planned(&f);
	assert_int_equal(f.plan.initrd.base, RAM + GIB - FDT_SIZE - MIB - 4096);
}

/* ---- Fixed addresses ---- */

static void a_fixed_image_may_overlap_its_own_source_and_the_bundle_around_it(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_bundle(&f, RAM + 2 * MIB + 0x40000, MIB); /* appended to a stage that has moved away */
	set_raw(&f, RAM + 2 * MIB + 0x41000, 700000, RAM + 2 * MIB);
	assert_planned(&f);
	assert_int_equal(item(&f, "kernel", 0)->dest, RAM + 2 * MIB);
	assert_int_equal(f.plan.entry, RAM + 2 * MIB);
	f.request.bundle.size = 0; /* a bundle that must last */
	assert_fails(&f, LB_ECONFLICT,
		     "plan: kernel at [0x80200000..0x802aae5f] lies on the bundle (fit): link it elsewhere");
}

static void an_initrd_under_a_fixed_image_moves_first(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_bundle(&f, RAM + 4 * MIB, 8 * MIB);
	set_raw(&f, RAM + 4 * MIB, MIB, RAM + 6 * MIB);
	set_initrd(&f, RAM + 7 * MIB - 4096, MIB);
	assert_planned(&f);
	assert_true(f.plan.initrd.base > RAM + 12 * MIB);
	assert_true(item(&f, "initrd", 0) < item(&f, "kernel", 0));
}

static void segments_that_move_up_over_each_other_go_last_one_first(void **state)
{
	const paddr_t up[] = {RAM + 5 * MIB, RAM + 6 * MIB, RAM + 7 * MIB};
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_bundle(&f, RAM + 4 * MIB, 3 * MIB);
	set_elf(&f, RAM + 4 * MIB, MIB, up, 3);
	assert_planned(&f);
	assert_int_equal(item(&f, "segment", 0)->dest, up[2]);
	assert_int_equal(item(&f, "segment", 1)->dest, up[1]);
	assert_int_equal(item(&f, "segment", 2)->dest, up[0]);
}

static void segments_that_need_each_others_place_are_refused(void **state)
{
	const paddr_t swapped[] = {RAM + 5 * MIB - 0x1000, RAM + 5 * MIB + 0x1000};
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_bundle(&f, RAM + 4 * MIB, 3 * MIB);
	set_elf(&f, RAM + 4 * MIB, 0x2000, swapped, 2);
	f.request.image_pa = RAM + 5 * MIB - 0x1000;
	f.image.segment[0].offset = 0x2000;
	f.image.segment[1].offset = 0;
	assert_fails(
		&f, LB_ECONFLICT,
		"plan: the segments lie on each other's bytes in the bundle at 0x804ff000: load the bundle "
		"elsewhere");
}

static void a_fixed_address_that_is_taken_is_refused_by_name(void **state)
{
	const paddr_t on_firmware[] = {RAM};
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_elf(&f, FLASH, 256 * KIB, on_firmware, 1);
	assert_fails(&f, LB_ECONFLICT,
		     "plan: segment at [0x80000000..0x8003ffff] lies on firmware (mmode_resv0): link it "
		     "elsewhere");
	set_raw(&f, FLASH, 2, RAM + 512 * KIB - 1);
	assert_fails(
		&f, LB_ECONFLICT,
		"plan: kernel at [0x8007ffff..0x80080000] lies on firmware (mmode_resv0): link it elsewhere");
	set_raw(&f, FLASH, 2, RAM + 512 * KIB);
	assert_planned(&f);
}

/* As U-Boot, whose address is the one that firmware loads the stage to. */
static void only_a_fixed_image_that_asks_for_it_may_lie_on_lost_memory(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	assert_int_equal(memmap_take(&f.map, RAM + 2 * MIB, MIB, MEMMAP_STAGE, "as loaded"), LB_OK);
	assert_int_equal(memmap_take(&f.map, RAM + 3 * MIB, MIB, MEMMAP_LOST, "by SPL"), LB_OK);
	set_raw(&f, FLASH, 2 * MIB, RAM + 2 * MIB);
	assert_fails(
		&f, LB_ECONFLICT,
		"plan: kernel at [0x80200000..0x803fffff] lies on the stage (as loaded): link it elsewhere");
	f.request.on_lost = true;
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 2 * MIB);
	/* All else keeps off: another's memory, an initrd that could stay, a kernel that could. */
	assert_int_equal(memmap_take(&f.map, RAM + 4 * MIB - 1, 1, MEMMAP_CRASH, "region"), LB_OK);
	assert_fails(&f, LB_ECONFLICT,
		     "plan: kernel at [0x80200000..0x803fffff] lies on the crash region (region): link it "
		     "elsewhere");
	set_initrd(&f, RAM + 2 * MIB, 4096);
	set_linux(&f, RAM + 3 * MIB, 4096, 2 * MIB);
	f.request.in_place = true;
	assert_planned(&f);
	assert_true(f.plan.initrd.base >= RAM + 6 * MIB);
	assert_int_equal(f.plan.entry, RAM + 4 * MIB);
}

static void a_fixed_address_that_is_not_ram_or_out_of_reach_is_refused(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 128 * MIB);
	set_raw(&f, FLASH, 4096, RAM + 128 * MIB - 4095);
	assert_fails(&f, LB_ENOSPC,
		     "plan: kernel at [0x87fff001..0x88000000] is not all RAM: link it elsewhere");
	set_raw(&f, FLASH, 4096, RAM + 128 * MIB - 4096);
	assert_planned(&f);
	f.request.limit = RAM + 128 * MIB - 1;
	assert_fails(&f, LB_ENOSPC,
		     "plan: kernel at [0x87fff000..0x87ffffff] is out of the stage's reach: link it below "
		     "0x87ffffff");
}

/* ---- No room ---- */

static void a_payload_bigger_than_ram_is_refused_with_the_sizes(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 15 * MIB);
	set_linux(&f, FLASH, 30 * MIB, 32 * MIB);
	assert_fails(
		&f, LB_ENOSPC,
		"plan: kernel needs 32 MiB in one piece at a 2 MiB boundary; the largest free piece like "
		"that is 13 MiB: give the machine more RAM or a smaller kernel");
	set_linux(&f, FLASH, MIB, UINT64_MAX);
	assert_fails(
		&f, LB_ENOSPC,
		"plan: kernel needs 17592186044416 MiB in one piece at a 2 MiB boundary; the largest free "
		"piece like that is 13 MiB: give the machine more RAM or a smaller kernel");
}

static void an_initrd_without_room_is_named(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 64 * MIB);
	set_linux(&f, FLASH, 30 * MIB, 32 * MIB);
	set_initrd(&f, FLASH + 128 * MIB, 40 * MIB + 1);
	assert_fails(
		&f, LB_ENOSPC,
		"plan: initrd needs 41 MiB in one piece at a 4 KiB boundary; the largest free piece like "
		"that is 29 MiB: give the machine more RAM or a smaller initrd");
	set_initrd(&f, UINT64_MAX - 5, 5);
	f.request.fdt_size = 40 * MIB;
	assert_fails(&f, LB_ENOSPC,
		     "plan: fdt needs 40 MiB in one piece at a 4 KiB boundary; the largest free piece like "
		     "that is 30 MiB: give the machine more RAM or a smaller fdt");
}

static void a_kernel_leaves_its_lowest_place_to_an_initrd_that_fits_only_there(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 42 * MIB); /* 2..42 */
	assert_int_equal(memmap_add_ram(&f.map, RAM + 64 * MIB, 34 * MIB), LB_OK);
	set_linux(&f, FLASH, 30 * MIB, 32 * MIB);
	set_initrd(&f, FLASH + 128 * MIB, 38 * MIB);
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 64 * MIB);
	assert_int_equal(f.plan.initrd.base, RAM + 42 * MIB - 38 * MIB);
	assert_int_equal(f.plan.fdt, RAM + 98 * MIB - FDT_SIZE);
}

/* A hole from page 1 to 16: only with both 5-page items below it does the image leave no gap too small. */
static void an_image_goes_as_high_as_both_others_below_it_need(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, 64 * KIB);
	f.map.taken_count = 0;
	region_set_clear(&f.map.free);
	assert_int_equal(region_set_add(&f.map.free, RAM + 4 * KIB, 60 * KIB), LB_OK);
	set_linux(&f, FLASH, 100, 16 * KIB);
	f.image.align = 16 * KIB;
	f.request.fdt_size = 20 * KIB;
	set_initrd(&f, FLASH + MIB, 20 * KIB);
	assert_planned(&f);
	assert_int_equal(f.plan.entry, RAM + 48 * KIB);
	assert_int_equal(f.plan.fdt, RAM + 28 * KIB);
	assert_int_equal(f.plan.initrd.base, RAM + 8 * KIB);
}

static void exactly_enough_ram_is_enough_and_a_page_less_is_not(void **state)
{
	static struct fixture f;

	(void)state;
	for (uint64_t lacking = 0; lacking <= 4096; lacking += 4096) {
		begin(&f, 2 * MIB + 32 * MIB + 3 * MIB + FDT_SIZE - lacking);
		assert_int_equal(memmap_take(&f.map, RAM, 2 * MIB, MEMMAP_RESERVED, "r"), LB_OK);
		set_linux(&f, FLASH, 30 * MIB, 32 * MIB);
		set_initrd(&f, FLASH + 128 * MIB, 3 * MIB - 4095);
		assert_int_equal(plan(&f), lacking ? LB_ENOSPC : LB_OK);
	}
}

static void free_memory_in_too_many_pieces_is_refused(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, MIB);
	for (size_t i = 0; i < REGION_SET_MAX - 1; i++)
		assert_int_equal(memmap_add_ram(&f.map, RAM + (i + 1) * 4 * MIB, 3 * MIB), LB_OK);
	set_linux(&f, RAM + 9 * MIB, 4096, 2 * MIB); /* its bytes split one piece more */
	assert_fails(&f, LB_ENOSPC, "plan: free memory is in more than 128 pieces: merge reservations");
}

static void a_request_that_breaks_the_contract_is_refused(void **state)
{
	static struct fixture f;
	const struct {
		uint64_t *field, value;
	} breaks[] = {
		{&f.image.segment_count, 0},
		{&f.image.segment_count, IMAGE_SEGMENT_MAX + 1},
		{&f.image.segment_count, 2}, /* the second lies on the first */
		{&f.image.align, 3 * MIB},
		{&f.image.mem_size, 0},
		{&f.image.mem_size, 2 * MIB - 1},
		{&f.image.entry, 2 * MIB},
		{&f.image.segment[0].file_size, 2 * MIB + 1},
		{&f.image.segment[0].offset, 1},
		{&f.image.segment[0].address, 1},
		{&f.request.fdt_size, 0},
		{&f.request.image_pa, UINT64_MAX},
		{&f.request.initrd.base, UINT64_MAX},
		{&f.request.bundle.base, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		begin(&f, 128 * MIB);
		set_linux(&f, FLASH, MIB, 2 * MIB);
		set_initrd(&f, FLASH + 128 * MIB, 4096);
		f.request.bundle = (struct region){FLASH, 256 * MIB};
		assert_planned(&f);
		*breaks[i].field = breaks[i].value;
		assert_fails(&f, LB_EINVAL, "plan: the request breaks place.h's contract: report this bug");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_goes_lowest_the_fdt_highest_and_the_initrd_below_it),
		cmocka_unit_test(without_an_initrd_the_plan_has_none),
		cmocka_unit_test(the_fdt_stays_below_4_gib_if_there_is_room),
		cmocka_unit_test(without_ram_below_4_gib_the_fdt_goes_highest),
		cmocka_unit_test(nothing_is_placed_at_or_above_the_limit),
		cmocka_unit_test(a_kernel_that_lies_right_stays_only_when_asked),
		cmocka_unit_test(a_kernel_that_does_not_lie_right_moves),
		cmocka_unit_test(
			a_kernel_in_place_whose_bss_covers_the_ramdisk_stays_and_the_ramdisk_moves_first),
		cmocka_unit_test(a_kernel_in_place_that_starves_the_ramdisk_moves_after_all),
		cmocka_unit_test(an_initrd_stays_if_it_lies_on_a_page_boundary),
		cmocka_unit_test(an_initrd_whose_last_page_is_not_its_own_moves),
		cmocka_unit_test(a_fixed_image_may_overlap_its_own_source_and_the_bundle_around_it),
		cmocka_unit_test(an_initrd_under_a_fixed_image_moves_first),
		cmocka_unit_test(segments_that_move_up_over_each_other_go_last_one_first),
		cmocka_unit_test(segments_that_need_each_others_place_are_refused),
		cmocka_unit_test(a_fixed_address_that_is_taken_is_refused_by_name),
		cmocka_unit_test(only_a_fixed_image_that_asks_for_it_may_lie_on_lost_memory),
		cmocka_unit_test(a_fixed_address_that_is_not_ram_or_out_of_reach_is_refused),
		cmocka_unit_test(a_payload_bigger_than_ram_is_refused_with_the_sizes),
		cmocka_unit_test(an_initrd_without_room_is_named),
		cmocka_unit_test(a_kernel_leaves_its_lowest_place_to_an_initrd_that_fits_only_there),
		cmocka_unit_test(an_image_goes_as_high_as_both_others_below_it_need),
		cmocka_unit_test(exactly_enough_ram_is_enough_and_a_page_less_is_not),
		cmocka_unit_test(free_memory_in_too_many_pieces_is_refused),
		cmocka_unit_test(a_request_that_breaks_the_contract_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
