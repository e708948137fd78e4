// SPDX-License-Identifier: BSD-2-Clause
/* A build without crash support (-Dcrash=false): a plain loader, in less room. Stands for the rest of boot/crash. */
#include "boot/crash/crash.h"
#include "boot/crash/kexec.h"

void crash_discover(struct boot_context *ctx)
{
	log_info(&ctx->log, "crash: no crash kernel: this build has no crash support (-Dcrash=false)");
}

bool crash_judge(struct boot_context *ctx)
{
	(void)ctx;
	return false;
}

enum lb_err crash_prepare(struct boot_context *ctx)
{
	return diag_fail(&ctx->diag, LB_EUNSUPPORTED, "crash: this build has no crash support");
}

void crash_arm(struct boot_context *ctx)
{
	(void)ctx;
}

uint32_t crash_find_demoted(struct boot_context *ctx)
{
	(void)ctx;
	return 0;
}

void crash_arm_record(struct boot_context *ctx)
{
	(void)ctx;
}

void crash_save_log(struct boot_context *ctx)
{
	(void)ctx;
}

enum lb_err crash_kexec_enter(struct boot_context *ctx)
{
	(void)ctx;
	return LB_OK;
}

void crash_kexec_discover(struct boot_context *ctx)
{
	(void)ctx;
}

enum lb_err crash_kexec_prepare(struct boot_context *ctx)
{
	return diag_fail(&ctx->diag, LB_EUNSUPPORTED, "crash: this build has no crash support");
}
