// SPDX-License-Identifier: BSD-2-Clause
/* The RISC-V Image header: Linux, and every S-mode program that carries one. */
#include "kexec/image/image.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the header is copied into the struct as it is");

/* Linux Documentation/arch/riscv/boot-image-header.rst; all fields little-endian. */
struct linux_header {
	uint32_t code0;
	uint32_t code1;
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint32_t version;
	uint32_t res1;
	uint64_t res2;
	uint64_t magic;
	uint32_t magic2;
	uint32_t res3;
};
_Static_assert(sizeof(struct linux_header) == IMAGE_LINUX_HEADER, "as in the document");

#define LINUX_MAGIC2	      UINT32_C(0x05435352) /* "RSC\x05" */
#define LINUX_FLAG_BIG_ENDIAN UINT64_C(1)
#define LINUX_VERSION_0_2     2 /* the first with magic2 */

bool image_is_linux(const void *data, uint64_t size)
{
	struct linux_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	return header.magic2 == LINUX_MAGIC2;
}

static enum lb_err check_header(const struct linux_header *header, uint64_t size, struct diag *diag)
{
	if (header->version < LINUX_VERSION_0_2)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "kernel: Image header version %u.%u is too old (0.2 is needed)",
				 (unsigned)(header->version >> 16), (unsigned)(header->version & 0xffff));
	if (header->flags & LINUX_FLAG_BIG_ENDIAN)
		return diag_fail(diag, LB_EUNSUPPORTED, "kernel: a big-endian Image can not run here");
	if (header->image_size == 0)
		return diag_fail(diag, LB_EFORMAT, "kernel: the Image header says image_size 0");
	if (header->image_size < size)
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: Image file of 0x%" PRIx64
				 " bytes, but its header says image_size 0x%" PRIx64,
				 size, header->image_size);
	return LB_OK;
}

enum lb_err image_read_linux(const void *data, uint64_t size, struct image *image, struct diag *diag)
{
	struct linux_header header;
	uint64_t mem_size;
	enum lb_err err;

	if (!image_is_linux(data, size))
		return diag_fail(diag, LB_EFORMAT, "kernel: no RISC-V Image header");
	memcpy(&header, data, sizeof(header));
	err = check_header(&header, size, diag);
	if (err)
		return err;
	if (!align_up(header.image_size, IMAGE_LINUX_ALIGN, &mem_size))
		return diag_fail(diag, LB_ERANGE, "kernel: image_size 0x%" PRIx64 " is absurd",
				 header.image_size);
	*image = (struct image){
		.kind = IMAGE_LINUX,
		.align = IMAGE_LINUX_ALIGN,
		.mem_size = mem_size,
		.segment_count = 1,
		.segment = {{.file_size = size, .mem_size = mem_size}},
	};
	return LB_OK;
}
