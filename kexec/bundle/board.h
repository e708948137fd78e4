/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which board a configuration is for: what it says itself (compatible), or else what its FDT says.
 *
 * Both are only compared and shown, so nothing of it need be checked or signed yet.
 */
#ifndef LIFEBOAT_KEXEC_BUNDLE_BOARD_H
#define LIFEBOAT_KEXEC_BUNDLE_BOARD_H

#include "fdt/machine.h"
#include "kexec/bundle/bundle.h"

#define BOARD_UNSAID (SIZE_MAX - 1) /* for any board, as far as is known */
#define BOARD_OTHER  SIZE_MAX	    /* for other boards than this one */

/** Names of boards, as a root's compatible has them: NUL-separated strings. */
struct board_names {
	const char *first; /* NULL: none */
	size_t size;	   /* bytes, NULs included */
};

/** The boards that the configuration at the offset @node is for. */
struct board_names board_names(const struct bundle *bundle, int node);

/**
 * How well the configuration at @node suits @machine: the place in the machine's compatible list, most
 * special first, of the first name that is among the configuration's; BOARD_UNSAID, BOARD_OTHER.
 */
size_t board_rank(const struct bundle *bundle, int node, const struct machine *machine);

/**
 * What says that the configuration @name is for another board than @machine: the first name of those that it
 * has itself, or that its FDT has; NULL if neither does.
 */
const char *board_foreign(const struct bundle *bundle, const char *name, const struct machine *machine);

#endif
