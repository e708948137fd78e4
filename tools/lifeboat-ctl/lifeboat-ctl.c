// SPDX-License-Identifier: BSD-2-Clause
/*
 * lifeboat-ctl: what userspace of the primary can see of the crash record, and say to it.
 *
 * Linux, static. The record is read and written by the stage's own code, through /dev/mem: the crash region
 * is a no-map range, so it is no System RAM, and STRICT_DEVMEM lets it through. What is written is armed <->
 * disarmed, the boot counter, and a crash kernel.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kexec/crash/text.h"
#include "tools/lifeboat-ctl/control.h"
#include "tools/lifeboat-ctl/doctor.h"
#include "tools/lifeboat-ctl/find_record.h"
#include "tools/lifeboat-ctl/find_region.h"
#include "tools/lifeboat-ctl/load.h"
#include "tools/lifeboat-ctl/ready.h"

#define DEVICETREE "/proc/device-tree"
#define MEMORY	   "/dev/mem"
#define TEST	   "/var/lib/lifeboat/test"
#define ROOT	   "/"

static const char usage[] =
	"usage: lifeboat-ctl [--devicetree DIR] [--mem FILE] [--test FILE] [--root DIR] COMMAND\n"
	"  status            would the next crash be captured? Then the record: state, crash kernel, ...\n"
	"  load FILE         a crash kernel: the bundle FILE, whose crash configuration is started after a "
	"crash\n"
	"  unload            forget that one: firmware's counts again, if there is one\n"
	"  disarm            the next reset is meant: boot normally, whatever the log says\n"
	"  arm               undo disarm: a reset that is not orderly is a crash again\n"
	"  confirm           this boot is a good one: an early death does not count\n"
	"  retry             give configurations that died early too often another chance\n"
	"  log               what lifeboat said when it started this kernel\n"
	"  log --previous    what it said the time before that\n"
	"  log --dead        the log of the last kernel that died\n"
	"  test              is RAM kept over a reset? Puts a pattern into the region; reboot then\n"
	"  test --report     what the reboot left of it\n"
	"By default the DIRs are " DEVICETREE " and " ROOT ", the FILEs " MEMORY " and " TEST ".\n"
	"lifeboat-ctl --version tells which lifeboat it came with. Examples:\n"
	"  lifeboat-ctl disarm && reboot\n"
	"  lifeboat-ctl log --dead | tail -n 40\n";

static void print_range(const char *what, uint64_t base, uint64_t size)
{
	printf("%-14s[%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " KiB\n", what, base, base + size - 1,
	       size / KIB);
}

static void print_counter(const struct crash_record *record)
{
	printf("%-14s%s%s\n", "started:", record->boot_name, record->boot_confirmed ? ", confirmed" : "");
	if (!record->boot_limit)
		return;
	printf("%-14s%" PRIu32 " in a row; %" PRIu32 " within %" PRIu32 " s demote\n",
	       "early deaths:", record->early_deaths, record->boot_limit, record->boot_seconds);
	printf("%-14s", "demoted:");
	for (uint32_t i = 0; i < CRASH_CONFIGS; i++) {
		if (record->boot_demoted >> i & 1)
			printf("%" PRIu32 " ", i + 1);
	}
	printf("%s\n", record->boot_demoted ? "(as the menu numbers them)" : "none");
}

static void print_record(const struct crash_record *record)
{
	printf("%-14s%s\n", "state:", crash_state_name(record->state));
	printf("%-14s%s\n", "crash kernel:",
	       record->kept.size     ? "loaded by lifeboat-ctl"
	       : record->crash_entry ? "staged by lifeboat"
				     : "none");
	print_range("region:", record->region_base, record->region_size);
	printf("%-14s%" PRIu64 "\n", "boots:", record->boots);
	if (record->kernel_size)
		print_range("primary:", record->kernel_pa, record->kernel_size);
	if (record->crash_entry)
		printf("%-14s%#" PRIx64 "\n", "crash entry:", record->crash_entry);
	if (record->kept_room)
		printf("%-14s%" PRIu64 " KiB\n", "room to load:", record->kept_room / KIB);
	if (record->kept.size)
		print_range("loaded:", record->kept.pa, record->kept.size);
	for (uint32_t i = 0; i < record->lost_count; i++)
		print_range("lost:", record->lost[i].base, record->lost[i].size);
	for (uint32_t i = 0; i < record->piece_count; i++) {
		if (record->piece[i].size)
			print_range("staged:", record->piece[i].pa, record->piece[i].size);
	}
	print_counter(record);
}

static int show_status(struct control *control)
{
	const struct region part = control->region.record;
	void *memory = control_map(control, part, false);
	struct crash_record record;
	enum lb_err err;

	if (!memory)
		return control_fail(control->diag.text);
	err = control_read(control, memory, &record);
	control_unmap(memory, part);
	if (err)
		return control_fail(control->diag.text);
	ready_print(control->root, &record, record.kept.size || record.crash_entry);
	doctor_print_last(control);
	print_record(&record);
	return EXIT_DONE;
}

/* What userspace may change. Each does to a record what its command says, which may be nothing. */
static void do_disarm(struct crash_record *record)
{
	record->state = CRASH_DISARMED;
}

static void do_arm(struct crash_record *record)
{
	record->state = CRASH_ARMED;
}

static void do_confirm(struct crash_record *record)
{
	record->boot_confirmed = 1;
	record->early_deaths = 0;
}

static void do_retry(struct crash_record *record)
{
	record->boot_demoted = 0;
	record->early_deaths = 0;
}

static enum lb_err change_record(struct control *control, void *memory, void (*change)(struct crash_record *))
{
	struct crash_record before, record;
	enum lb_err err = control_read_running(control, memory, &before);

	if (err)
		return err;
	record = before;
	change(&record);
	if (!memcmp(&record, &before, sizeof(record)))
		return LB_OK;
	/*
	 * Twice, since the slot that is not written tells the opposite, and RAM may forget the one that is.
	 * No hook for caches: O_SYNC maps uncached where the hart can (Svpbmt); docs/crash.md.
	 */
	err = crash_record_write(memory, &record, NULL, NULL);
	if (!err)
		err = crash_record_write(memory, &record, NULL, NULL);
	return err ? err : control_check_written(control, memory, &record);
}

static int change(struct control *control, void (*how)(struct crash_record *), const char *done)
{
	const struct region part = control->region.record;
	void *memory;
	enum lb_err err;

	control_lock(control);
	memory = control_map(control, part, true);
	if (!memory)
		return control_fail(control->diag.text);
	err = change_record(control, memory, how);
	control_unmap(memory, part);
	if (err)
		return control_fail(control->diag.text);
	printf("%s\n", done);
	return EXIT_DONE;
}

static int disarm(struct control *control)
{
	return change(control, do_disarm, "disarmed");
}

static int arm(struct control *control)
{
	return change(control, do_arm, "armed");
}

static int confirm(struct control *control)
{
	return change(control, do_confirm, "confirmed");
}

static int retry(struct control *control)
{
	return change(control, do_retry, "every configuration has another chance");
}

/* The region's logs by the command's option. */
static const struct {
	const char *option; /* NULL: without one */
	size_t offset;	    /* of the part in struct crash_region */
	const char *none;
} logs[] = {
	{NULL, offsetof(struct crash_region, run_log[0]),
	 "lifeboat kept no log of this run: RAM was lost, or it is another version's"},
	{"--previous", offsetof(struct crash_region, run_log[1]),
	 "lifeboat kept no log of a run before this one: RAM was lost, or there was none"},
	{"--dead", offsetof(struct crash_region, dead_log),
	 "no dead kernel left a log: none died, or RAM was lost in between"},
};

static int print_text(const struct crash_text *text, uint64_t room, const char *none)
{
	const uint64_t size = crash_text_size(text, room);

	if (!size)
		return control_fail(none);
	if (fwrite(text->text, 1, (size_t)size, stdout) != size || fflush(stdout))
		return control_fail("cannot write the log: is the disk full?");
	return EXIT_DONE;
}

static bool is_option(const char *option, const char *wanted)
{
	return option && wanted ? !strcmp(option, wanted) : option == wanted;
}

static int show_log(struct control *control)
{
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		const void *at = (const char *)&control->region + logs[i].offset;
		const struct region part = *(const struct region *)at;
		void *text;
		int status;

		if (!is_option(control->option, logs[i].option))
			continue;
		text = control_map(control, part, false);
		if (!text)
			return control_fail(control->diag.text);
		status = print_text(text, part.size, logs[i].none);
		control_unmap(text, part);
		return status;
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* The record is disarmed, so that the reboot is meant, whatever the log says of it. */
static int test(struct control *control)
{
	int status;

	if (is_option(control->option, "--report"))
		return doctor_report(control);
	if (control->option) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	status = doctor_begin(control);
	return status ? status
		      : change(control, do_disarm,
			       "the pattern is in its place: reboot, then lifeboat-ctl test --report");
}

static const struct {
	const char *name;
	int (*run)(struct control *control);
	bool takes_option, wants_option;
} commands[] = {
	{"status", show_status, false, false},
	{"load", load_run, true, true},
	{"unload", unload_run, false, false},
	{"disarm", disarm, false, false},
	{"arm", arm, false, false},
	{"confirm", confirm, false, false},
	{"retry", retry, false, false},
	{"log", show_log, true, false},
	{"test", test, true, false},
};

static bool is_asked(size_t command, const struct control *control, const char *name)
{
	return !strcmp(commands[command].name, name) &&
	       (control->option ? commands[command].takes_option : !commands[command].wants_option);
}

static bool find(struct control *control)
{
	const enum lb_err err = find_region(control->devicetree, &control->region, &control->diag);
	const struct diag why = control->diag;

	if (!err || (err == LB_ENOENT && find_record(control)))
		return true;
	control_fail(why.text);
	return false;
}

static int run(struct control *control, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!is_asked(i, control, name))
			continue;
		if (!find(control))
			return EXIT_FAILED;
		return commands[i].run(control);
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* What comes before the command. */
static bool take_option(struct control *control, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **value;
	} options[] = {
		{"--devicetree", &control->devicetree},
		{"--mem", &control->memory},
		{"--test", &control->test},
		{"--root", &control->root},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (!strcmp(options[i].name, name)) {
			*options[i].value = value;
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	struct control control = {.devicetree = DEVICETREE, .memory = MEMORY, .test = TEST, .root = ROOT};
	int i = 1;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("lifeboat-ctl " LIFEBOAT_VERSION);
		return EXIT_DONE;
	}
	while (i + 1 < argc && take_option(&control, argv[i], argv[i + 1]))
		i += 2;
	if (i == argc || argc - i > 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	control.option = argc - i == 2 ? argv[i + 1] : NULL;
	return run(&control, argv[i]);
}
