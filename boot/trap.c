// SPDX-License-Identifier: BSD-2-Clause
/* Traps in the stage: report and end. Addresses are link addresses: addr2line -e lifeboat.elf takes them. */
#include "boot/trap.h"

#include <inttypes.h>

#include "boot/end.h"
#include "boot/machine/sbi.h"

#define BACKTRACE_MAX 16

extern const char stage_start[], stage_text_end[], stage_rw_start[], stage_rw_end[];

/* By exception code (Privileged Architecture, "scause"). */
static const char *const causes[] = {
	[0] = "instruction address misaligned",
	[1] = "instruction access fault",
	[2] = "illegal instruction",
	[3] = "breakpoint",
	[4] = "load address misaligned",
	[5] = "load access fault",
	[6] = "store address misaligned",
	[7] = "store access fault",
	[12] = "instruction page fault",
	[13] = "load page fault",
	[15] = "store page fault",
};

static const char *const registers[] = {"ra", "sp", "gp", "tp",	 "t0",	"t1", "t2", "s0", "s1", "a0", "a1",
					"a2", "a3", "a4", "a5",	 "a6",	"a7", "s2", "s3", "s4", "s5", "s6",
					"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

static const char *cause_name(uint64_t scause)
{
	if (scause >> 63)
		return "unexpected interrupt";
	if (scause < ARRAY_SIZE(causes) && causes[scause])
		return causes[scause];
	return "unexpected exception";
}

static bool is_inside(uint64_t address, const char *start, const char *end)
{
	return address >= (uintptr_t)start && address < (uintptr_t)end;
}

/* Follow the frame pointers as far as they stay in the stack and grow. */
static void print_backtrace(struct log *log, const struct trap_frame *frame)
{
	uint64_t fp = frame->x1_to_x31[8 - 1];

	log_error(log, "trap: called from %#" PRIx64, frame->x1_to_x31[1 - 1]);
	for (int i = 0; i < BACKTRACE_MAX; i++) {
		uint64_t return_address, next;

		if (!is_aligned(fp, 8) || !is_inside(fp - 16, stage_rw_start, stage_rw_end) ||
		    !is_inside(fp - 1, stage_rw_start, stage_rw_end))
			return;
		return_address = ((const uint64_t *)(uintptr_t)fp)[-1];
		next = ((const uint64_t *)(uintptr_t)fp)[-2];
		if (is_inside(return_address, stage_rw_start, stage_rw_end)) {
			/* A function that calls none saves its caller's frame pointer only, in ra's place. */
			fp = return_address;
			continue;
		}
		if (!is_inside(return_address, stage_start, stage_text_end))
			return;
		log_error(log, "trap:        from %#" PRIx64, return_address);
		if (next <= fp)
			return;
		fp = next;
	}
}

static void print_registers(struct log *log, const struct trap_frame *frame)
{
	const uint64_t *x = frame->x1_to_x31;
	size_t i;

	for (i = 0; i + 4 <= ARRAY_SIZE(registers); i += 4)
		log_error(log,
			  "trap: %3s %016" PRIx64 "  %3s %016" PRIx64 "  %3s %016" PRIx64 "  %3s %016" PRIx64,
			  registers[i], x[i], registers[i + 1], x[i + 1], registers[i + 2], x[i + 2],
			  registers[i + 3], x[i + 3]);
	for (; i < ARRAY_SIZE(registers); i++)
		log_error(log, "trap: %3s %016" PRIx64, registers[i], x[i]);
}

_Noreturn void trap_handle(const struct trap_frame *frame, struct boot_context *ctx)
{
	if (!ctx) { /* the few instructions before start() has a log */
		sbi_reset(SBI_RESET_SHUTDOWN);
		boot_halt();
	}
	log_error(&ctx->log,
		  "trap: %s (scause %#" PRIx64 ") at %#" PRIx64 ", stval %#" PRIx64 ", sstatus %#" PRIx64,
		  cause_name(frame->scause), frame->scause, frame->epc, frame->stval, frame->sstatus);
	print_registers(&ctx->log, frame);
	print_backtrace(&ctx->log, frame);
	boot_fail(ctx, "trap: this is a bug in lifeboat, or memory that is not what the FDT says");
}
