// SPDX-License-Identifier: BSD-2-Clause
/* The console menu. Read menu_choose() at the bottom first. */
#include "boot/choose/menu.h"

#include <stdio.h>

#include "boot/choose/page.h"
#include "boot/crash/crash.h"
#include "boot/discover.h"
#include "boot/load/payload.h"
#include "boot/load/trust.h"
#include "boot/machine/sbi.h"
#include "boot/start.h"
#include "kexec/crash/text.h"
#include "version.h"

#define SECONDS_MAX  600
#define VERDICT_SIZE sizeof(((struct diag *)0)->text)

/* ---- What one can look at, and do ---- */

static void show_memory(struct boot_context *ctx)
{
	const enum log_level level = ctx->log.level;

	if (ctx->log.level < LOG_INFO)
		ctx->log.level = LOG_INFO;
	boot_print_memory(ctx);
	ctx->log.level = level;
}

/* The ring, from where it is oldest. */
static void show_this_log(struct boot_context *ctx)
{
	const struct log *log = &ctx->log;
	const size_t next = log->written % LOG_RING_SIZE;
	struct text text = {{log->ring, ""}, {log->written, 0}};

	if (log->written > LOG_RING_SIZE)
		text = (struct text){{log->ring + next, log->ring}, {LOG_RING_SIZE - next, next}};
	menu_page(ctx, &text);
}

/* A log that outlived a reset in the crash region. */
static void show_kept_log(struct boot_context *ctx, struct region where, const char *none)
{
	const struct crash_text *kept = where.size ? physmap_pointer(&ctx->physmap, where.base) : NULL;
	const uint64_t size = kept ? crash_text_size(kept, where.size) : 0;
	const struct text text = {{size ? kept->text : "", ""}, {size, 0}};

	if (size)
		menu_page(ctx, &text);
	else
		menu_say(ctx, "%s", none);
}

static void show_previous_log(struct boot_context *ctx)
{
	show_kept_log(ctx, ctx->crash.region.run_log[0], "No log of the run before was kept.");
}

static void show_dead_log(struct boot_context *ctx)
{
	show_kept_log(ctx, ctx->crash.region.dead_log, "No dead kernel left a log.");
}

static void reset(struct boot_context *ctx)
{
	log_info(&ctx->log, "menu: resetting");
	crash_save_log(ctx);
	sbi_reset(SBI_RESET_WARM);
	sbi_reset(SBI_RESET_COLD);
	menu_say(ctx, "The firmware can't reset.");
}

static void power_off(struct boot_context *ctx)
{
	log_info(&ctx->log, "menu: switching off");
	crash_save_log(ctx);
	sbi_reset(SBI_RESET_SHUTDOWN);
	menu_say(ctx, "The firmware can't switch off.");
}

static const struct {
	char key;
	void (*run)(struct boot_context *ctx);
} actions[] = {
	{'m', show_memory},   {'l', show_this_log}, {'p', show_previous_log},
	{'d', show_dead_log}, {'r', reset},	    {'o', power_off},
};

static void act(struct boot_context *ctx, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].key == key)
			actions[i].run(ctx);
	}
}

/* ---- The screen ---- */

/* Can it be read, and is it signed where it must be? (Hashes are checked when it is loaded.) */
static bool is_good(struct boot_context *ctx, size_t index)
{
	return !payload_look(ctx, ctx->choices.name[index]) && !trust_look(ctx);
}

/* @verdict receives what it is, or what is wrong with it. */
static bool look_at(struct boot_context *ctx, size_t index, char verdict[VERDICT_SIZE])
{
	if (!is_good(ctx, index)) {
		snprintf(verdict, VERDICT_SIZE, "%s", ctx->diag.text);
		return false;
	}
	payload_describe(ctx, verdict, VERDICT_SIZE);
	return true;
}

static void show_choice(struct boot_context *ctx, size_t index, char key, size_t preferred, bool demoted)
{
	char verdict[VERDICT_SIZE];
	const bool good = look_at(ctx, index, verdict);

	menu_say(ctx, "%c %c  %-16s %s%s%s", index == preferred ? '>' : ' ', key, ctx->choices.name[index],
		 good ? "" : "BAD: ", demoted ? "died early too often: " : "", verdict);
}

static void show_screen(struct boot_context *ctx, size_t preferred, uint32_t demoted)
{
	const struct choices *choices = &ctx->choices;

	menu_say(ctx, "%s", "");
	menu_say(ctx, "---- lifeboat " LIFEBOAT_VERSION ": what shall be started? ----");
	for (size_t i = 0; i < choices->count; i++)
		show_choice(ctx, i, (char)('1' + i), preferred, demoted >> i & 1);
	if (preferred == CHOICES_MAX)
		show_choice(ctx, preferred, ' ', preferred, false);
	if (choices->more)
		menu_say(ctx, "     %zu more can be named by lifeboat.config=", choices->more);
	menu_say(ctx, "  crash kernel: %s", ctx->crash.staged ? "staged" : "none (l tells why)");
	menu_say(ctx, "%s", "");
	menu_say(ctx, "  1-%zu boot that one   Enter boot >   m memory map   r reset   o power off",
		 choices->count);
	menu_say(ctx, "  logs:  l of this run   p of the run before   d of the dead kernel");
}

/* ---- The choice ---- */

static bool is_enter(int key)
{
	return key == '\r' || key == '\n';
}

/* Return: the index to boot; CHOICES_NONE if the key, or the choice, is none. */
static size_t take(struct boot_context *ctx, int key, size_t preferred)
{
	const size_t index = is_enter(key) ? preferred : (size_t)key - '1';
	char verdict[VERDICT_SIZE];

	if (!is_enter(key) && (key < '1' || index >= ctx->choices.count)) {
		act(ctx, key);
		return CHOICES_NONE;
	}
	if (look_at(ctx, index, verdict))
		return index;
	log_warn(&ctx->log, "menu: '" FIT_NAME "' can't be started: %s", ctx->choices.name[index], verdict);
	return CHOICES_NONE;
}

/* lifeboat.menu=SECONDS. Return: false if there is none. */
static bool read_seconds(struct boot_context *ctx, uint32_t *seconds)
{
	size_t length;
	const char *value = discover_option(ctx, "lifeboat.menu", &length);

	if (!value)
		return false;
	if (text_read_number(value, length, SECONDS_MAX, seconds))
		return true;
	log_warn(&ctx->log, "bootargs: lifeboat.menu=%.*s is no number of seconds from 0 to %d", (int)length,
		 value, SECONDS_MAX);
	return false;
}

/* The one that lifeboat.config= asks for. */
static size_t find_wanted(struct boot_context *ctx)
{
	size_t length, wanted;
	const char *name = discover_option(ctx, "lifeboat.config", &length);

	if (!name)
		return CHOICES_NONE;
	wanted = choices_find(&ctx->opened, &ctx->choices, name, length);
	if (wanted == CHOICES_NONE)
		log_warn(&ctx->log,
			 "bootargs: lifeboat.config=%.*s names no configuration: the default one is taken",
			 (int)length, name);
	return wanted;
}

/* What will be started if nobody says otherwise: the first that is good. */
static size_t find_preferred(struct boot_context *ctx, size_t wanted, uint32_t demoted)
{
	size_t order[CHOICES_MAX + 1], count = choices_order(&ctx->choices, wanted, demoted, order);

	for (size_t i = 0; i < count; i++) {
		if (is_good(ctx, order[i]))
			return order[i];
	}
	return order[0];
}

size_t menu_choose(struct boot_context *ctx, uint32_t demoted)
{
	const size_t wanted = find_wanted(ctx);
	size_t preferred, chosen;
	uint32_t seconds;
	int key;

	if (!read_seconds(ctx, &seconds))
		return wanted;
	if (seconds)
		log_info(&ctx->log, "menu: press a key within %u s", (unsigned)seconds);
	if (menu_wait_key(ctx, seconds) < 0)
		return wanted;
	preferred = find_preferred(ctx, wanted, demoted);
	do {
		show_screen(ctx, preferred, demoted);
		key = menu_wait_key(ctx, MENU_IDLE_SECONDS);
		if (key < 0) {
			log_warn(&ctx->log, "menu: nobody pressed a key for %d s: going on without",
				 MENU_IDLE_SECONDS);
			return wanted;
		}
		chosen = take(ctx, key, preferred);
	} while (chosen == CHOICES_NONE);
	log_info(&ctx->log, "menu: '" FIT_NAME "' was chosen", ctx->choices.name[chosen]);
	return chosen;
}
