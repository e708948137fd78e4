// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a crash needs of a payload's FDT: ranges in /chosen and reserved-memory nodes, looked at with libfdt
 * alone.
 */
#include "tests/unit/fdt_blobs.h"

#include "fdt/fixup.h"
#include "fdt/read.h"

static const struct fdt_reservation reservations[] = {
	{.name = "lifeboat-crash",
	 .compatible = "lifeboat,crash-region",
	 .range = {0xafe00000, 0x10000000},
	 .no_map = true,
	 .call = {0xbfd53000, 0x23000}},
	{.name = "lifeboat-lost", .range = {0x80200000, 0x1000}},
};

static struct diag diag;

/* The payload's FDT in a block of exactly the size that it is said to need. */
static uint8_t *make(const uint8_t *blob, const struct fdt_wishes *wish, uint64_t *size)
{
	uint8_t *out;

	assert_int_equal(fdt_payload_size(blob, wish, size, &diag), LB_OK);
	assert_int_equal(*size % 8, 0);
	out = malloc(*size);
	memset(out, 0xa5, *size);
	assert_int_equal(fdt_make_payload_fdt(blob, wish, out, *size, &diag), LB_OK);
	assert_int_equal(fdt_check_full(out, *size), 0);
	*size = fdt_totalsize(out);
	return out;
}

/* Bytes behind the last block, as U-Boot sees them. */
static uint64_t slack(const uint8_t *fdt)
{
	return fdt_totalsize(fdt) -
	       (((uint64_t)fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt) + 7) & ~UINT64_C(7));
}

/* Address and size, in the cells of @node's own declaration. */
static void check_range(const uint8_t *fdt, int cells_of, int node, const char *name, struct region range)
{
	int address_cells = fdt_address_cells(fdt, cells_of), size_cells = fdt_size_cells(fdt, cells_of),
	    size;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &size);
	uint64_t number[2] = {0, 0};

	assert_non_null(cell);
	assert_int_equal(size, (address_cells + size_cells) * 4);
	for (int i = 0; i < address_cells; i++)
		number[0] = number[0] << 32 | fdt32_ld(cell++);
	for (int i = 0; i < size_cells; i++)
		number[1] = number[1] << 32 | fdt32_ld(cell++);
	assert_int_equal(number[0], range.base);
	assert_int_equal(number[1], range.size);
}

static void check_crash_kernel(const uint8_t *fdt)
{
	const struct fdt_wishes wish = {
		.bootargs = "nr_cpus=1",
		.elfcorehdr = {0xbf9fd000, 0x4000},
		.usable_memory = {0xafe00000, 0xfc00000},
	};
	uint64_t size, again_size;
	uint8_t *out = make(fdt, &wish, &size), *again = make(out, &wish, &again_size);
	int chosen = fdt_path_offset(out, "/chosen");

	assert_int_equal(size, again_size);
	assert_memory_equal(out, again, size);
	check_range(out, 0, chosen, "linux,elfcorehdr", wish.elfcorehdr);
	check_range(out, 0, chosen, "linux,usable-memory-range", wish.usable_memory);
	assert_int_equal(fdt_node_offset_by_compatible(out, -1, FDT_CRASH_REGION), -FDT_ERR_NOTFOUND);
	assert_int_equal(slack(out), FDT_SLACK);
	free(out);
	free(again);
}

/* Names of what is in /reserved-memory begin with what is to become of it. */
static void only_what_a_crash_kernel_must_know_of_memory_stays(void **state)
{
	const struct fdt_wishes wish = {.usable_memory = {0xa0000000, 0xfc00000}};
	struct blob blob = load_blob("crash-memory");
	uint64_t size;
	uint8_t *out = make(blob.data, &wish, &size);
	int parent = fdt_path_offset(out, "/reserved-memory"), node, stayed = 0;

	(void)state;
	fdt_for_each_subnode(node, out, parent)
	{
		const char *name = fdt_get_name(out, node, NULL);

		if (strncmp(name, "stays-", 6) != 0)
			fail_msg("%s", name);
		stayed++;
	}
	assert_int_equal(stayed, 3);
	assert_true(fdt_path_offset(out, "/memory@80000000") > 0);
	assert_true(fdt_path_offset(out, "/soc/region@90000000") > 0);
	assert_int_equal(
		fdt_node_offset_by_phandle(
			out,
			fdt_get_phandle(out, fdt_path_offset(out, "/reserved-memory/stays-dsp@8c200000"))),
		fdt_path_offset(out, "/reserved-memory/stays-dsp@8c200000"));
	free(out);
	free(blob.data);
}

static void a_primary_keeps_what_firmware_says_of_memory(void **state)
{
	const struct fdt_wishes wish = {.bootargs = "x"};
	struct blob blob = load_blob("crash-memory");
	uint64_t size;
	uint8_t *out = make(blob.data, &wish, &size);

	(void)state;
	assert_true(fdt_path_offset(out, "/reserved-memory/goes-dynamic") > 0);
	assert_true(fdt_path_offset(out, "/reserved-memory/goes-region@90000000") > 0);
	free(out);
	free(blob.data);
}

static uint8_t *check_primary(const struct blob *blob)
{
	const struct fdt_wishes wish = {
		.reservation = reservations,
		.reservation_count = ARRAY_SIZE(reservations),
	};
	uint64_t size, again_size;
	uint8_t *out = make(blob->data, &wish, &size), *again = make(out, &wish, &again_size);
	int parent = fdt_path_offset(out, "/reserved-memory");

	assert_int_equal(size, again_size);
	assert_memory_equal(out, again, size);
	assert_non_null(fdt_getprop(out, parent, "ranges", NULL));
	for (size_t i = 0; i < ARRAY_SIZE(reservations); i++) {
		char name[64];
		int node;

		snprintf(name, sizeof(name), "%s@%lx", reservations[i].name, reservations[i].range.base);
		node = fdt_subnode_offset(out, parent, name);
		assert_true(node > 0);
		check_range(out, parent, node, "reg", reservations[i].range);
		assert_true(reservations[i].no_map == !!fdt_getprop(out, node, "no-map", NULL));
		if (reservations[i].compatible)
			assert_string_equal(fdt_getprop(out, node, "compatible", NULL),
					    reservations[i].compatible);
	}
	free(again);
	return out;
}

/* A stage that is started by kexec finds all of it again. */
static void check_read(const uint8_t *firmware, const uint8_t *primary)
{
	static struct machine machine;
	const struct fdt_wishes wish = {
		.elfcorehdr = {0xbf9fd000, 0x4000},
		.usable_memory = {0x90000000, 0x1000000},
	};
	uint64_t size;
	uint8_t *crash = make(primary, &wish, &size);

	assert_int_equal(fdt_read_machine(firmware, fdt_totalsize(firmware), &machine, &diag), LB_OK);
	assert_int_equal(machine.usable_memory.size | machine.elfcorehdr.size | machine.crash_region.size, 0);
	assert_int_equal(fdt_read_machine(primary, fdt_totalsize(primary), &machine, &diag), LB_OK);
	assert_int_equal(machine.crash_region.base, reservations[0].range.base);
	assert_int_equal(machine.crash_region.size, reservations[0].range.size);
	assert_int_equal(fdt_read_machine(crash, size, &machine, &diag), LB_OK);
	assert_int_equal(machine.usable_memory.base, wish.usable_memory.base);
	assert_int_equal(machine.usable_memory.size, wish.usable_memory.size);
	assert_int_equal(machine.elfcorehdr.base, wish.elfcorehdr.base);
	assert_int_equal(machine.elfcorehdr.size, wish.elfcorehdr.size);
	assert_int_equal(machine.crash_region.size, 0);
	free(crash);
}

/* Trees whose cells hold a 32-bit address, with and without /reserved-memory. */
static void ranges_and_nodes_for_a_crash_kernel_are_written_in_the_cells_there(void **state)
{
	static const char *const names[] = {"virt-1g-1", "opensbi-virt-4", "one-cell"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct blob blob = load_blob(names[i]);

		uint8_t *primary = check_primary(&blob);

		check_crash_kernel(blob.data);
		check_crash_kernel(primary); /* as kexec-tools copies it: with the crash region's node */
		check_read(blob.data, primary);
		free(primary);
		free(blob.data);
	}
}

static void a_range_that_the_cells_cannot_hold_is_refused(void **state)
{
	const struct fdt_reservation high = {.name = "high", .range = {0x100000000, 0x1000}};
	const struct fdt_wishes usable = {.usable_memory = {0x100000000, 0x200000}};
	const struct fdt_wishes reserve = {.reservation = &high, .reservation_count = 1};
	struct blob blob = load_blob("one-cell");
	uint8_t *out = malloc(65536);
	uint64_t size;

	(void)state;
	assert_int_equal(fdt_payload_size(blob.data, &usable, &size, &diag), LB_EUNSUPPORTED);
	assert_int_equal(fdt_make_payload_fdt(blob.data, &usable, out, 65536, &diag), LB_EUNSUPPORTED);
	assert_int_not_equal(fdt_make_payload_fdt(blob.data, &reserve, out, 65536, &diag), LB_OK);
	assert_int_not_equal(fdt_magic(out), FDT_MAGIC);
	free(out);
	free(blob.data);
}

/* Of the region's node and of no other; in its parent's cells, as reg is. */
static void the_call_area_is_told_with_its_region(void **state)
{
	static const char *const names[] = {"virt-1g-1", "opensbi-virt-4", "one-cell"};
	const struct fdt_wishes wish = {.reservation = reservations,
					.reservation_count = ARRAY_SIZE(reservations)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct blob blob = load_blob(names[i]);
		uint64_t size;
		uint8_t *out = make(blob.data, &wish, &size);
		int parent = fdt_path_offset(out, "/reserved-memory");
		int region = fdt_subnode_offset(out, parent, "lifeboat-crash@afe00000");
		int lost = fdt_subnode_offset(out, parent, "lifeboat-lost@80200000");

		check_range(out, parent, region, "lifeboat,crash-call", reservations[0].call);
		assert_true(lost > 0);
		assert_null(fdt_getprop(out, lost, "lifeboat,crash-call", NULL));
		free(out);
		free(blob.data);
	}
}

/* What firmware's /reserved-memory is like, what a child of it says, and can Linux be made to see ours? */
static const struct {
	uint32_t cells; /* of both; 0: absent */
	bool ranges;
	const char *child; /* property of one, "reg" in the root's cells; NULL: there is none */
	bool seen;
} parents[] = {
	{2, true, "reg", true},	   {2, true, "size", true}, {2, false, NULL, true},   {2, false, "reg", true},
	{2, false, "size", false}, {1, true, NULL, true},   {1, true, "reg", false},  {1, false, NULL, true},
	{0, true, "reg", true},	   {0, false, NULL, true},  {0, true, "size", false},
};

static void set_parent(uint8_t *fdt, size_t row)
{
	const uint32_t reg[] = {0, cpu_to_fdt32(0x90000000), 0, cpu_to_fdt32(0x1000)};
	int root = fdt_path_offset(fdt, "/reserved-memory"), child;

	if (root >= 0)
		assert_int_equal(fdt_del_node(fdt, root), 0);
	root = fdt_add_subnode(fdt, 0, "reserved-memory");
	if (parents[row].cells) {
		assert_int_equal(fdt_setprop_u32(fdt, root, "#address-cells", parents[row].cells), 0);
		assert_int_equal(fdt_setprop_u32(fdt, root, "#size-cells", parents[row].cells), 0);
	}
	if (parents[row].ranges)
		assert_int_equal(fdt_setprop(fdt, root, "ranges", NULL, 0), 0);
	if (!parents[row].child)
		return;
	child = fdt_add_subnode(fdt, root, "log@90000000");
	assert_int_equal(fdt_setprop(fdt, child, parents[row].child, reg, sizeof(reg)), 0);
}

/* drivers/of/of_reserved_mem.c, __reserved_mem_check_root(): the root's cells, both there, and ranges. */
static bool linux_takes(const uint8_t *fdt)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory"), size[2];
	const fdt32_t *address_cells = fdt_getprop(fdt, parent, "#address-cells", &size[0]);
	const fdt32_t *size_cells = fdt_getprop(fdt, parent, "#size-cells", &size[1]);

	return address_cells && size_cells && fdt32_ld(address_cells) == 2 && fdt32_ld(size_cells) == 2 &&
	       fdt_getprop(fdt, parent, "ranges", NULL);
}

static void a_reservation_is_made_only_where_linux_sees_it(void **state)
{
	const struct fdt_wishes wish = {.reservation = reservations,
					.reservation_count = ARRAY_SIZE(reservations)};
	const struct fdt_wishes none = {.bootargs = "quiet"};
	struct blob blob = load_blob("virt-1g-1");
	uint8_t *firmware = malloc(65536);
	uint64_t size;

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(parents); row++) {
		const bool seen = parents[row].seen;
		struct blob changed = {.data = firmware};
		uint8_t *out;

		assert_int_equal(fdt_open_into(blob.data, firmware, 65536), 0);
		set_parent(firmware, row);
		assert_int_equal(fdt_payload_size(firmware, &wish, &size, &diag),
				 seen ? LB_OK : LB_EUNSUPPORTED);
		if (seen) {
			out = check_primary(&changed);
			assert_true(linux_takes(out));
			assert_true(!parents[row].child ||
				    fdt_path_offset(out, "/reserved-memory/log@90000000") > 0);
			free(out);
		}
		out = make(firmware, &none, &size); /* without a wish of ours it stays as it is */
		assert_int_equal(linux_takes(out), linux_takes(firmware));
		free(out);
	}
	free(firmware);
	free(blob.data);
}

/* Linux' CMA takes it; the next stage finds the region whole; a crash kernel is not told. */
static void what_is_lent_is_a_pool_and_still_of_the_region(void **state)
{
	static const struct region lent = {0x9fe00000, 0x10000000}, own = {0xafe00000, 0x10000000};
	const struct fdt_reservation both[] = {
		{.name = "lifeboat-lent", .compatible = "shared-dma-pool", .range = lent, .reusable = true},
		{.name = "lifeboat-crash",
		 .compatible = "lifeboat,crash-region",
		 .range = own,
		 .no_map = true},
	};
	const struct fdt_wishes primary = {.reservation = both, .reservation_count = ARRAY_SIZE(both)},
				crash = {.usable_memory = lent};
	static struct machine machine;
	struct blob blob = load_blob("virt-1g-1");
	uint64_t size;
	uint8_t *out = make(blob.data, &primary, &size), *cut;
	int node = fdt_path_offset(out, "/reserved-memory/lifeboat-lent@9fe00000");

	(void)state;
	assert_true(node > 0);
	assert_string_equal(fdt_getprop(out, node, "compatible", NULL), "shared-dma-pool");
	assert_non_null(fdt_getprop(out, node, "reusable", NULL));
	assert_null(fdt_getprop(out, node, "no-map", NULL));
	assert_null(fdt_getprop(out, node, "linux,cma-default", NULL));
	assert_int_equal(fdt_read_machine(out, size, &machine, &diag), LB_OK);
	assert_memory_equal(&machine.crash_lent, &lent, sizeof(lent));
	assert_int_equal(machine.crash_region.base, lent.base);
	assert_int_equal(machine.crash_region.size, lent.size + own.size);
	cut = make(out, &crash, &size);
	assert_int_equal(fdt_path_offset(cut, "/reserved-memory/lifeboat-lent@9fe00000"), -FDT_ERR_NOTFOUND);
	assert_int_equal(fdt_setprop_inplace_namelen_partial(out, node, "reg", 3, 7, "\1", 1), 0);
	assert_int_equal(fdt_read_machine(out, fdt_totalsize(out), &machine, &diag), LB_OK);
	assert_int_equal(machine.crash_lent.size, 0); /* not beside the region: somebody else's */
	assert_memory_equal(&machine.crash_region, &own, sizeof(own));
	free(cut);
	free(out);
	free(blob.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_and_nodes_for_a_crash_kernel_are_written_in_the_cells_there),
		cmocka_unit_test(only_what_a_crash_kernel_must_know_of_memory_stays),
		cmocka_unit_test(a_primary_keeps_what_firmware_says_of_memory),
		cmocka_unit_test(what_is_lent_is_a_pool_and_still_of_the_region),
		cmocka_unit_test(the_call_area_is_told_with_its_region),
		cmocka_unit_test(a_reservation_is_made_only_where_linux_sees_it),
		cmocka_unit_test(a_range_that_the_cells_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
