/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a function says that it failed, and what a person is told about it.
 *
 * A function that can fail returns enum lb_err; its caller must look (the compiler insists). The code
 * is for programs. The sentence for the person at the console is written once, at the place that knows
 * what is wrong, into a struct diag that the caller owns; only boot/ prints it.
 */
#ifndef LIFEBOAT_BASE_ERROR_H
#define LIFEBOAT_BASE_ERROR_H

enum lb_err {
	LB_OK = 0,
	LB_EINVAL = -1,	      /* an argument breaks the function's contract */
	LB_EFORMAT = -2,      /* data from outside is malformed */
	LB_ERANGE = -3,	      /* a number from outside is out of range or overflows */
	LB_ENOSPC = -4,	      /* no room: RAM, a table, a buffer */
	LB_ENOENT = -5,	      /* the thing asked for is not there */
	LB_ECONFLICT = -6,    /* two things claim the same place */
	LB_EUNSUPPORTED = -7, /* well-formed, but more than this build can do */
	LB_EUNTRUSTED = -8,   /* not signed, or not so that the policy is content */
};

#define LB_MUST_CHECK __attribute__((warn_unused_result))

/** Room for one line at the console. */
struct diag {
	char text[192];
};

/**
 * Write the line that explains a failure, and return its code.
 *
 * Made for `return diag_fail(diag, LB_EFORMAT, "bundle: no /images node")`. The line says what is
 * wrong, where, and what to do; no newline at its end; a longer line is cut.
 * @diag  may be NULL: then only the code is passed on
 * Return: @code, always.
 */
enum lb_err diag_fail(struct diag *diag, enum lb_err code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The name of a code, such as "bad format". Never NULL. */
const char *lb_err_name(enum lb_err code);

#endif
