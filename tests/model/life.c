// SPDX-License-Identifier: BSD-2-Clause
/*
 * boot/crash/judge.c, arm.c and record.c on this machine: what they call of the rest of boot/ is made up
 * here, and notes what was done in which order.
 */
#include "tests/model/life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/elf.h"
#include "base/fnv.h"
#include "boot/crash/arm.h"
#include "boot/crash/call.h"
#include "boot/crash/dead.h"
#include "boot/crash/judge.h"
#include "boot/crash/prepare.h"
#include "boot/crash/record.h"
#include "boot/load/trust.h"
#include "boot/machine/sbi.h"
#include "kexec/image/image.h"

#define BASE	       UINT64_C(0x80000000)
#define KERNEL	       BASE /* where the primary was: in front of the crash region */
#define REGION	       (BASE + CRASH_REGION_ALIGN)
#define NOTE	       REGION
#define LINUX_MAGIC_AT 0x38 /* magic2, in an Image's header */
#define SIZE	       (CRASH_REGION_ALIGN + CRASH_REGION_MIN)

static struct log the_log;
static struct hw hw;
static struct stage the_stage;
static struct source source;
static struct trust trust;
static struct cost cost;
static struct memmap map;
static struct crash crash;
static struct dead dead;
static struct payload payload;
static const struct facts facts = {
	.hw = &hw, .stage = &the_stage, .source = &source, .trust = &trust, .log = &the_log, .cost = &cost};
static uint8_t *ram;

/* ---- What was seen ---- */

static struct life_case asked;
static struct life_verdict seen;
static bool judging, looked;
static unsigned flushes;
static uint8_t steps[LIFE_STEPS_MAX + 1];
static size_t step_count;

static _Noreturn void wrong(const char *what)
{
	fprintf(stderr, "life: %s\n", what);
	abort();
}

static void add_step(enum life_step step)
{
	if (step_count == LIFE_STEPS_MAX)
		wrong("more steps than there is room for");
	steps[step_count++] = step;
}

/* Notes are wiped page by page, without a call: so it is looked up at every other step. */
static void notice(enum life_step step)
{
	static const uint32_t vacant;

	if (memcmp(ram + (NOTE - BASE), &vacant, sizeof(vacant)) == 0 &&
	    !memchr(steps, LIFE_WIPE_NOTES, step_count))
		add_step(LIFE_WIPE_NOTES);
	add_step(step);
}

static void note_record(void)
{
	struct crash_record record;

	if (crash_record_read(ram + (crash.region.record.base - BASE), &record, NULL))
		wrong("what was written can't be read");
	if (looked)
		wrong("it looked before it counted");
	if (seen.writes++)
		wrong("it wrote twice");
	if (record.state != asked.state || record.attempts != asked.attempts)
		wrong("the judge changed more than the count of boots");
	seen.boots = (uint8_t)record.boots;
}

/* Three for each write of the record: its magic goes, its contents come, its magic comes. */
void caches_write_back(void *caches, const void *start, size_t size)
{
	const paddr_t pa = BASE + (paddr_t)((const uint8_t *)start - ram);

	(void)caches;
	if (!region_contains(crash.region.record, (struct region){pa, size}) || ++flushes % 3)
		return;
	if (judging)
		note_record();
	else
		notice(crash.record.state == CRASH_ARMED ? LIFE_WRITE_ARMED : LIFE_WRITE_EMPTY);
}

static const struct {
	const char *line;
	enum life_said said;
} sayings[] = {
	{"given up", LIFE_SAID_GIVEN_UP},
	{"no crash", LIFE_SAID_NOT_STARTED},
	{"the crash kernel ended in good order", LIFE_SAID_ORDERLY},
	{"ended by restart", LIFE_SAID_ORDERLY},
	{"says boot", LIFE_SAID_POLICY},
	{"disarmed the record", LIFE_SAID_ORDERLY},
};

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list list;

	(void)log;
	(void)level;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	for (size_t i = 0; judging && i < ARRAY_SIZE(sayings); i++) {
		if (strstr(line, sayings[i].line))
			seen.said = sayings[i].said;
	}
}

/* ---- The rest of boot/, made up ---- */

void call_wipe(const struct facts *all, struct crash *which)
{
	(void)all;
	(void)which;
	notice(LIFE_WIPE_CALL);
}

void call_arm(const struct facts *all, struct crash *which, const struct region_set *owned,
	      struct elfcorehdr_request *core)
{
	(void)all;
	(void)which;
	(void)owned;
	(void)core;
	notice(LIFE_MAKE_CALL);
}

enum lb_err prepare(const struct facts *all, struct crash *which, struct payload *kernel)
{
	(void)all;
	(void)which;
	(void)kernel;
	notice(LIFE_PREPARE);
	return LB_OK;
}

bool prepare_is_sound(const struct facts *all, const struct crash *which)
{
	(void)all;
	(void)which;
	return true;
}

bool call_was_made(const struct facts *all, const struct crash *which)
{
	(void)all;
	(void)which;
	return asked.called;
}

bool call_has_started(const struct facts *all, const struct crash *which)
{
	(void)all;
	(void)which;
	return asked.started;
}

void dead_find_ram(const struct facts *all, const struct memmap *taken, const struct crash *which,
		   struct dead *what)
{
	(void)all;
	(void)taken;
	(void)which;
	(void)what;
}

void dead_find_reach(const struct stage *stage, struct dead *what)
{
	(void)stage;
	(void)what;
}

/* life_printk_ending() says how it ended: judge.c is compiled to call that one. */
enum lb_err dead_open(const struct facts *all, const struct crash *which, struct dead *what, paddr_t note_pa,
		      struct dead_log *left)
{
	(void)all;
	(void)which;
	(void)note_pa;
	(void)left;
	looked = true;
	what->info.anchored = asked.ending != LIFE_ORDERLY_FORGED;
	return asked.ending == LIFE_NO_LOG || asked.ending == LIFE_NO_LINUX ? LB_ENOENT : LB_OK;
}

struct printk_told life_printk_ending(const struct printk_ring *ring);

struct printk_told life_printk_ending(const struct printk_ring *ring)
{
	const bool orderly = asked.ending == LIFE_ORDERLY || asked.ending == LIFE_ORDERLY_FORGED;

	(void)ring;
	return (struct printk_told){.ending = orderly ? PRINTK_ENDING_RESTART : PRINTK_ENDING_PANIC,
				    .record = {.text = "told", .length = 4}};
}

void dead_count(const struct facts *all, struct crash *which, const struct dead_log *left)
{
	(void)all;
	(void)which;
	(void)left;
}

void dead_last_words(const struct facts *all, struct crash *which, const struct dead_log *left,
		     const struct printk_told *told)
{
	(void)all;
	(void)which;
	(void)left;
	(void)told;
}

void dead_check_lent(const struct facts *all, const struct crash *which, const struct dead_log *left)
{
	(void)all;
	(void)which;
	(void)left;
}

enum printk_ending dead_ending_in(const struct facts *all, struct crash *which, struct region where)
{
	(void)all;
	(void)which;
	(void)where;
	looked = true;
	return asked.crash_ending == LIFE_ORDERLY ? PRINTK_ENDING_RESTART : PRINTK_ENDING_CUT;
}

void *stage_early_view(struct stage *stage, paddr_t pa, uint64_t size, uint64_t perms, struct diag *diag)
{
	(void)stage;
	(void)size;
	(void)perms;
	(void)diag;
	return ram + (pa - BASE);
}

bool stage_can_spare_view(const struct stage *stage)
{
	(void)stage;
	return true;
}

/* (So that no library is needed. The record asks for a sum, not for this one.) */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
	return (uint32_t)fnv_update_bytes(FNV_BASIS ^ crc, data, size);
}

void sbi_restart(void)
{
	wrong("it resets the machine");
}

/* ---- The two that are asked ---- */

static void set_up(void)
{
	static const uint32_t linux_magic = 0x05435352;

	if (!ram) {
		ram = calloc(1, SIZE + PAGE_SIZE);
		if (!ram)
			wrong("no memory");
		ram += PAGE_SIZE - (uintptr_t)ram % PAGE_SIZE;
		the_stage.physmap = (struct physmap){(uintptr_t)ram - BASE, UINT64_C(1) << 56};
	}
	memset(&crash, 0, sizeof(crash));
	memset(&dead, 0, sizeof(dead));
	crash.region = crash_region_layout((struct region){REGION, CRASH_REGION_MIN}, 0);
	crash.has_config = true;
	if (region_set_add(&hw.machine.ram, BASE, SIZE) ||
	    region_set_add(&dead.ram, KERNEL, CRASH_REGION_ALIGN))
		wrong("no RAM");
	memset(ram + (crash.region.record.base - BASE), 0, CRASH_RECORD_SIZE);
	memset(ram, 0, IMAGE_LINUX_HEADER);
	if (asked.ending != LIFE_NO_LINUX)
		memcpy(ram + LINUX_MAGIC_AT, &linux_magic, sizeof(linux_magic));
	flushes = 0;
	looked = false;
}

struct life_verdict life_judge(struct life_case what)
{
	asked = what;
	seen = (struct life_verdict){0};
	judging = true;
	set_up();
	crash.config = (struct bundle_crash){.attempts = what.most_attempts,
					     .capture_unknown = what.capture_unknown};
	crash.record = (struct crash_record){.state = what.state,
					     .attempts = what.attempts,
					     .boots = what.boots,
					     .kernel_pa = KERNEL,
					     .kernel_size = CRASH_REGION_ALIGN,
					     .region_base = REGION,
					     .region_size = CRASH_REGION_MIN};
	seen.died = judge(&facts, &map, &crash, &dead);
	return seen;
}

const uint8_t *life_arming(void)
{
	static const struct chosen chosen = {
		.start = {.name = "conf"}, .kernel = {KERNEL, CRASH_REGION_ALIGN}, .may_arm = true};
	static const struct elf_note note = {sizeof(VMCOREINFO_NAME), 100, 0};

	if (step_count)
		return steps;
	judging = false;
	set_up();
	memcpy(ram + (NOTE - BASE), &note, sizeof(note));
	memcpy(ram + (NOTE - BASE) + sizeof(note), VMCOREINFO_NAME, sizeof(VMCOREINFO_NAME));
	arm_prepare(&facts, &map, &crash, &dead, &payload);
	if (crash.record.state != CRASH_ARMED)
		wrong("nothing is armed");
	arm_record(&facts, &map, &crash, &chosen, &dead);
	steps[step_count] = LIFE_END;
	return steps;
}
