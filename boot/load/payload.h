/* SPDX-License-Identifier: BSD-2-Clause */
/* A payload on its way from the bundle to its place. There are two: the primary's, and the crash kernel's. */
#ifndef LIFEBOAT_BOOT_LOAD_PAYLOAD_H
#define LIFEBOAT_BOOT_LOAD_PAYLOAD_H

#include "boot/facts.h"
#include "boot/load/bootargs.h"
#include "fdt/fixup.h"
#include "kexec/bundle/bundle.h"
#include "kexec/check/verify.h"
#include "kexec/place/place.h"

/**
 * Written by boot/load alone. Strings of config point into the bundle: stale when the payload has been loaded
 * over it.
 */
struct payload {
	struct bundle_config config;
	struct region initrd;	/* what it brings, or what firmware brought beside the bundle; size 0: none */
	struct region unpacked; /* its kernel, if that is compressed; else size 0 */
	const void *board_fdt;	/* what its FDT is made of: the firmware's, or one out of the bundle */
	struct region board_fdt_room; /* where that lies; size 0: the firmware's */
	const struct machine
		*machine;	   /* what it describes; ours or, if it is not the firmware's, beside it */
	struct memmap map;	   /* where the payload may lie, by both FDTs: map.h */
	struct verify verify;	   /* of the image in hand */
	struct bootargs_rule rule; /* what its role wants of them */
	struct cmdline bootargs;
	struct fdt_wishes wishes; /* what its FDT shall say */
	struct plan plan;
};

#endif
