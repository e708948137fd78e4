/* SPDX-License-Identifier: BSD-2-Clause */
/* What the menu is made of: lines without the log's prefix, keys, and text a page at a time. */
#ifndef LIFEBOAT_BOOT_CHOOSE_PAGE_H
#define LIFEBOAT_BOOT_CHOOSE_PAGE_H

#include "base/text.h"
#include "boot/facts.h"

#define PAGE_IDLE_SECONDS 300 /* nobody is there any more: noise on the line must not keep a machine down */

/** Print a line on the console only, cut at the terminal's width; what is not printable ASCII becomes '?'. */
void page_say(const struct facts *facts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Wait for a key, at most @seconds; at least once it is looked whether one was pressed.
 *
 * Without a clock that S-mode may read, a second is what so many looks are taken to last. Noise is no key.
 * Return: a printable character, CR, LF or ESC; -1 if none came.
 */
int page_wait_key(const struct facts *facts, uint32_t seconds);

/** Show @text by pages, the last one first, as long as keys say so. */
void page_show(const struct facts *facts, const struct text *text);

#endif
