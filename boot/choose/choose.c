// SPDX-License-Identifier: BSD-2-Clause
/* Which configuration becomes the primary: the one that is wanted, or the next one that is any good. */
#include "boot/choose/choose.h"

#include <stdio.h>

#include "boot/choose/menu.h"
#include "boot/load/load.h"

/*
 * Linux's own defaults do not suit a machine that shall capture: panic=0 stands still for ever, and a cold reboot
 * cycles DRAM's power on many boards.
 */
static void add_panic_options(char *bootargs, struct log *log)
{
	static const struct bootargs_option options[] = {{"panic=", " panic=5"},
							 {"reboot=", " reboot=panic_warm"}};

	bootargs_add(bootargs, options, ARRAY_SIZE(options), "so that a panic ends in a reset", log);
}

/* The configuration's own bootargs come first; then what the FDT said, so that it can override. */
static void wish(const struct facts *facts, const struct crash *crash, struct payload *primary)
{
	bootargs_set(primary->bootargs, primary->config.bootargs, facts->hw->machine.bootargs, facts->log);
	primary->wishes = (struct fdt_wishes){.bootargs = primary->bootargs};
	if (!crash->prepared)
		return;
	add_panic_options(primary->bootargs, facts->log);
	primary->wishes.reservation = crash->reservation;
	primary->wishes.reservation_count = crash->reservation_count;
}

static enum lb_err try_to_load(const struct facts *facts, struct memmap *map, const struct crash *crash,
			       struct payload *primary, const char *name)
{
	/* What firmware loads again on a reset is no place for anything, once a reset may bring a crash kernel. */
	const bool keep_bundle = crash->region.all.size != 0;
	enum lb_err err = load_read(facts, primary, name);

	if (err)
		return err;
	wish(facts, crash, primary);
	err = load_plan(facts, primary, map, keep_bundle);
	return err ? err : load_carry_out(facts, primary);
}

/* Before it is loaded: its name lies in the bundle, which may be overwritten then. */
static void note(struct chosen *chosen, size_t index, const char *name)
{
	chosen->index = index;
	snprintf(chosen->name, sizeof(chosen->name), "%s", name);
}

static uint32_t find_demoted(const struct facts *facts, struct crash *crash, const struct choices *choices)
{
	return WITH_CRASH ? arm_find_demoted(facts, crash, choices) : 0;
}

enum lb_err choose_primary(const struct facts *facts, struct memmap *map, struct crash *crash,
			   struct choices *choices, struct payload *primary, struct chosen *chosen,
			   struct exit *exit)
{
	size_t order[CHOICES_MAX + 1], count, wanted;
	struct diag *diag = &facts->log->diag;
	uint32_t demoted;
	enum lb_err err = choices_read(&facts->source->bundle, choices, diag);

	if (err)
		return err;
	demoted = find_demoted(facts, crash, choices);
	wanted = menu_choose(&(struct menu){facts, map, crash, choices, primary, demoted});
	count = choices_order(choices, wanted, demoted, order);
	for (size_t i = 0; i < count; i++) {
		const char *name = choices->name[order[i]];

		note(chosen, order[i], name);
		err = try_to_load(facts, map, crash, primary, name);
		if (!err)
			break;
		if (i + 1 < count)
			log_warn(facts->log, "choose: '" FIT_NAME "' is bad: %s", name, diag->text);
	}
	chosen->kernel = (struct region){primary->plan.entry, primary->config.image.mem_size};
	*exit = (struct exit){primary->plan.entry, primary->plan.fdt};
	return err;
}
