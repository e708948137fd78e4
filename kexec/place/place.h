/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan: where everything that a payload needs will lie, computed whole before a byte moves.
 *
 * Pure arithmetic on the memory map. After place_plan() succeeds no two destinations overlap, no
 * destination overlaps a source that is still to be read when the items are carried out in the order
 * of the list (an item may overlap its own source; the copy is a memmove), and every destination is
 * RAM that nobody has taken, but for bytes of the bundle under what stays or has a fixed address.
 */
#ifndef LIFEBOAT_KEXEC_PLACE_PLACE_H
#define LIFEBOAT_KEXEC_PLACE_PLACE_H

#include "kexec/image/image.h"
#include "mm/memmap.h"

/** What is to be placed, and where its bytes are now. */
struct place_request {
	const struct image *image;
	paddr_t image_pa;	/* of the image's first byte */
	uint64_t image_size;	/* bytes of its file */
	bool in_place;		/* run it where it lies, if that is a right place for it; unused if fixed */
	struct region initrd;	/* where its bytes are now; size 0: none */
	bool initrd_in_parts;	/* they are not, but will be put together: it does not stay */
	struct region bundle;	/* where the payload came from: taken in the map, but its bytes that no
				 item still needs may be written by an image that stays in place or is
				 fixed, and an initrd may stay there; size 0: hands over nothing */
	struct region fdt_from; /* what the FDT is made of, if that is taken in the map for no longer: a fixed
				   image may lie on it, since the FDT comes first; size 0: it is not */
	bool on_lost;	   /* a fixed image may lie on lost memory and on the stage as loaded, since nobody
				   will look for it in a dump; what else is placed may not */
	uint64_t fdt_size; /* bytes to set aside for the payload's FDT; not 0 */
	paddr_t limit;	   /* no destination at or above it: what the stage can address */
};

struct plan_item {
	const char *name; /* "kernel", "segment", "initrd", "fdt" */
	paddr_t source;	  /* where its bytes are; equals dest when it stays */
	paddr_t dest;
	uint64_t file_size; /* bytes to copy unless it stays; 0 for the FDT, which is made there */
	uint64_t mem_size;  /* bytes it owns */
	bool zero_fill;	    /* zero [dest + file_size, dest + mem_size) */
};

#define PLAN_ITEM_MAX (IMAGE_SEGMENT_MAX + 2)

struct plan {
	size_t count;
	/*
	 * To be carried out in this order: the FDT, the initrd, then the image. The FDT comes first since
	 * what goes into it (bootargs) lies in the bundle, on which a fixed image may be loaded.
	 */
	struct plan_item item[PLAN_ITEM_MAX];
	paddr_t entry;
	paddr_t fdt;		/* 8-byte aligned; the FDT's whole fdt_size lies in one item */
	struct region initrd;	/* exact bytes, not page-rounded; size 0: none */
	struct region_set room; /* private: what place_plan() works on */
};

/**
 * Make the plan.
 *
 * A Linux Image, as any image that is not fixed, goes to the lowest place with its alignment (kernels
 * before 6.4 lose the RAM below them) that leaves room for the rest; or stays if request->in_place and where
 * it lies is right. It owns its whole span. A fixed image goes where it says or nowhere. The FDT goes to the
 * highest page-aligned place below 4 GiB, or the highest at all if there is no room below. The initrd stays
 * if it lies page-aligned and clear of all else, or goes to the highest page-aligned place below the FDT, or
 * above it if there is none. Linux rounds the initrd's range to whole pages, so the plan reserves whole
 * pages for it. What floats stays clear of all of the bundle and of all sources.
 *
 * An error means that there is no such plan at all, not just that the first choice of each did not fit.
 * Return: LB_OK; LB_EINVAL the request breaks its contract; LB_ENOSPC no room for something, or no RAM at a
 *         fixed address (the line says what, how much, and the largest hole); LB_ECONFLICT a fixed address
 *         is taken (the line says by whom), or segments lie on each other's sources. On error @plan is
 *         undefined.
 */
LB_MUST_CHECK enum lb_err place_plan(const struct memmap *map, const struct place_request *request,
				     struct plan *plan, struct diag *diag);

#endif
