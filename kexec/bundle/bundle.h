/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle: a standard FIT (Flattened Image Tree) with the payloads and their configurations.
 *
 * Reading checks the structure fully: every offset and length lies inside the bundle before it is
 * used. Data may be embedded (`data`) or external (`data-offset` / `data-position` with `data-size`,
 * behind the FIT's own totalsize). https://fitspec.osfw.foundation
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_BUNDLE_H
#define LIFEBOAT_KEXEC_BUNDLE_BUNDLE_H

#include "base/error.h"
#include "base/types.h"
#include "fdt/fit/fit.h"
#include "kexec/check/verify.h"
#include "kexec/image/image.h"
#include "kexec/image/zboot.h"

/** How many ramdisks, FDTs, and loadables a configuration may have. */
#define BUNDLE_BLOBS_MAX 8

/** One FIT image node: where its bytes lie in the bundle, and what it says of them. Strings point into the bundle. */
struct bundle_blob {
	const char *node; /* node name, for messages */
	uint64_t offset;  /* from the start of the bundle */
	uint64_t size;	  /* 0: the configuration has no such image */
	uint64_t load;	  /* 0: none */
	uint64_t entry;	  /* 0: none */
	const char *type;
	const char *os;		 /* NULL: none */
	const char *compression; /* NULL: it is stored as it is */
	struct image_hashes hashes;
};

struct bundle_config {
	const char *name;	    /* of the configuration node; points into the bundle */
	const char *bootargs;	    /* NULL when the configuration has none */
	struct bundle_blob kernel;  /* the payload to start */
	bool in_place;		    /* type kernel_noload: run it where it lies, if it lies right */
	struct image_packed packed; /* the compressed part of kernel; by is NULL if it is stored as it is */
	struct image image; /* its segments' offsets are from kernel.offset; unset as long as it is packed */
	/* Lists that end with an entry of size 0, or when they are full. */
	struct bundle_blob ramdisk[BUNDLE_BLOBS_MAX]; /* to be concatenated */
	struct bundle_blob fdt[BUNDLE_BLOBS_MAX];     /* a base, then overlays */
	struct bundle_blob loadable[BUNDLE_BLOBS_MAX];
};

/**
 * Does @data begin like a FIT: an FDT whose tree has /images? Reads no further than @size.
 *
 * An FDT that is cut short or has a damaged header counts as one too: then it was meant to be the bundle,
 * and the functions below say what is wrong with it.
 */
bool bundle_is_fit(const void *data, uint64_t size);

/**
 * How many bytes the bundle at @data takes with its external data, at most @size.
 *
 * For a bundle whose end nobody told (one that is appended to the stage).
 * @data   8-byte aligned
 * @size   bytes that may be read
 * @total  receives the first offset behind everything that any image node refers to; unchanged on error
 * Return: LB_OK; LB_EINVAL @data is not aligned; LB_EFORMAT not a FIT, or something lies beyond @size;
 *         LB_ERANGE an offset or size overflows.
 */
LB_MUST_CHECK enum lb_err bundle_size(const void *data, uint64_t size, uint64_t *total, struct diag *diag);

/**
 * Find the data of one image, whether a configuration names it or not.
 *
 * @image  offset of its node
 * Return: LB_OK; LB_ENOENT it has none; LB_EFORMAT; LB_ERANGE.
 */
LB_MUST_CHECK enum lb_err bundle_find_data(const struct fit *fit, int image, struct bundle_blob *blob,
					   struct diag *diag);

/**
 * Read one configuration.
 *
 * As in U-Boot, a load address that is absent or 0 leaves the choice to the stage, and a Linux Image
 * is always placed by its own rules. What a kernel is, is told by its first bytes (Image header, ELF);
 * anything else is a raw binary, which needs load (and may have entry, else load).
 * @data    the bundle, 8-byte aligned; @size bytes, external data included
 * @name    the configuration's node name; NULL takes /configurations' default
 * @config  filled whole on LB_OK, undefined otherwise; points into @data
 * Return: LB_OK; LB_EINVAL @data is not aligned; LB_ENOENT no such configuration, image, or image data;
 *         LB_EFORMAT; LB_ERANGE; LB_EUNSUPPORTED compression, hash, arch or image type, too many images, or
 *         other things to load (firmware, fpga).
 */
LB_MUST_CHECK enum lb_err bundle_read_config(const void *data, uint64_t size, const char *name,
					     struct bundle_config *config, struct diag *diag);

/** The images of a configuration, one after the other, the kernel first; NULL behind the last. */
const struct bundle_blob *bundle_config_blob(const struct bundle_config *config, size_t index);

/**
 * Read what a packed kernel unpacked to: @config->image, whose offsets are then from @data.
 *
 * Return: LB_OK; otherwise as bundle_read_config().
 */
LB_MUST_CHECK enum lb_err bundle_read_payload(const void *data, uint64_t size, struct bundle_config *config,
					      struct diag *diag);

/** Does @data begin like a payload that is started without a FIT: a RISC-V Image, an ELF, an EFI zboot image? */
bool bundle_is_bare(const void *data, uint64_t size);

/** Does @data begin like something compressed that this build can unpack? What is in it (an initramfs?) is not told. */
bool bundle_is_packed(const void *data, uint64_t size);

/**
 * Describe a bare payload that lies in the bundle's place: a RISC-V Image or an ELF, compressed or not, or an EFI zboot
 * image, and nothing else.
 *
 * @config  name "bare", no bootargs, no ramdisk, kernel = all of @data, in_place false
 * Return: LB_OK; LB_EFORMAT neither; otherwise as the image's reader.
 */
LB_MUST_CHECK enum lb_err bundle_read_bare(const void *data, uint64_t size, struct bundle_config *config,
					   struct diag *diag);

#endif
