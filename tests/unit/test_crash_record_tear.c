// SPDX-License-Identifier: BSD-2-Clause
/*
 * The crash record and resets: whenever power goes, what is left is the old record or the new one.
 *
 * Two models. A cache in front of RAM, which writes back what it likes when it likes, and what the hook says
 * when the hook says; a reset leaves what is in RAM. And no cache, the hart stopped after each of its stores.
 * In both the order alone must do: a slot that shows its magic is whole, so the checksum has nothing to find.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "tests/unit/crash_record_oracle.h"

#define CHECK(condition)                                                                              \
	do {                                                                                          \
		if (!(condition))                                                                     \
			fail_msg("seed 0x%llx: %s", (unsigned long long)scene.seed_then, #condition); \
	} while (0)

/* What one write begins with, and what may be found of it. One scene at a time: the hook has no argument. */
static struct scene {
	uint64_t seed, seed_then;
	uint8_t *cache; /* what the hart sees: two pages */
	_Alignas(8) uint8_t ram[MEMORY];
	_Alignas(8) uint8_t before[MEMORY], after[MEMORY]; /* the hart's view; after is the oracle's */
	bool had_old;
	struct crash_record old, new;
	unsigned hooks;
	_Alignas(8) uint8_t taken[MEMORY]; /* one of the torn memories, which the next write begins with */
	unsigned tears;
} scene;

/* Is this memory, which a reset left, fit to boot with? Return: does it hold the new record? */
static bool is_old_or_new(const uint8_t *memory)
{
	static struct crash_record got;
	enum lb_err err = crash_record_read(memory, &got, NULL);

	if (err)
		CHECK(!scene.had_old && (err == LB_ENOENT || err == LB_EFORMAT));
	else
		CHECK(same_record(&got, &scene.new) || (scene.had_old && same_record(&got, &scene.old)));
	return !err && same_record(&got, &scene.new);
}

static void check_order(const uint8_t *memory)
{
	for (unsigned at = 0; at < MEMORY; at += SLOT_AT) {
		if (memcmp(memory + at, magic_bytes, 8) == 0)
			CHECK(memcmp(memory + at, scene.before + at, SLOT_AT) == 0 ||
			      memcmp(memory + at, scene.after + at, SLOT_AT) == 0);
	}
}

/* A reset here leaves this. Some of what is left is what the next write finds. */
static void tear(const uint8_t *memory)
{
	check_order(memory);
	is_old_or_new(memory);
	if (below(&scene.seed, ++scene.tears) == 0)
		memcpy(scene.taken, memory, MEMORY);
}

/* ---- A cache in front of RAM ---- */

/* Let some of the blocks that the cache holds reach RAM, in no order. */
static void evict(uint8_t *ram, size_t block)
{
	uint64_t chance = 1 + below(&scene.seed, 8);

	for (size_t at = 0; at < MEMORY; at += block) {
		if (memcmp(ram + at, scene.cache + at, block) != 0 && below(&scene.seed, 8) < chance)
			memcpy(ram + at, scene.cache + at, block);
	}
}

static void tear_with_blocks_of(size_t block)
{
	static _Alignas(8) uint8_t left[MEMORY];

	memcpy(left, scene.ram, MEMORY);
	evict(left, block);
	tear(left);
}

static void tear_in_many_ways(void)
{
	static const size_t blocks[] = {1, 8, 16, 32, 64, 64, 128, 256};

	tear(scene.ram);
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		tear_with_blocks_of(blocks[i]);
}

/* The write-back hook: 64-byte blocks. Before it any block may have gone; at its end those in range have. */
static void write_back(void *context, const void *start, size_t size)
{
	size_t from = (size_t)((const uint8_t *)start - scene.cache);
	size_t to = (from + size + 63) & ~(size_t)63;

	scene.hooks++;
	CHECK(context == &scene);
	CHECK(size > 0 && from < MEMORY && size <= MEMORY - from);
	CHECK(from / SLOT_AT == (from + size - 1) / SLOT_AT);
	tear_in_many_ways();
	evict(scene.ram, 64);
	tear(scene.ram);
	from &= ~(size_t)63;
	memcpy(scene.ram + from, scene.cache + from, to - from);
	tear(scene.ram);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Enough for slots that came from random_record(), torn or not. */
static bool is_whole(const uint8_t *slot)
{
	return memcmp(slot, magic_bytes, 8) == 0 && get32(slot + 0x0c) == SLOT_BYTES &&
	       get32(slot + 0x08) == divide(slot + 0x0c, SLOT_BYTES - 0x0c);
}

/* What must be in memory after the next write: worked out with the layout alone. */
static void foresee(void)
{
	const uint8_t *slot[2] = {scene.before, scene.before + SLOT_AT};
	uint32_t generation[2] = {get32(slot[0] + 0x14), get32(slot[1] + 0x14)};
	bool good[2] = {is_whole(slot[0]), is_whole(slot[1])};
	int newest;

	newest = good[0] && good[1] ? generation[1] == generation[0] + 1 : good[1];
	memcpy(scene.after, scene.before, MEMORY);
	scene.had_old = good[0] || good[1];
	if (scene.had_old)
		memcpy(&scene.old, slot[newest] + 0x18, sizeof(scene.old));
	encode(scene.after + (scene.had_old && newest == 0 ? SLOT_AT : 0),
	       scene.had_old ? generation[newest] + 1 : 1, &scene.new);
}

/* All is in RAM; a new record is about to be written. */
static void begin_write(const uint8_t *memory)
{
	scene.seed_then = scene.seed;
	random_record(&scene.seed, &scene.new);
	memcpy(scene.ram, memory, MEMORY);
	memcpy(scene.cache, memory, MEMORY);
	memcpy(scene.before, memory, MEMORY);
	scene.tears = scene.hooks = 0;
	foresee();
}

static void begin_life(uint64_t seed)
{
	scene.seed = seed;
	fill_random(&scene.seed, scene.taken, MEMORY);
	if (seed % 4 == 1)
		memset(scene.taken, 0, MEMORY);
	if (seed % 4 == 2)
		memcpy(scene.taken + SLOT_AT * below(&scene.seed, 2), magic_bytes, 8);
	if (seed % 4 == 3) { /* about to wrap around */
		random_record(&scene.seed, &scene.new);
		encode(scene.taken + SLOT_AT * below(&scene.seed, 2),
		       (below(&scene.seed, 2) ? 0x7fffffff : 0xffffffff) - (uint32_t)below(&scene.seed, 5),
		       &scene.new);
	}
}

static void a_reset_with_a_cache_leaves_the_old_or_the_new_record(void **state)
{
	(void)state;
	for (uint64_t life = 0; life < 300; life++) {
		begin_life(life);
		for (unsigned i = 0; i < 12; i++) {
			begin_write(scene.taken);
			CHECK(crash_record_write(scene.cache, &scene.new, write_back, &scene) == LB_OK);
			CHECK(scene.hooks > 0);
			CHECK(memcmp(scene.ram, scene.after, MEMORY) == 0);
			CHECK(memcmp(scene.cache, scene.after, MEMORY) == 0);
			CHECK(is_old_or_new(scene.ram));
			if (below(&scene.seed, 2))
				memcpy(scene.taken, scene.ram, MEMORY);
		}
	}
}

/* Nobody says what reaches RAM, or when: order is no help, and the checksum has to be. */
static void a_cache_that_nobody_writes_back_can_lose_the_new_record_only(void **state)
{
	(void)state;
	for (uint64_t life = 1000; life < 1300; life++) {
		begin_life(life);
		for (unsigned i = 0; i < 8; i++) {
			begin_write(scene.taken);
			CHECK(crash_record_write(scene.cache, &scene.new, NULL, NULL) == LB_OK);
			for (unsigned n = 0; n < 30; n++) {
				memcpy(scene.taken, scene.ram, MEMORY);
				evict(scene.taken, (size_t)1 << below(&scene.seed, 9));
				is_old_or_new(scene.taken);
			}
			memcpy(scene.taken, scene.cache, MEMORY);
		}
	}
}

/* ---- No cache: the hart stops after any store ---- */

#define STORES_MAX 1000

static struct {
	uint8_t *memory;
	unsigned count;
	_Alignas(8) uint8_t after_store[STORES_MAX][MEMORY];
} stepper;

#ifdef __x86_64__
#define CAN_STEP  true
#define TRAP_FLAG 0x100

static void set_trap_flag(void *context, bool on)
{
	greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

	*flags = on ? *flags | TRAP_FLAG : *flags & ~TRAP_FLAG;
}
#else
#define CAN_STEP false
static void set_trap_flag(void *context, bool on)
{
	(void)context, (void)on;
}
#endif

/* A store met the write protection: let this one instruction through. */
static void before_store(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	if ((uint8_t *)info->si_addr < stepper.memory || (uint8_t *)info->si_addr >= stepper.memory + MEMORY)
		abort();
	mprotect(stepper.memory, MEMORY, PROT_READ | PROT_WRITE);
	set_trap_flag(context, true);
}

static void behind_store(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	if (stepper.count == STORES_MAX)
		abort();
	memcpy(stepper.after_store[stepper.count++], stepper.memory, MEMORY);
	mprotect(stepper.memory, MEMORY, PROT_READ);
	set_trap_flag(context, false);
}

static enum lb_err write_store_by_store(void)
{
	struct sigaction on_fault = {.sa_sigaction = before_store, .sa_flags = SA_SIGINFO}, old_fault;
	struct sigaction on_step = {.sa_sigaction = behind_store, .sa_flags = SA_SIGINFO}, old_step;
	enum lb_err err;

	stepper.memory = scene.cache;
	stepper.count = 0;
	sigaction(SIGSEGV, &on_fault, &old_fault);
	sigaction(SIGTRAP, &on_step, &old_step);
	mprotect(scene.cache, MEMORY, PROT_READ);
	err = crash_record_write(scene.cache, &scene.new, NULL, NULL);
	mprotect(scene.cache, MEMORY, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old_fault, NULL);
	sigaction(SIGTRAP, &old_step, NULL);
	return err;
}

static void a_reset_after_any_store_leaves_the_old_or_the_new_record(void **state)
{
	(void)state;
	if (!CAN_STEP)
		skip();
	for (uint64_t life = 2000; life < 2100; life++) {
		begin_life(life);
		for (unsigned i = 0; i < 6; i++) {
			bool is_new = false;

			begin_write(scene.taken);
			CHECK(write_store_by_store() == LB_OK);
			CHECK(memcmp(scene.cache, scene.after, MEMORY) == 0);
			CHECK(stepper.count >= 3);
			tear(scene.before);
			for (unsigned n = 0; n < stepper.count; n++) {
				bool was_new = is_new;

				tear(stepper.after_store[n]);
				is_new = is_old_or_new(stepper.after_store[n]);
				CHECK(is_new || !was_new);
			}
			CHECK(is_new);
			if (below(&scene.seed, 2))
				memcpy(scene.taken, scene.cache, MEMORY);
		}
	}
}

static int make_cache(void **state)
{
	(void)state;
	scene.cache = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return scene.cache == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_with_a_cache_leaves_the_old_or_the_new_record),
		cmocka_unit_test(a_cache_that_nobody_writes_back_can_lose_the_new_record_only),
		cmocka_unit_test(a_reset_after_any_store_leaves_the_old_or_the_new_record),
	};

	return cmocka_run_group_tests(tests, make_cache, NULL);
}
