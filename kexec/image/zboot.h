/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EFI zboot images: where the compressed Image is in them.
 *
 * Linux drivers/firmware/efi/libstub/zboot-header.S.
 */
#ifndef LIFEBOAT_KEXEC_IMAGE_ZBOOT_H
#define LIFEBOAT_KEXEC_IMAGE_ZBOOT_H

#include "kexec/image/decompress.h"

/** A compressed part of a file. */
struct image_packed {
	const struct decompressor *by; /* NULL: the file is not packed */
	uint64_t offset;	       /* from the start of the file */
	uint64_t size;
};

/** Does @data begin with an EFI zboot header? */
bool image_is_zboot(const void *data, uint64_t size);

/**
 * Find the compressed Image in an EFI zboot image.
 *
 * @size  bytes of the file; @packed receives the part of it that is packed, and how
 * Return: LB_OK; LB_EFORMAT no header, or the part lies beyond @size; LB_EUNSUPPORTED a compression that this
 *         build does not have. On error @packed is undefined.
 */
LB_MUST_CHECK enum lb_err image_read_zboot(const void *data, uint64_t size, struct image_packed *packed,
					   struct diag *diag);

#endif
