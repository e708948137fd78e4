/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle: a standard FIT (Flattened Image Tree) with the payloads and their configurations.
 *
 * Reading checks the structure fully: every offset and length lies inside the bundle before it is
 * used. Data may be embedded (`data`) or external (`data-offset` / `data-position` with `data-size`,
 * behind the FIT's own totalsize). https://fitspec.osfw.foundation
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_H
#define LIFEBOAT_KEXEC_BUNDLE_H

#include "base/error.h"
#include "base/types.h"
#include "fdt/fit.h"
#include "kexec/image.h"

/** Bytes of one FIT image node, where they lie in the bundle. */
struct bundle_blob {
	const char *node; /* node name, for messages; points into the bundle */
	uint64_t offset;  /* from the start of the bundle */
	uint64_t size;	  /* 0: the configuration has no such image */
};

struct bundle_config {
	const char *name;	   /* of the configuration node; points into the bundle */
	const char *bootargs;	   /* NULL when the configuration has none */
	struct bundle_blob kernel; /* the payload to start, described by image */
	bool in_place;		   /* type kernel_noload: run it where it lies, if it lies right */
	struct image image;	   /* its segments' offsets are from kernel.offset */
	struct bundle_blob ramdisk;
	const char *fdt; /* name of the configuration's fdt image, which this build ignores; or NULL */
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
 *         LB_EFORMAT; LB_ERANGE; LB_EUNSUPPORTED compression, arch or image type, several ramdisks, or
 *         other things to load (loadables, firmware, fpga).
 */
LB_MUST_CHECK enum lb_err bundle_read_config(const void *data, uint64_t size, const char *name,
					     struct bundle_config *config, struct diag *diag);

/**
 * Describe a bare payload that lies in the bundle's place: a RISC-V Image or an ELF, and nothing else.
 *
 * @config  name "bare", no bootargs, no ramdisk, kernel = all of @data, in_place false
 * Return: LB_OK; LB_EFORMAT neither; otherwise as the image's reader.
 */
LB_MUST_CHECK enum lb_err bundle_read_bare(const void *data, uint64_t size, struct bundle_config *config,
					   struct diag *diag);

#endif
