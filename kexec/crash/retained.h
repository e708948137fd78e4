/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Retained memory: what outlived a reset in the crash region. The stage reads it here, and nowhere else.
 *
 * The rule: whoever owned the system before may have written every byte of it, under a right checksum. So a
 * field is checked by one predicate when it is read, and what is handed on is a value within its bounds or a
 * place inside of the region: nobody behind this file asks again. None of it is a reason to execute
 * something: with a required key boot/crash/prepare.c makes anew what is entered. (The record and the call
 * area have their predicates beside their structs, in record.c and area.c. What a dead kernel left in its own
 * RAM is kexec/dead's, by the same rule.)
 */
#ifndef LIFEBOAT_KEXEC_CRASH_RETAINED_H
#define LIFEBOAT_KEXEC_CRASH_RETAINED_H

#include "kexec/crash/elfcorehdr.h"
#include "kexec/crash/record.h"

/**
 * Read the record of a machine whose RAM has the hash @map_hash (crash_hash_ram()).
 *
 * @memory   CRASH_RECORD_SIZE bytes, page-aligned; any contents
 * @damaged  receives whether one of its two slots was harmed; the other is good
 * Return: LB_OK, and the record is sound (record.h); as crash_record_read(); LB_ECONFLICT another machine's.
 */
LB_MUST_CHECK enum lb_err retained_record(const void *memory, uint64_t map_hash, struct crash_record *record,
					  bool *damaged, struct diag *diag);

/**
 * Is @record of the crash region @all that keeps @kept bytes for userspace's crash kernel, and of no other?
 * LB_ECONFLICT: it is not, and @diag says of which.
 */
LB_MUST_CHECK enum lb_err retained_is_of(const struct crash_record *record, struct region all, uint64_t kept,
					 struct diag *diag);

/**
 * Does somebody wait in a crash region that ends at @end, all of it in @piece? Whatever else @record says, it
 * is about that region then.
 */
bool retained_waits_at(const struct crash_record *record, struct region piece, paddr_t end);

/** Does somebody rely on @record, so that its region must be looked after before it may be another's? */
bool retained_waits(const struct crash_record *record);

/** Can the page be read in which the last primary's kernel began, as @record says, by @reach? */
bool retained_has_kernel(const struct crash_record *record, const struct region_set *reach);

/** Where the crash kernel ran that was started last: as @record says, if that is RAM in @free; else @own. */
struct region retained_last_usable(const struct crash_record *record, const struct region_set *free,
				   struct region own);

/** Of a call area of CRASH_CALL_SIZE bytes: was a kernel started since it was wiped? */
bool retained_has_started(const void *area);

/** Did the dead system ask for a capture, by a call that went into a reset? @pa is where the area lies. */
bool retained_was_called(const void *area, paddr_t pa);

/**
 * Add the notes that were saved in a call area at @pa and are whole to @core, as far as there is room beside
 * one more. @harts receives how many could have saved one. Return: how many did.
 */
size_t retained_add_notes(const void *area, paddr_t pa, struct elfcorehdr_request *core, size_t *harts);

/** The text in a place of @room bytes, @size bytes of it; NULL: there is none. */
const char *retained_text(const void *memory, uint64_t room, uint64_t *size);

#endif
