// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as the firmware's FDT: what is accepted makes sense, and every payload's FDT can be made of it.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/fdt_sense.h"

static const struct region core = {0x8fff0000, 0x10000}, usable = {0x88000000, 0x8000000};

/* A primary's, with what the stage reserves; LB_ENOSPC: more reservations than a struct machine holds. */
static void check_reserving(const struct blob *blob, const struct machine *m)
{
	const struct fdt_reservation reservation = {.name = "lifeboat-crash",
						    .compatible = FDT_CRASH_REGION,
						    .range = {0x80000000, 0x10000000},
						    .no_map = true,
						    .call = {0x8fe00000, 0x100000}};
	const struct fdt_wishes wishes = {.reservation = &reservation, .reservation_count = 1};
	static struct machine again;
	uint64_t size;
	enum lb_err err;
	uint8_t *out;

	if (fdt_payload_size(blob->data, &wishes, &size, NULL))
		return;
	out = malloc(size);
	assert_int_equal(fdt_make_payload_fdt(blob->data, &wishes, out, size, NULL), LB_OK);
	err = fdt_read_machine(out, size, &again, NULL);
	assert_true(err == LB_OK || err == LB_ENOSPC);
	if (!err && !m->crash_region.size) { /* else that is still there, and the first */
		assert_int_equal(again.crash_region.base, reservation.range.base);
		assert_int_equal(again.crash_region.size, reservation.range.size);
	}
	free(out);
}

/* A crash kernel's: it is told of usable memory and core header, and keeps all RAM and harts. */
static void check_capturing(const struct blob *blob, const struct machine *m)
{
	const struct fdt_wishes wishes = {.bootargs = "", .elfcorehdr = core, .usable_memory = usable};
	static struct machine again;
	uint64_t size;
	uint8_t *out;

	if (fdt_payload_size(blob->data, &wishes, &size, NULL))
		return;
	out = malloc(size);
	assert_int_equal(fdt_make_payload_fdt(blob->data, &wishes, out, size, NULL), LB_OK);
	assert_int_equal(fdt_read_machine(out, size, &again, NULL), LB_OK);
	assert_int_equal(again.elfcorehdr.base, core.base);
	assert_int_equal(again.usable_memory.base, usable.base);
	assert_int_equal(again.crash_region.size, 0);
	assert_int_equal(again.pool_count, 0);
	assert_int_equal(again.hart_count, m->hart_count);
	assert_int_equal(again.ram.count, m->ram.count);
	assert_memory_equal(again.ram.region, m->ram.region, m->ram.count * sizeof(m->ram.region[0]));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob blob = {.data = fuzz_copy(data, size), .size = size};
	static struct machine machine;
	struct diag diag = {""};
	uint64_t told = 0;
	size_t list;

	(void)fdt_peek_compatible(blob.data, size, &list);
	if (size >= sizeof(struct fdt_header) && fdt_peek_size(blob.data, &told, &diag) == LB_OK)
		assert_in_range(told, sizeof(struct fdt_header), FDT_SIZE_MAX);
	if (fdt_read_machine(blob.data, size, &machine, &diag)) {
		assert_memory_equal(diag.text, "fdt: ", 5);
	} else {
		assert_in_range(told, sizeof(struct fdt_header), size);
		check_sense(&blob, &machine);
		check_payload(&blob);
		check_reserving(&blob, &machine);
		check_capturing(&blob, &machine);
	}
	free(blob.data);
	return 0;
}
