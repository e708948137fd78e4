// SPDX-License-Identifier: BSD-2-Clause
/* Flat binaries without a header: one segment, at the address that their bundle gives. */
#include "kexec/image/image.h"

#include <inttypes.h>

enum lb_err image_make_raw(uint64_t size, paddr_t load, paddr_t entry, struct image *image, struct diag *diag)
{
	if (size == 0)
		return diag_fail(diag, LB_EFORMAT, "kernel: the raw binary is empty");
	if (!range_is_valid(load, size))
		return diag_fail(diag, LB_ERANGE,
				 "kernel: a raw binary of 0x%" PRIx64 " bytes at 0x%" PRIx64
				 " runs past the end of memory",
				 size, load);
	if (entry < load || entry - load >= size || !is_aligned(entry, 2))
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: entry 0x%" PRIx64 " is odd or outside the raw binary [0x%" PRIx64
				 "..0x%" PRIx64 "]",
				 entry, load, load + size - 1);
	*image = (struct image){
		.kind = IMAGE_RAW,
		.fixed = true,
		.align = 1,
		.mem_size = size,
		.entry = entry,
		.segment_count = 1,
		.segment = {{.file_size = size, .mem_size = size, .address = load}},
	};
	return LB_OK;
}
