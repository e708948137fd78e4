// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin for QEMU (-plugin FILE,entry=PC,low=PC,high=PC,out=FILE[,moved=PC]): the stage's instructions by
 * chain of callers.
 *
 * What runs from entry on, as far as [low .. high) is long, is the stage before paging; in [low .. high) it
 * is the stage after. A life begins when pc is entry. Each is written as "life", its count, and that of
 * the harts that run the stage without paging where it has moved to, if that is given; then a line for each
 * chain: its number, its caller's, the pc that was called, how often, instructions of its own. Wants -icount:
 * then one thread runs all harts.
 *
 * QEMU's header comes in no package: what is used of its interface (version 2 to 4) is declared here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC	  __attribute__((visibility("default")))
#define HARTS_MAX 64

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum registers { REGISTERS_NONE };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*call)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
					  void (*call)(unsigned hart, void *arg), enum registers flags,
					  void *arg);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*call)(uint64_t id, void *arg), void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t at);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

PUBLIC int qemu_plugin_version = 2;
PUBLIC int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

/* A function, as called by a chain of others. */
struct chain {
	struct chain *caller, *callees, *next;
	uint64_t pc, calls, own;
};

enum end { END_OTHER, END_CALL, END_RETURN };

struct block {
	uint64_t pc;
	size_t instructions;
	enum end end;
};

static struct {
	uint64_t entry, low, high, moved;
	uint64_t by_others;
	FILE *out;
	struct chain root;
	struct {
		struct chain *chain;
		bool called; /* the last block ended with a call */
	} hart[HARTS_MAX];
} profile;

/* By the last instruction: jal and jalr with ra, c.jalr; jr ra. What saves registers is called with t0. */
static enum end end_of(uint32_t instruction, size_t size)
{
	if (size == 2) {
		if ((instruction & 0xf07f) == 0x9002 && instruction & 0xf80)
			return END_CALL;
		return (instruction & 0xffff) == 0x8082 ? END_RETURN : END_OTHER;
	}
	if ((instruction & 0xfff) == 0xef || (instruction & 0x7fff) == 0xe7)
		return END_CALL;
	return instruction == 0x8067 ? END_RETURN : END_OTHER;
}

static void print_chains(const struct chain *caller, unsigned *number)
{
	const unsigned mine = *number;

	for (const struct chain *c = caller->callees; c; c = c->next) {
		fprintf(profile.out, "%u %u %#lx %lu %lu\n", ++*number, mine, c->pc, c->calls, c->own);
		print_chains(c, number);
	}
}

static void print_life(void)
{
	unsigned number = 0;

	fprintf(profile.out, "life %lu %lu\n", profile.root.own, profile.by_others);
	print_chains(&profile.root, &number);
	fflush(profile.out);
}

/* What was counted stays in memory: a life has some thousand chains. */
static void begin_life(void)
{
	print_life();
	memset(&profile.root, 0, sizeof(profile.root));
	memset(profile.hart, 0, sizeof(profile.hart));
	profile.by_others = 0;
}

static struct chain *callee(struct chain *caller, uint64_t pc)
{
	struct chain *c;

	for (c = caller->callees; c; c = c->next) {
		if (c->pc == pc)
			return c;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	*c = (struct chain){.caller = caller, .next = caller->callees, .pc = pc};
	caller->callees = c;
	return c;
}

static void count(unsigned hart, void *arg)
{
	const struct block *block = arg;
	struct chain *chain;

	if (block->pc == profile.entry)
		begin_life();
	hart %= HARTS_MAX;
	chain = profile.hart[hart].chain ? profile.hart[hart].chain : &profile.root;
	if (profile.hart[hart].called) {
		chain = callee(chain, block->pc);
		chain->calls++;
	}
	chain->own += block->instructions;
	profile.hart[hart].called = block->end == END_CALL;
	if (block->end == END_RETURN && chain->caller)
		chain = chain->caller;
	profile.hart[hart].chain = chain;
}

static void count_other(unsigned hart, void *arg)
{
	(void)hart;
	profile.by_others += (size_t)arg;
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	const uint64_t pc = qemu_plugin_tb_vaddr(tb), size = profile.high - profile.low;
	const size_t instructions = qemu_plugin_tb_n_insns(tb);
	const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, instructions - 1);
	uint32_t instruction = 0;
	struct block *block;

	(void)id;
	if (profile.moved && pc - profile.moved < size)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, count_other, REGISTERS_NONE, (void *)instructions);
	if (pc - profile.entry >= size && pc - profile.low >= size)
		return;
	block = malloc(sizeof(*block)); /* kept: QEMU does not say when it forgets a block */
	if (!block)
		abort();
	qemu_plugin_insn_data(last, &instruction, qemu_plugin_insn_size(last));
	*block = (struct block){pc, instructions, end_of(instruction, qemu_plugin_insn_size(last))};
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count, REGISTERS_NONE, block);
}

static void finish(uint64_t id, void *arg)
{
	(void)id;
	(void)arg;
	print_life();
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		if (!value)
			return -1;
		value++;
		if (!strncmp(argv[i], "out=", 4))
			profile.out = fopen(value, "w");
		else if (!strncmp(argv[i], "entry=", 6))
			profile.entry = strtoull(value, NULL, 0);
		else if (!strncmp(argv[i], "moved=", 6))
			profile.moved = strtoull(value, NULL, 0);
		else if (!strncmp(argv[i], "low=", 4))
			profile.low = strtoull(value, NULL, 0);
		else if (!strncmp(argv[i], "high=", 5))
			profile.high = strtoull(value, NULL, 0);
	}
	if (!profile.out || !profile.entry || profile.low >= profile.high)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
