// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as a payload: an ELF, a RISC-V Image, an EFI zboot image, a raw binary. */
#include "tests/fuzz/fuzz.h"

#include "kexec/image/zboot.h"
#include "tests/unit/image_check.h"

/* The last 16 bytes of a raw binary say where it wants to be. */
static void try_raw(const uint8_t *data, size_t size)
{
	struct image image;
	struct diag diag = {""};
	uint64_t where[2];

	if (size < sizeof(where))
		return;
	memcpy(where, data + size - sizeof(where), sizeof(where));
	if (image_make_raw(size, where[0], where[1], &image, &diag) == LB_OK)
		check_image(&image, size);
}

static void try_zboot(const uint8_t *data, size_t size)
{
	void *copy = exact_copy(data, size);
	struct image_packed packed;
	struct diag diag = {""};
	uint64_t bound;

	(void)image_is_zboot(copy, size);
	if (image_read_zboot(copy, size, &packed, &diag) == LB_OK) {
		const struct packed_bytes bytes = {(uint8_t *)copy + packed.offset, packed.size};

		assert_non_null(packed.by);
		assert_true(range_fits(packed.offset, packed.size, size));
		if (decompress_measure(packed.by, bytes, &bound, &diag))
			assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image;

	if (read_exactly(image_read_linux, data, size, &image) == LB_OK) {
		check_image(&image, size);
		assert_true(image_is_linux(data, size));
	}
	if (read_exactly(image_read_elf, data, size, &image) == LB_OK) {
		check_image(&image, size);
		assert_true(image_is_elf(data, size));
	}
	try_raw(data, size);
	try_zboot(data, size);
	return 0;
}
