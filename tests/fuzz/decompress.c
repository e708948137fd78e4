// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as what one compression has packed (-DBY=): it keeps to its room, and to what it measured; and
 * what came out comes out again where there is no byte of room more.
 */
#include "tests/fuzz/fuzz.h"

#include "kexec/image/decompress.h"

#define ROOM_MAX (256 * KIB)

static uint8_t work[DECOMPRESS_WORK_SIZE] __attribute__((aligned(16)));

static enum lb_err unpack(struct packed_bytes packed, uint64_t room, uint8_t **out, uint64_t *size)
{
	struct diag diag = {""};
	enum lb_err err;

	*out = malloc(room ? room : 1);
	*size = 0;
	err = BY.unpack(work, packed, *out, room, size, &diag);
	if (err)
		assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
	else
		assert_in_range(*size, 0, room);
	return err;
}

/* lz4 can't always tell want of room from damage; and a block that does not end as it must needs more. */
static bool may_be_damaged(enum lb_err err)
{
	return err == LB_EFORMAT && !strcmp(BY.name, "lz4");
}

static void check_again(struct packed_bytes packed, const uint8_t *out, uint64_t size)
{
	uint8_t *again;
	uint64_t again_size;
	enum lb_err err = unpack(packed, size, &again, &again_size);

	if (!may_be_damaged(err)) {
		assert_int_equal(err, LB_OK);
		assert_int_equal(again_size, size);
		assert_memory_equal(again, out, size);
	}
	free(again);
	if (size) {
		err = unpack(packed, size - 1, &again, &again_size);
		assert_true(err == LB_ENOSPC || may_be_damaged(err));
		free(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packed_bytes packed = {fuzz_copy(data, size), size};
	struct diag diag = {""};
	uint64_t bound, made;
	uint8_t *out;

	(void)decompressor_by_magic(packed);
	if (decompress_measure(&BY, packed, &bound, &diag) == LB_OK) {
		if (unpack(packed, bound && bound < ROOM_MAX ? bound : ROOM_MAX, &out, &made) == LB_OK)
			check_again(packed, out, made);
		free(out);
	}
	free((void *)(uintptr_t)packed.data);
	return 0;
}
