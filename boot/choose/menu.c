// SPDX-License-Identifier: BSD-2-Clause
/* The console menu. Read menu_choose() at the bottom first. */
#include "boot/choose/menu.h"

#include <stdio.h>

#include "boot/choose/page.h"
#include "boot/crash/logs.h"
#include "boot/load/load.h"
#include "boot/load/trust.h"
#include "boot/machine/sbi.h"
#include "boot/report.h"
#include "kexec/bundle/board.h"
#include "kexec/crash/retained.h"
#include "version.h"

#define SECONDS_MAX  600
#define VERDICT_SIZE sizeof(((struct diag *)0)->text)

/* ---- What one can look at, and do ---- */

static void show_memory(const struct menu *menu)
{
	struct log *log = menu->facts->log;
	const enum log_level level = log->level;

	if (log->level < LOG_INFO)
		log->level = LOG_INFO;
	report_memory(menu->map, log);
	log->level = level;
}

/* The ring, from where it is oldest. */
static void show_this_log(const struct menu *menu)
{
	const struct log *log = menu->facts->log;
	const size_t next = log->written % LOG_RING_SIZE;
	struct text text = {{log->ring, ""}, {log->written, 0}};

	if (log->written > LOG_RING_SIZE)
		text = (struct text){{log->ring + next, log->ring}, {LOG_RING_SIZE - next, next}};
	page_show(menu->facts, &text);
}

/* A log that outlived a reset in the crash region. */
static void show_kept_log(const struct menu *menu, struct region where, const char *none)
{
	uint64_t size = 0;
	const char *kept =
		where.size ? retained_text(facts_at(menu->facts, where.base), where.size, &size) : NULL;
	const struct text text = {{kept, ""}, {size, 0}};

	if (kept)
		page_show(menu->facts, &text);
	else
		page_say(menu->facts, "%s", none);
}

static void show_previous_log(const struct menu *menu)
{
	show_kept_log(menu, menu->crash->region.run_log[0], "No log of the run before was kept.");
}

static void show_dead_log(const struct menu *menu)
{
	show_kept_log(menu, menu->crash->region.dead_log, "No dead kernel left a log.");
}

static void save_log(const struct menu *menu)
{
	if (WITH_CRASH)
		logs_save(menu->facts, menu->crash);
}

static void reset(const struct menu *menu)
{
	log_info(menu->facts->log, "menu: resetting");
	save_log(menu);
	sbi_restart();
	page_say(menu->facts, "The firmware can't reset.");
}

static void power_off(const struct menu *menu)
{
	log_info(menu->facts->log, "menu: switching off");
	save_log(menu);
	sbi_reset(SBI_RESET_SHUTDOWN);
	page_say(menu->facts, "The firmware can't switch off.");
}

static const struct {
	char key;
	void (*run)(const struct menu *menu);
} actions[] = {
	{'m', show_memory},   {'l', show_this_log}, {'p', show_previous_log},
	{'d', show_dead_log}, {'r', reset},	    {'o', power_off},
};

static void act(const struct menu *menu, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].key == key)
			actions[i].run(menu);
	}
}

/* ---- The screen ---- */

/* Can it be read, and is it signed where it must be? (Hashes are checked when it is loaded.) */
static bool is_good(const struct menu *menu, size_t index)
{
	return !load_look(menu->facts, menu->look, menu->choices->name[index]) &&
	       !trust_look(menu->facts, menu->look);
}

/* @verdict receives what it is, or what is wrong with it. */
static bool look_at(const struct menu *menu, size_t index, char verdict[VERDICT_SIZE])
{
	if (!is_good(menu, index)) {
		snprintf(verdict, VERDICT_SIZE, "%s", menu->facts->log->diag.text);
		return false;
	}
	load_describe(menu->look, verdict, VERDICT_SIZE);
	return true;
}

static bool is_foreign(const struct menu *menu, size_t index)
{
	return board_foreign(&menu->facts->source->bundle, menu->choices->name[index],
			     &menu->facts->hw->machine);
}

static void show_choice(const struct menu *menu, size_t index, char key, size_t preferred, bool demoted)
{
	char verdict[VERDICT_SIZE];
	const bool good = look_at(menu, index, verdict);

	page_say(menu->facts, "%c %c  %-16s %s%s%s%s", index == preferred ? '>' : ' ', key,
		 menu->choices->name[index], good ? "" : "BAD: ", demoted ? "died early too often: " : "",
		 is_foreign(menu, index) ? "for another board: " : "", verdict);
}

static void show_screen(const struct menu *menu, size_t preferred)
{
	const struct choices *choices = menu->choices;

	page_say(menu->facts, "%s", "");
	page_say(menu->facts, "---- lifeboat " LIFEBOAT_VERSION ": what shall be started? ----");
	for (size_t i = 0; i < choices->count; i++)
		show_choice(menu, i, (char)('1' + i), preferred, menu->demoted >> i & 1);
	if (preferred == CHOICES_MAX)
		show_choice(menu, preferred, ' ', preferred, false);
	if (choices->more)
		page_say(menu->facts, "     %zu more can be named by lifeboat.config=", choices->more);
	page_say(menu->facts, "  crash kernel: %s",
		 !menu->crash->can_arm		   ? "none (l tells why)"
		 : menu->crash->record.crash_entry ? "staged"
						   : "userspace's to load");
	page_say(menu->facts, "%s", "");
	page_say(menu->facts, "  1-%zu boot that one   Enter boot >   m memory map   r reset   o power off",
		 choices->count);
	page_say(menu->facts, "  logs:  l of this run   p of the run before   d of the dead kernel");
}

/* ---- The choice ---- */

static bool is_enter(int key)
{
	return key == '\r' || key == '\n';
}

/* Return: the index to boot; CHOICES_NONE if the key, or the choice, is none. */
static size_t take(const struct menu *menu, int key, size_t preferred)
{
	const size_t index = is_enter(key) ? preferred : (size_t)key - '1';
	char verdict[VERDICT_SIZE];

	if (!is_enter(key) && (key < '1' || index >= menu->choices->count)) {
		act(menu, key);
		return CHOICES_NONE;
	}
	if (look_at(menu, index, verdict))
		return index;
	log_warn(menu->facts->log, "menu: '" FIT_NAME "' can't be started: %s", menu->choices->name[index],
		 verdict);
	return CHOICES_NONE;
}

/* lifeboat.menu=SECONDS. Return: false if there is none. */
static bool read_seconds(const struct menu *menu, uint32_t *seconds)
{
	size_t length;
	const char *value = discover_option(menu->facts->hw, "lifeboat.menu", &length);

	if (!value)
		return false;
	if (text_read_number(value, length, SECONDS_MAX, seconds))
		return true;
	log_warn(menu->facts->log, "bootargs: lifeboat.menu=%.*s is no number of seconds from 0 to %d",
		 (int)length, value, SECONDS_MAX);
	return false;
}

/* The one that lifeboat.config= asks for. */
static size_t find_wanted(const struct menu *menu)
{
	size_t length, wanted;
	const char *name = discover_option(menu->facts->hw, "lifeboat.config", &length);

	if (!name)
		return CHOICES_NONE;
	wanted = choices_find(&menu->facts->source->bundle, menu->choices, name, length);
	if (wanted == CHOICES_NONE)
		log_warn(menu->facts->log,
			 "bootargs: lifeboat.config=%.*s names no configuration: the default one is taken",
			 (int)length, name);
	return wanted;
}

/* What will be started if nobody says otherwise: the first that is good. */
static size_t find_preferred(const struct menu *menu, size_t wanted)
{
	size_t order[CHOICES_MAX + 1], count = choices_order(menu->choices, wanted, menu->demoted, order);

	for (size_t i = 0; i < count; i++) {
		if (is_good(menu, order[i]))
			return order[i];
	}
	return order[0];
}

size_t menu_choose(const struct menu *menu)
{
	size_t wanted, preferred, chosen;
	uint32_t seconds;
	int key;

	if (!WITH_MENU)
		return CHOICES_NONE;
	wanted = find_wanted(menu);
	if (!read_seconds(menu, &seconds))
		return wanted;
	if (seconds)
		log_info(menu->facts->log, "menu: press a key within %u s", (unsigned)seconds);
	if (page_wait_key(menu->facts, seconds) < 0)
		return wanted;
	preferred = find_preferred(menu, wanted);
	do {
		show_screen(menu, preferred);
		key = page_wait_key(menu->facts, PAGE_IDLE_SECONDS);
		if (key < 0) {
			log_warn(menu->facts->log, "menu: nobody pressed a key for %d s: going on without",
				 PAGE_IDLE_SECONDS);
			return wanted;
		}
		chosen = take(menu, key, preferred);
	} while (chosen == CHOICES_NONE);
	log_info(menu->facts->log, "menu: '" FIT_NAME "' was chosen", menu->choices->name[chosen]);
	return chosen;
}
