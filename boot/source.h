/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the payloads come from: the bundle, who named it, and its FIT, opened once for each address space. */
#ifndef LIFEBOAT_BOOT_SOURCE_H
#define LIFEBOAT_BOOT_SOURCE_H

#include "boot/discover.h"
#include "kexec/bundle/bundle.h"

/** The bundle, or the bare payload in its place. Written here alone. */
struct source {
	struct region where;  /* size 0: none was found, or none that is whole */
	const char *from;     /* who said so, for the log */
	bool is_ram;	      /* taken in the memory map; flash is not */
	struct region beside; /* an initrd that firmware brought beside it; size 0: none */
	enum lb_err err;      /* not LB_OK: nothing can be started from it */
	struct diag why;      /* then: the line for the person */
	struct bundle bundle; /* opened, where the stage sees it now; undefined if err is not LB_OK */
};

/**
 * Find where the payloads are; the first hit wins: /chosen linux,initrd-start (a FIT or a bare payload),
 * /chosen lifeboat,bundle, behind the stage's own image, the platform's flash. Open it.
 *
 * Takes it, and an initrd beside it, in @map. source->err says how it went: LB_ENOENT nothing found.
 * Context: before stage_move().
 */
void source_find(struct source *source, const struct hw *hw, struct stage *stage, struct memmap *map,
		 struct log *log);

/**
 * Open it again, by the physmap of the final tables. What fails goes into source->err. Context: after
 * stage_move().
 */
void source_reopen(struct source *source, const struct stage *stage);

#endif
