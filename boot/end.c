// SPDX-License-Identifier: BSD-2-Clause
/* The end of a boot that starts nothing: off, or a reset where that does not go on for ever. */
#include "boot/end.h"

#include "boot/machine/sbi.h"

_Noreturn void boot_halt(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

/* A capture is counted, so this is no endless loop; the bundle's policy may want one. */
static bool may_restart(const struct boot_context *ctx)
{
	return ctx->crash.way != WAY_BOOT || ctx->policy.reset_when_all_bad;
}

_Noreturn void boot_fail(struct boot_context *ctx, const char *line)
{
	log_error(&ctx->log, "%s", line);
	if (may_restart(ctx)) {
		log_error(&ctx->log, "boot: resetting");
		sbi_restart();
	}
	log_error(&ctx->log, "boot: nothing was started; shutting down");
	sbi_reset(SBI_RESET_SHUTDOWN);
	log_error(&ctx->log, "boot: the firmware can't switch off (no SBI SRST): reset the machine by hand");
	boot_halt();
}
