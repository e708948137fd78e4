/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot counter in the crash record: a primary that dies early, again and again, is demoted to the next
 * one.
 *
 * It counts deaths, not boots: a primary that is reset in good order is no reason to start another one. What
 * it counts belongs to one bundle; another bundle begins anew.
 */
#ifndef LIFEBOAT_KEXEC_CRASH_DEATHS_H
#define LIFEBOAT_KEXEC_CRASH_DEATHS_H

#include "kexec/crash/record.h"

/** What a death did to the counter. */
enum boot_count_verdict {
	BOOT_COUNT_OFF,	      /* nobody asked for it */
	BOOT_COUNT_CONFIRMED, /* userspace had said that all is well */
	BOOT_COUNT_LATE,      /* it had lived for long enough */
	BOOT_COUNT_EARLY,     /* one more in a row */
	BOOT_COUNT_DEMOTED,   /* that was one too many: the next configuration's turn */
};

/** How long it lived is not known: it left no log, so it is taken to have died at once. */
#define BOOT_COUNT_NO_LOG 0

/**
 * The primary that @record describes died; it had lived for @lived_ns at least. Changes the counter in
 * @record only.
 */
enum boot_count_verdict boot_count_death(struct crash_record *record, uint64_t lived_ns);

/**
 * Which of the first @count (CRASH_CONFIGS at most) configurations of the bundle @bundle_id are demoted: a
 * bit each. Forgets in @record what was of another bundle, and begins anew when all would be demoted, or
 * when the bundle has no @limit.
 */
uint32_t boot_count_demoted(struct crash_record *record, uint64_t bundle_id, uint32_t limit, size_t count);

/** A primary that is about to be started, and what its bundle says of early deaths. */
struct boot_start {
	uint64_t bundle_id;
	uint32_t limit;	  /* early deaths in a row that demote; 0: none do */
	uint32_t seconds; /* what early is */
	size_t config;	  /* which of the bundle's configurations */
	const char *name; /* of that */
};

/** Note a start in @record. Context: after boot_count_demoted(). */
void boot_count_start(struct crash_record *record, const struct boot_start *start);

#endif
