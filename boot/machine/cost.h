/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What instructions were spent on, and for how many bytes. Exact on QEMU with -icount, host time otherwise.
 */
#ifndef LIFEBOAT_BOOT_MACHINE_COST_H
#define LIFEBOAT_BOOT_MACHINE_COST_H

#include "boot/machine/instret.h"

enum cost_kind {
	COST_COPY,
	COST_CHECK,
	COST_UNPACK, /* bytes that came out */
	COST_SIGNATURE,
	COST_KINDS,
};

struct cost {
	bool usable;	/* may S-mode read the counter? */
	uint64_t start; /* the counter at the stage's first instruction */
	struct {
		uint64_t instructions, bytes;
	} spent[COST_KINDS];
	bool shared;	     /* other harts have hashed some images */
	char checked_by[48]; /* the hashes of the last image, and how each was computed; cut */
};

/** Begin to count: what it returns goes to cost_end(). */
static inline uint64_t cost_begin(const struct cost *cost)
{
	return instret_read(cost->usable);
}

/** What was done since cost_begin() was of this @kind, and moved or read so many @bytes. */
static inline void cost_end(struct cost *cost, enum cost_kind kind, uint64_t begin, uint64_t bytes)
{
	cost->spent[kind].instructions += instret_read(cost->usable) - begin;
	cost->spent[kind].bytes += bytes;
}

#endif
