// SPDX-License-Identifier: BSD-2-Clause
/*
 * EFI zboot images (vmlinuz.efi): a small EFI program around a compressed Image, which alone is of use here.
 */
#include "kexec/image/zboot.h"

#include <inttypes.h>
#include <string.h>

#define ZBOOT_HEADER_SIZE 0x40
#define MAGIC_AT	  0x04
#define OFFSET_AT	  0x08
#define SIZE_AT		  0x0c
#define NAME_AT		  0x18
#define NAME_SIZE	  0x20

bool image_is_zboot(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;

	return size >= ZBOOT_HEADER_SIZE && !memcmp(bytes, "MZ", 2) && !memcmp(bytes + MAGIC_AT, "zimg", 4);
}

static uint32_t read_le32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

enum lb_err image_read_zboot(const void *data, uint64_t size, struct image_packed *packed, struct diag *diag)
{
	const uint8_t *bytes = data;
	const char *name = (const char *)bytes + NAME_AT;

	if (!image_is_zboot(data, size))
		return diag_fail(diag, LB_EFORMAT, "kernel: no EFI zboot header");
	packed->offset = read_le32(bytes + OFFSET_AT);
	packed->size = read_le32(bytes + SIZE_AT);
	if (packed->offset < ZBOOT_HEADER_SIZE || !packed->size ||
	    !range_fits(packed->offset, packed->size, size))
		return diag_fail(diag, LB_EFORMAT,
				 "kernel: the EFI zboot image's payload (0x%" PRIx64 " bytes at 0x%" PRIx64
				 ") lies beyond its end at 0x%" PRIx64 ": it is truncated",
				 packed->size, packed->offset, size);
	packed->by = memchr(name, '\0', NAME_SIZE) ? decompressor_by_zboot(name) : NULL;
	if (!packed->by)
		return diag_fail(diag, LB_EUNSUPPORTED,
				 "kernel: the EFI zboot image is packed with '%.*s', which this build can "
				 "not unpack: use gzip",
				 NAME_SIZE, name);
	return LB_OK;
}
