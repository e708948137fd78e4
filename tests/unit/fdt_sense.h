/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold of every FDT that the reader accepts, whatever its bytes are. */
#ifndef LIFEBOAT_TESTS_FDT_SENSE_H
#define LIFEBOAT_TESTS_FDT_SENSE_H

#include "fdt/fixup.h"
#include "fdt/read.h"
#include "tests/unit/fdt_blobs.h"

static inline bool is_in(const struct blob *blob, const char *string)
{
	const uint8_t *at = (const uint8_t *)string;

	return at >= blob->data && at < blob->data + blob->size &&
	       memchr(at, '\0', (size_t)(blob->data + blob->size - at));
}

/* Do all strings of the machine lie in the blob, ends included, and are its ranges ranges? */
static inline void check_sense(const struct blob *blob, const struct machine *m)
{
	assert_true(!*m->bootargs || is_in(blob, m->bootargs));
	if (m->compatible)
		assert_true(is_in(blob, m->compatible + m->compatible_size - 1));
	assert_in_range(m->ram.count, 1, REGION_SET_MAX);
	assert_in_range(m->hart_count, 0, MACHINE_HARTS_MAX);
	assert_in_range(m->reserved_count, 0, MACHINE_RESERVED_MAX);
	for (size_t i = 0; i < m->ram.count; i++)
		assert_true(m->ram.region[i].size &&
			    range_is_valid(m->ram.region[i].base, m->ram.region[i].size));
	for (size_t i = 0; i < m->reserved_count; i++) {
		assert_true(range_is_valid(m->reserved[i].range.base, m->reserved[i].range.size));
		assert_true(strcmp(m->reserved[i].name, "memreserve") == 0 ||
			    is_in(blob, m->reserved[i].name));
	}
	assert_true(range_is_valid(m->initrd.base, m->initrd.size));
	assert_true(range_is_valid(m->bundle.base, m->bundle.size));
	assert_int_equal(m->isa & ~(uint32_t)ISA_KNOWN, 0);
}

/* What has been accepted must be fit to be handed on. */
static inline void check_payload(const struct blob *blob)
{
	const struct fdt_wishes wishes = {.bootargs = "quiet", .initrd = {0x90000000, 0x1000}};
	static struct machine again;
	uint64_t size;
	uint8_t *out;

	assert_int_equal(fdt_payload_size(blob->data, &wishes, &size, NULL), LB_OK);
	out = malloc(size);
	assert_int_equal(fdt_make_payload_fdt(blob->data, &wishes, out, size, NULL), LB_OK);
	assert_int_equal(fdt_read_machine(out, size, &again, NULL), LB_OK);
	assert_string_equal(again.bootargs, "quiet");
	assert_int_equal(again.initrd.base, 0x90000000);
	assert_int_equal(again.initrd.size, 0x1000);
	free(out);
}

#endif
