/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle: the payloads and their configurations, in a standard FIT (Flattened Image Tree), or one payload
 * that lies bare in the FIT's place.
 *
 * bundle_open() checks the whole tree, once, and says which of the two it is; all else asks what it opened.
 * Every offset and length lies inside the bundle before it is used. Data may be embedded (`data`) or external
 * (`data-offset` / `data-position` with `data-size`, behind the FIT's own totalsize).
 * https://fitspec.osfw.foundation
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_BUNDLE_H
#define LIFEBOAT_KEXEC_BUNDLE_BUNDLE_H

#include "base/error.h"
#include "base/types.h"
#include "fdt/fit/fit.h"
#include "kexec/bundle/node.h"
#include "kexec/image/image.h"
#include "kexec/image/zboot.h"

/** How many ramdisks, FDTs, and loadables a configuration may have. */
#define BUNDLE_BLOBS_MAX 8

/** A bundle that was opened: good as long as its bytes stay, and stay mapped at @data. */
struct bundle {
	const uint8_t *data;
	uint64_t size;	/* bytes that may be read, external data included */
	bool is_fit;	/* else a bare payload, or nothing known */
	struct fit fit; /* without images and configurations if it is none */
};

/** A configuration that was read. Strings point into the bundle. */
struct bundle_config {
	const char *name;	    /* of the configuration node */
	const char *bootargs;	    /* NULL when the configuration has none */
	bool is_firmware;	    /* kexec/bundle/firmware.h */
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
 * Does @data begin like a bundle: a FIT, a RISC-V Image, an ELF, an EFI zboot image? Reads no further than
 * @size.
 */
bool bundle_probe(const void *data, uint64_t size);

/**
 * Does @data begin like something compressed that this build can unpack? What is in it (an initramfs?) is not
 * told.
 */
bool bundle_is_packed(const void *data, uint64_t size);

/**
 * Tell what @data is, and if it is a FIT, check its whole tree.
 *
 * An FDT that is cut short or has a damaged header was meant to be a FIT: it is refused. All that is no FIT
 * is opened as a bare payload; whether it can be started is bundle_read_config()'s to say.
 * @data    a FIT: 8-byte aligned; @size bytes that may be read
 * @bundle  filled whole on LB_OK, undefined otherwise; points to @data
 * Return: LB_OK; LB_EINVAL a FIT is not aligned; LB_EFORMAT a truncated or damaged FIT.
 */
LB_MUST_CHECK enum lb_err bundle_open(const void *data, uint64_t size, struct bundle *bundle,
				      struct diag *diag);

/**
 * How many bytes the bundle takes with its external data, at most its size.
 *
 * For a FIT whose end nobody told (one that is appended to the stage). A bare payload takes all of its size.
 * @total  receives the first offset behind everything that any image node refers to; unchanged on error
 * Return: LB_OK; LB_EFORMAT something lies beyond the bundle's size; LB_ERANGE an offset or size overflows.
 */
LB_MUST_CHECK enum lb_err bundle_size(const struct bundle *bundle, uint64_t *total, struct diag *diag);

/**
 * Read one configuration.
 *
 * As in U-Boot, a load address that is absent or 0 leaves the choice to the stage, and a Linux Image
 * is always placed by its own rules. What a kernel is, is told by its first bytes (Image header, ELF);
 * anything else is a raw binary, which needs load (and may have entry, else load).
 *
 * A bare payload has one, whatever @name is: it is called "bare", has no bootargs and no ramdisk, and all of
 * the bundle is its kernel: a RISC-V Image or an ELF, compressed or not, or an EFI zboot image, and nothing
 * else.
 * An image of the configuration that is listed as a loadable, too, is no loadable: it has its place.
 * @name    the configuration's node name
 * @config  filled whole on LB_OK, undefined otherwise; points into the bundle
 * Return: LB_OK; LB_ENOENT no such configuration, image, or image data; LB_EFORMAT; LB_ERANGE;
 *         LB_EUNSUPPORTED compression, hash, arch or image type, too many images, or other things to load
 *         (firmware, fpga).
 */
LB_MUST_CHECK enum lb_err bundle_read_config(const struct bundle *bundle, const char *name,
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

#endif
