/* SPDX-License-Identifier: BSD-2-Clause */
/* What libfdt's errors mean, for the person at the console. Private to fdt/. */
#ifndef LIFEBOAT_FDT_WORDS_H
#define LIFEBOAT_FDT_WORDS_H

/** What is wrong with a tree when libfdt says @code, a negative error, of it. Never NULL. */
const char *fdt_words(int code);

#endif
