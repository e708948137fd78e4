// SPDX-License-Identifier: BSD-2-Clause
/* Which configuration becomes the primary: the one that is wanted, or the next one that is any good. */
#include "boot/choose/choose.h"

#include <stdio.h>

#include "boot/choose/menu.h"
#include "boot/crash/region.h"
#include "boot/load/load.h"

/*
 * Linux's own defaults do not suit a machine that shall capture: panic=0 stands still for ever, and a cold
 * reboot cycles DRAM's power on many boards.
 */
static void wish(const struct crash *crash, bool may_arm, struct payload *primary)
{
	primary->rule = (struct bootargs_rule){.firmwares = FIRMWARES_LAST};
	primary->wishes = (struct fdt_wishes){.bootargs = NULL};
	if (!may_arm)
		return;
	primary->rule.needs = "panic=5 reboot=panic_warm";
	primary->rule.why = "so that a panic ends in a reset";
	primary->wishes.reservation = crash->reservation;
	primary->wishes.reservation_count = crash->reservation_count;
	primary->wishes.no_map_at_all = primary->config.is_firmware;
}

/*
 * Does it go without crash support, where it did not go with it? Then that is given up. (And so it is where
 * the primary was unpacked into the crash region, to no avail.)
 */
static enum lb_err plan_without_crash(const struct facts *facts, struct memmap *map, struct crash *crash,
				      struct payload *primary)
{
	const struct diag why = facts->log->diag;
	enum lb_err err;

	region_map_without(facts, map, crash);
	err = load_machine(facts, primary, &crash->usable);
	if (err)
		return err;
	wish(crash, false, primary);
	err = load_plan(facts, primary, false);
	if (!err || primary->unpacked.size)
		region_give_up(facts, map, crash, &why);
	return err;
}

static enum lb_err try_to_load(const struct facts *facts, struct memmap *map, struct crash *crash,
			       struct payload *primary, const char *name, bool *may_arm)
{
	/*
	 * What firmware loads again on a reset is no place for anything, once a reset may bring a crash
	 * kernel.
	 */
	const bool keep_bundle = crash->region.all.size != 0;
	enum lb_err err = load_read(facts, primary, name);

	if (!err)
		err = load_machine(facts, primary, map);
	if (err)
		return err;
	*may_arm = WITH_CRASH && crash->can_arm && region_suits(crash, primary->machine, facts->log);
	wish(crash, *may_arm, primary);
	err = load_plan(facts, primary, keep_bundle);
	if (err && WITH_CRASH && crash->region.all.size) {
		*may_arm = false;
		err = plan_without_crash(facts, map, crash, primary);
	}
	return err ? err : load_carry_out(facts, primary);
}

/* What the bundle says of early deaths; a build without crash support counts none. */
static uint32_t find_demoted(const struct facts *facts, struct crash *crash, const struct choices *choices,
			     const struct boot_policy *policy, struct boot_start *start)
{
	if (!WITH_CRASH || !crash->can_arm)
		return 0;
	start->bundle_id = bundle_identify(&facts->source->bundle);
	start->limit = policy->limit;
	start->seconds = policy->seconds;
	return arm_find_demoted(facts, crash, choices, start);
}

/* Before it is loaded: its name lies in the bundle, which may be overwritten then. */
static void note_choice(struct chosen *chosen, size_t index, const char *name)
{
	snprintf(chosen->name, sizeof(chosen->name), "%s", name);
	chosen->start.config = index;
	chosen->start.name = chosen->name;
}

enum lb_err choose_primary(const struct facts *facts, struct memmap *map, struct crash *crash,
			   struct boot_policy *policy, struct payload *primary, struct chosen *chosen,
			   struct exit *exit)
{
	struct menu menu = {.facts = facts, .map = map, .crash = crash, .look = primary};
	size_t order[CHOICES_MAX + 1], count;
	struct diag *diag = &facts->log->diag, warning;
	struct choices choices;
	enum lb_err err = choices_read(&facts->source->bundle, &facts->hw->machine, &choices, diag);

	bundle_policy(&facts->source->bundle, policy, &warning);
	if (err)
		return err;
	if (*warning.text)
		log_warn(facts->log, "%s", warning.text);
	menu.choices = &choices;
	menu.demoted = find_demoted(facts, crash, &choices, policy, &chosen->start);
	count = choices_order(&choices, menu_choose(&menu), menu.demoted, order);
	for (size_t i = 0; i < count; i++) {
		const char *name = choices.name[order[i]];

		note_choice(chosen, order[i], name);
		err = try_to_load(facts, map, crash, primary, name, &chosen->may_arm);
		if (!err)
			break;
		if (i + 1 < count)
			log_warn(facts->log, "choose: '" FIT_NAME "' is bad: %s", name, diag->text);
	}
	if (!primary->config.is_firmware) /* which puts its kernel where it likes */
		chosen->kernel = (struct region){primary->plan.entry, primary->config.image.mem_size};
	*exit = (struct exit){primary->plan.entry, primary->plan.fdt};
	return err;
}
