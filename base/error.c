// SPDX-License-Identifier: BSD-2-Clause
/* Failure codes by name, and the one line that goes with a failure. */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/types.h"

static const char *const names[] = {
	[-LB_OK] = "ok",
	[-LB_EINVAL] = "bad argument",
	[-LB_EFORMAT] = "bad format",
	[-LB_ERANGE] = "out of range",
	[-LB_ENOSPC] = "no room",
	[-LB_ENOENT] = "not found",
	[-LB_ECONFLICT] = "conflict",
	[-LB_EUNSUPPORTED] = "not supported",
	[-LB_EUNTRUSTED] = "not trusted",
};

const char *lb_err_name(enum lb_err code)
{
	size_t index = (size_t)(-(int)code);

	return index < ARRAY_SIZE(names) ? names[index] : "unknown error";
}

enum lb_err diag_fail(struct diag *diag, enum lb_err code, const char *format, ...)
{
	va_list args;

	if (!diag)
		return code;
	va_start(args, format);
	vsnprintf(diag->text, sizeof(diag->text), format, args);
	va_end(args);
	return code;
}
