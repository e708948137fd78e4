/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person wants to be started, said in bootargs or at the console. Off by -Dmenu=false. */
#ifndef LIFEBOAT_BOOT_CHOOSE_MENU_H
#define LIFEBOAT_BOOT_CHOOSE_MENU_H

#include "boot/context.h"

/**
 * Which configuration shall be started? lifeboat.config=NAME says it; or else, if bootargs have lifeboat.menu=SECONDS and
 * a key is pressed in that time, the person at the console.
 *
 * Never waits for ever: a menu that nobody touches boots after five minutes. May reset the machine or switch it off.
 * @demoted  by the boot counter, a bit for each
 * Return: an index in ctx->choices; CHOICES_NONE nobody said.
 */
size_t menu_choose(struct boot_context *ctx, uint32_t demoted);

#endif
