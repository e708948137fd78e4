// SPDX-License-Identifier: BSD-2-Clause
/* What libfdt's overlays need of strtoul(): decimal digits. picolibc's own wants an errno. */
#include <limits.h>
#include <stdlib.h>

unsigned long strtoul(const char *text, char **end, int base)
{
	unsigned long value = 0;

	(void)base;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (unsigned long)(*text - '0'), &value))
			value = ULONG_MAX;
	}
	*end = (char *)text;
	return value;
}
