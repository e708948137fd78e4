/* SPDX-License-Identifier: BSD-2-Clause */
/* The menu at the console: which configuration to boot, and what is known of the machine. */
#ifndef LIFEBOAT_BOOT_MENU_H
#define LIFEBOAT_BOOT_MENU_H

#include "boot/context.h"

/**
 * Wait for a key as long as bootargs' lifeboat.menu says, and if one comes, show the menu until something is chosen.
 *
 * Sets ctx->wanted to the configuration that was chosen. Without the option it returns at once, and does not even look.
 * Context: the stage may write to free RAM; the primary is not chosen yet.
 */
void menu_run(struct boot_context *ctx);

#endif
