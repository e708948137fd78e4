// SPDX-License-Identifier: BSD-2-Clause
/* Reservations of what firmware handed over: the payload does not get them, and gets all others. */
#include "tests/unit/fdt_blobs.h"

#include "fdt/fixup.h"
#include "fdt/read.h"

static struct diag diag;

static void add_reserved_node(uint8_t *fdt, const char *name, uint64_t base, uint64_t size)
{
	const fdt64_t reg[] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};
	int parent = fdt_subnode_offset(fdt, 0, "reserved-memory");
	int node = fdt_add_subnode(fdt, parent, name);

	assert_true(node >= 0);
	assert_int_equal(fdt_setprop(fdt, node, "reg", reg, sizeof(reg)), 0);
}

/* By the same pages; a part of it, or more than it, is somebody else's. */
static void only_what_was_reserved_for_initrd_and_bundle_alone_is_so_no_longer(void **state)
{
	static const struct region initrd = {0x90000000, 0x12345}, bundle = {0xa0000000, 0x200000};
	static struct machine firmware, payload;
	struct blob blob = load_blob("virt-1g-1");
	static uint8_t full[64 * KIB], out[64 * KIB];
	struct fdt_wishes wish = {.firmware = &firmware};
	int node;

	(void)state;
	assert_int_equal(fdt_open_into(blob.data, full, sizeof(full)), 0);
	node = fdt_add_subnode(full, 0, "reserved-memory");
	assert_int_equal(fdt_setprop_u32(full, node, "#address-cells", 2), 0);
	assert_int_equal(fdt_setprop_u32(full, node, "#size-cells", 2), 0);
	assert_int_equal(fdt_add_mem_rsv(full, initrd.base, initrd.size), 0);
	assert_int_equal(fdt_add_mem_rsv(full, initrd.base, 0x1000), 0);
	assert_int_equal(fdt_add_mem_rsv(full, initrd.base, 0x13000), 0); /* whole pages: U-Boot's LMB */
	add_reserved_node(full, "bundle@a0000000", bundle.base, bundle.size);
	add_reserved_node(full, "more@a0000000", bundle.base, bundle.size + 0x1000);
	add_reserved_node(full, "part@a0001000", bundle.base + 0x1000, bundle.size - 0x1000);
	assert_int_equal(fdt_pack(full), 0);
	assert_int_equal(fdt_read_machine(full, fdt_totalsize(full), &firmware, &diag), LB_OK);
	assert_int_equal(firmware.reserved_count, 6);
	firmware.initrd = initrd;
	firmware.bundle = bundle;
	assert_int_equal(fdt_make_payload_fdt(full, &wish, out, sizeof(out), &diag), LB_OK);
	assert_int_equal(fdt_read_machine(out, sizeof(out), &payload, &diag), LB_OK);
	assert_int_equal(payload.reserved_count, 3);
	assert_int_equal(payload.reserved[0].range.size, 0x1000);
	assert_string_equal(payload.reserved[1].name, "part@a0001000");
	assert_string_equal(payload.reserved[2].name, "more@a0000000");
	free(blob.data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_was_reserved_for_initrd_and_bundle_alone_is_so_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
