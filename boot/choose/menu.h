/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person wants to be started, said in bootargs or at the console. Off by -Dmenu=false. */
#ifndef LIFEBOAT_BOOT_CHOOSE_MENU_H
#define LIFEBOAT_BOOT_CHOOSE_MENU_H

#include "boot/crash/state.h"
#include "boot/load/payload.h"
#include "kexec/bundle/choices.h"

/** What the menu shows, and chooses from. */
struct menu {
	const struct facts *facts;
	const struct memmap *map;
	struct crash *crash;	 /* its logs; and this run's is kept there before a reset */
	struct choices *choices; /* one may be added that is asked for by name */
	struct payload *look;	 /* room to look at a configuration */
	uint32_t demoted;	 /* by the boot counter, a bit for each */
};

/**
 * Which configuration shall be started? lifeboat.config=NAME says it; or else, if bootargs have
 * lifeboat.menu=SECONDS and a key is pressed in that time, the person at the console.
 *
 * Never waits for ever: a menu that nobody touches boots after five minutes. May reset the machine or switch
 * it off.
 * Return: an index in the choices; CHOICES_NONE nobody said.
 */
size_t menu_choose(const struct menu *menu);

#endif
