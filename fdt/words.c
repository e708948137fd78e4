// SPDX-License-Identifier: BSD-2-Clause
/* What libfdt's errors mean, for the person at the console. */
#include "fdt/words.h"

#include <libfdt.h>

#include "base/types.h"

/* The words are in the table, not pointed to: a pointer is three times its size in relocations. */
static const struct {
	char words[27];
	unsigned char code;
} meanings[] = {
	{"what it needs is missing", FDT_ERR_NOTFOUND},
	{"it would exceed 2 MiB", FDT_ERR_NOSPACE},
	{"it is cut off", FDT_ERR_TRUNCATED},
	{"it has no FDT's magic", FDT_ERR_BADMAGIC},
	{"it is not version 17", FDT_ERR_BADVERSION},
	{"its structure is damaged", FDT_ERR_BADSTRUCTURE},
	{"its blocks are displaced", FDT_ERR_BADLAYOUT},
	{"its cells do not fit", FDT_ERR_BADNCELLS},
	{"its fixups are damaged", FDT_ERR_BADOVERLAY},
	{"its blocks are misaligned", FDT_ERR_ALIGNMENT},
	{"libfdt refuses it", 0},
};

const char *fdt_words(int code)
{
	size_t i = 0;

	while (meanings[i].code && meanings[i].code != -code)
		i++;
	return meanings[i].words;
}
