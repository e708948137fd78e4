// SPDX-License-Identifier: BSD-2-Clause
/* The menu at the console. One key is one order; nothing is edited, and nothing is kept for the next boot. */
#include "boot/menu.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/load.h"
#include "boot/payload.h"
#include "boot/sbi.h"
#include "boot/start.h"
#include "kexec/crash_text.h"

#define KEYS_MAX      9	 /* configurations that have a digit */
#define LOG_LINES     40 /* of the dead kernel's log: a screen and a half */
#define TIMEBASE_LAST 10000000

/* A row of the menu: @run does it and says whether the menu is over. */
struct order {
	char key;
	const char *text;
	bool (*run)(struct boot_context *ctx);
};

static uint64_t now(void)
{
	uint64_t time;

	__asm__ volatile("rdtime %0" : "=r"(time));
	return time;
}

/* Wait for a key; 0 if none comes for @seconds (UINT64_MAX: for ever). */
static char wait_key(struct boot_context *ctx, uint64_t seconds)
{
	const uint64_t frequency =
		ctx->machine.timebase_frequency ? ctx->machine.timebase_frequency : TIMEBASE_LAST;
	const uint64_t begin = now();

	for (;;) {
		char key = console_read(&ctx->log.console);

		if (key)
			return key;
		if (seconds != UINT64_MAX && now() - begin >= seconds * frequency)
			return 0;
	}
}

/* ---- Orders ---- */

static bool show_memory(struct boot_context *ctx)
{
	boot_print_memory(ctx);
	return false;
}

/* The last lines of @text, each as a line of the log. */
static void print_tail(struct boot_context *ctx, const char *text, size_t size)
{
	const char *end = text + size, *from = end;

	for (size_t lines = 0; from > text; from--) {
		if (from < end && from[-1] == '\n' && ++lines == LOG_LINES)
			break;
	}
	while (from < end) {
		const char *newline = memchr(from, '\n', (size_t)(end - from));
		const size_t length = (size_t)((newline ? newline : end) - from);

		log_info(&ctx->log, "| %.*s", (int)(length < LOG_LINE_MAX ? length : LOG_LINE_MAX), from);
		from += length + 1;
	}
}

static bool show_crash_log(struct boot_context *ctx)
{
	const struct region where = ctx->crash.region.dead_log;
	const struct crash_text *text = where.size ? physmap_pointer(&ctx->physmap, where.base) : NULL;
	const uint64_t size = text ? crash_text_size(text, where.size) : 0;

	if (size)
		print_tail(ctx, text->text, size);
	else
		log_info(&ctx->log, "menu: there is no log of a dead kernel");
	return false;
}

static bool reset(struct boot_context *ctx)
{
	sbi_reset(SBI_RESET_COLD);
	log_error(&ctx->log, "menu: the firmware can't reset (no SBI SRST)");
	return false;
}

static bool go_on(struct boot_context *ctx)
{
	(void)ctx;
	return true;
}

static const struct order orders[] = {
	{'m', "show the memory map", show_memory},
	{'l', "show the last crash log", show_crash_log},
	{'r', "reset the machine", reset},
	{'b', "boot as if no key had been pressed", go_on},
};

/* ---- Configurations ---- */

static const char *config_name(struct boot_context *ctx, size_t index)
{
	const void *bundle = physmap_pointer(&ctx->physmap, ctx->bundle.base);
	const char *name;

	if (!bundle_is_fit(bundle, ctx->bundle.size))
		return index ? NULL : "bare";
	return bundle_candidate(bundle, ctx->bundle.size, index, &name, &ctx->diag) ? NULL : name;
}

/* Everything that can be found out about a configuration without unpacking or moving it. */
static enum lb_err judge(struct boot_context *ctx, const char *name)
{
	const struct bundle_blob *blob;
	enum lb_err err = payload_read(ctx, name);

	for (size_t i = 0; !err && (blob = bundle_config_blob(&ctx->config, i)); i++)
		err = load_verify(ctx, blob);
	return err;
}

static void show_configs(struct boot_context *ctx)
{
	const char *name;

	for (size_t i = 0; i < KEYS_MAX && (name = config_name(ctx, i)); i++) {
		enum lb_err err = judge(ctx, name);

		log_info(&ctx->log, "menu: %zu  boot %s: %s%s", i + 1, name, err ? "REFUSED: " : "good",
			 err ? ctx->diag.text : "");
	}
}

static void show_menu(struct boot_context *ctx)
{
	show_configs(ctx);
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		log_info(&ctx->log, "menu: %c  %s", orders[i].key, orders[i].text);
}

static bool choose(struct boot_context *ctx, size_t index)
{
	const char *name = index < KEYS_MAX ? config_name(ctx, index) : NULL;

	if (!name)
		return false;
	snprintf(ctx->wanted, sizeof(ctx->wanted), "%s", name);
	return true;
}

static bool obey(struct boot_context *ctx, char key)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (orders[i].key == key)
			return orders[i].run(ctx);
	}
	if (key >= '1' && key <= '9')
		return choose(ctx, (size_t)(key - '1'));
	return false;
}

void menu_run(struct boot_context *ctx)
{
	char key;

	if (!ctx->menu_seconds)
		return;
	log_info(&ctx->log, "menu: press a key within %u s", ctx->menu_seconds);
	if (!wait_key(ctx, ctx->menu_seconds))
		return;
	show_menu(ctx);
	do {
		key = wait_key(ctx, UINT64_MAX);
	} while (!obey(ctx, key));
}
