// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traps in the stage: report and end, or go on elsewhere. Addresses are link addresses: addr2line -e
 * lifeboat.elf takes them.
 */
#include "boot/trap.h"

#include <inttypes.h>
#include <string.h>

#include "boot/end.h"
#include "boot/machine/sbi.h"

#define BACKTRACE_MAX 24

extern const char stage_start[], stage_text_end[], stage_rw_start[];
extern const uint64_t stack_top[];

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

/* From trap.S: where a function goes whose frame was overrun, in builds that look (-Dtraps=stack). */
extern const char __stack_chk_fail[];

static const char *cause_name(const struct trap_frame *frame)
{
	const uint64_t scause = frame->scause;

	if (WITH_STACK_TRAPS && frame->epc == (uintptr_t)__stack_chk_fail)
		return "a function has written beyond its frame";
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

/*
 * Is @word what a call left on the stack: an address in the text, right behind an instruction that is jal or
 * jalr with ra (t0 for what saves registers), or its short form c.jalr?
 */
static bool is_return_address(uint64_t word)
{
	uint32_t instruction;

	if (!is_aligned(word, 2) || !is_inside(word, stage_start + sizeof(instruction), stage_text_end))
		return false;
	memcpy(&instruction, (const char *)(uintptr_t)word - sizeof(instruction), sizeof(instruction));
	return (instruction & 0xdff) == 0xef || (instruction & 0x7dff) == 0xe7 ||
	       (instruction >> 16 & 0xf07f) == 0x9002;
}

/*
 * All words of the stack, from its end on, that a call can have left. Some may be of calls that are over: who
 * reads it keeps to those that call each other. (Frame pointers would tell exactly, at 4 % of the stage.)
 */
static void print_backtrace(struct log *log, const struct trap_frame *frame)
{
	const uint64_t *word = (const uint64_t *)align_down(frame->x1_to_x31[2 - 1] + 7, 8);
	int lines = 0;

	log_error(log, "trap: called from %#" PRIx64, frame->x1_to_x31[1 - 1]);
	if (!is_inside((uintptr_t)word, stage_rw_start, (const char *)stack_top))
		return;
	for (; word < stack_top && lines < BACKTRACE_MAX; word++) {
		if (!is_return_address(*word))
			continue;
		log_error(log, "trap:        from %#" PRIx64, *word);
		lines++;
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

static boot_step *go_on_or_end(const struct trap_frame *frame, struct boot_context *ctx)
{
	boot_step *next = ctx->on_trap;

	ctx->on_trap = NULL;
	(void)diag_fail(&ctx->log.diag, LB_EINVAL,
			"trap: %s (scause %#" PRIx64 ") at %#" PRIx64 ", stval %#" PRIx64
			", sstatus %#" PRIx64,
			cause_name(frame), frame->scause, frame->epc, frame->stval, frame->sstatus);
	if (next)
		return next;
	log_error(&ctx->log, "%s", ctx->log.diag.text);
	print_registers(&ctx->log, frame);
	print_backtrace(&ctx->log, frame);
	boot_fail(ctx, "trap: this is a bug in lifeboat, or memory that is not what the FDT says");
}

boot_step *trap_handle(const struct trap_frame *frame, struct boot_context *ctx)
{
	if (ctx)
		return go_on_or_end(frame, ctx);
	sbi_reset(SBI_RESET_SHUTDOWN); /* the few instructions before start() has a log */
	boot_halt();
}
