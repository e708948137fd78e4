/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that a boot knows, each fact in the struct of its one writer.
 *
 * There is one, made in start.c. Only start, end, trap and the face of boot/crash see it whole; everybody
 * else is handed the parts that he needs, const unless he writes them.
 */
#ifndef LIFEBOAT_BOOT_CONTEXT_H
#define LIFEBOAT_BOOT_CONTEXT_H

#include "boot/crash/state.h"
#include "boot/facts.h"
#include "boot/load/payload.h"
#include "boot/load/trust.h"
#include "boot/smp.h"

struct boot_context;

/** A boot from some point on, to its end. */
typedef void boot_step(struct boot_context *ctx);

struct boot_context {
	struct log log;
	struct cost cost;
	struct hw hw;
	struct stage stage;
	struct source source;
	struct memmap memmap; /* who has taken what: who takes writes it */
	struct trust trust;
	struct smp smp;
	struct boot_policy policy; /* the bundle's, of primaries that come to nothing */
	struct payload primary, crash_kernel;
	struct crash crash;
	struct dead dead;
	boot_step *on_trap; /* what a trap leads to, in place of the end; start writes it */
	struct facts facts; /* the facts above, as those below start() read them */
};

#endif
