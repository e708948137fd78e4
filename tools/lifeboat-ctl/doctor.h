/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The doctor: does this machine's RAM keep its contents over a reset?
 *
 * It writes a pattern where nothing is prepared in the crash region, notes in a file what it wrote, and after
 * the reset counts the bits that are still there.
 */
#ifndef LIFEBOAT_TOOLS_DOCTOR_H
#define LIFEBOAT_TOOLS_DOCTOR_H

#include "kexec/crash/record.h"
#include "mm/region.h"

#define DOCTOR_MAX (32 * MIB)

/** A test that was begun: where the pattern is, and which. */
struct doctor_test {
	struct region range; /* whole pages */
	uint64_t seed;
};

/** What is left of a pattern. */
struct doctor_survey {
	uint64_t pages;
	uint64_t whole;	  /* of these, pages without one wrong bit */
	uint64_t damaged; /* pages that have more of it than chance has */
	uint64_t lost;	  /* the others */
	uint64_t bits_kept;
};

/**
 * Where a pattern does no harm: the largest part of @usable that no piece of @record lies in.
 *
 * Return: whole pages, DOCTOR_MAX at most; size 0 if there is no such place.
 */
struct region doctor_room(struct region usable, const struct crash_record *record);

/** Write the pattern of @test to @memory, where its range is mapped. */
void doctor_write(void *memory, const struct doctor_test *test);

/** Compare @memory, where the range of @test is mapped, with its pattern. */
struct doctor_survey doctor_look(const void *memory, const struct doctor_test *test);

/**
 * Keep @test in the file @path over the reset, on the disk when this returns.
 *
 * Return: LB_OK; LB_EINVAL the file can't be written.
 */
LB_MUST_CHECK enum lb_err doctor_save(const char *path, const struct doctor_test *test, struct diag *diag);

/**
 * Read the test that was begun.
 *
 * @usable  where its range must be
 * Return: LB_OK; LB_ENOENT there is none; LB_EFORMAT the file is no test of this region.
 */
LB_MUST_CHECK enum lb_err doctor_load(const char *path, struct region usable, struct doctor_test *test,
				      struct diag *diag);

/**
 * Print the report, for people to post.
 *
 * @devicetree  names the machine
 */
void doctor_report(const char *devicetree, const struct doctor_test *test,
		   const struct doctor_survey *survey);

#endif
