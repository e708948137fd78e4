// SPDX-License-Identifier: BSD-2-Clause
/*
 * lifeboat-ctl: what userspace of the primary can see of the crash record, and say to it.
 *
 * Linux, static. The record is read and written by the stage's own code, through /dev/mem: the crash region
 * is a no-map range, so it is no System RAM, and STRICT_DEVMEM lets it through. What is written is armed <->
 * disarmed, and the boot counter.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kexec/crash/text.h"
#include "tools/lifeboat-ctl/doctor.h"
#include "tools/lifeboat-ctl/find_region.h"
#include "tools/lifeboat-ctl/ready.h"

#define DEVICETREE "/proc/device-tree"
#define MEMORY	   "/dev/mem"
#define TEST	   "/var/lib/lifeboat/test"
#define ROOT	   "/"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"usage: lifeboat-ctl [--devicetree DIR] [--mem FILE] [--test FILE] [--root DIR]\n"
	"                    COMMAND\n"
	"  status            would the next crash be captured? Then the crash record: state, region, ...\n"
	"  disarm            the next reset is meant: boot normally, whatever the log says\n"
	"  arm               undo disarm: a reset that is not orderly is a crash again\n"
	"  confirm           this boot is a good one: an early death does not count\n"
	"  retry             give configurations that died early too often another chance\n"
	"  log               what lifeboat said when it started this kernel\n"
	"  log --previous    what it said the time before that\n"
	"  log --dead        the log of the last kernel that died\n"
	"  test              is RAM kept over a reset? Puts a pattern into the region; reboot then\n"
	"  test --report     what the reboot left of it\n"
	"By default DIR is " DEVICETREE ", the root " ROOT ", and the FILEs are " MEMORY " and " TEST ".\n";

struct control {
	const char *devicetree;
	const char *memory;
	const char *test;
	const char *root;   /* of /proc and /sys */
	const char *option; /* of the command, or NULL */
	struct crash_region region;
	struct diag diag;
};

static int fail(const char *line)
{
	fprintf(stderr, "lifeboat-ctl: %s\n", line);
	return EXIT_FAILED;
}

/* Map a part of the region. NULL, with a line said, if that can't be. */
static void *map(const struct control *control, struct region part, bool writable)
{
	const int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	const int fd = open(control->memory, (writable ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);
	void *memory = MAP_FAILED;
	int code = errno;

	/* A regular file in its place may be too short: then an access would be SIGBUS. */
	if (fd >= 0) {
		struct stat status;

		if (!fstat(fd, &status) && S_ISREG(status.st_mode) &&
		    (uint64_t)status.st_size < region_end(part))
			errno = EFBIG;
		else
			memory = mmap(NULL, (size_t)part.size, prot, MAP_SHARED, fd, (off_t)part.base);
		code = errno;
		close(fd);
	}
	if (memory != MAP_FAILED)
		return memory;
	fprintf(stderr,
		"lifeboat-ctl: cannot map %#" PRIx64
		" of %s: %s: be root, on a kernel with CONFIG_DEVMEM that is "
		"not locked down\n",
		part.base, control->memory, strerror(code));
	return NULL;
}

static void unmap(void *memory, struct region part)
{
	munmap(memory, (size_t)part.size);
}

/* The record, if there is a good one of this very region. */
static enum lb_err read_record(struct control *control, const void *memory, struct crash_record *record)
{
	const struct region all = control->region.all;
	enum lb_err err = crash_record_read(memory, record, &control->diag);

	if (err == LB_ENOENT)
		return diag_fail(
			&control->diag, err,
			"no crash record: lifeboat has staged no crash kernel; lifeboat-ctl log says why");
	if (err == LB_EUNSUPPORTED)
		return diag_fail(
			&control->diag, err,
			"the crash record is of another version than this lifeboat-ctl's (%d): use the "
			"one that came with the lifeboat that booted",
			CRASH_RECORD_VERSION);
	if (err)
		return diag_fail(
			&control->diag, err,
			"the crash record is damaged: a reset will boot normally; reboot to arm anew");
	if (record->region_base != all.base || record->region_size != all.size)
		return diag_fail(&control->diag, LB_ECONFLICT,
				 "the crash record is of a region at %#" PRIx64
				 ", but the device tree's is at %#" PRIx64 ": reboot to arm anew",
				 record->region_base, all.base);
	return LB_OK;
}

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
	print_range("region:", record->region_base, record->region_size);
	printf("%-14s%" PRIu64 "\n", "boots:", record->boots);
	if (record->kernel_size)
		print_range("primary:", record->kernel_pa, record->kernel_size);
	if (record->crash_entry)
		printf("%-14s%#" PRIx64 "\n", "crash entry:", record->crash_entry);
	for (uint32_t i = 0; i < record->lost_count; i++)
		print_range("lost:", record->lost[i].base, record->lost[i].size);
	for (uint32_t i = 0; i < record->piece_count; i++) {
		if (record->piece[i].size)
			print_range("staged:", record->piece[i].pa, record->piece[i].size);
	}
	print_counter(record);
}

/* The region's record, with a line said if there is none to be had. */
static int load_record(struct control *control, struct crash_record *record)
{
	const struct region part = control->region.record;
	void *memory = map(control, part, false);
	enum lb_err err;

	if (!memory)
		return EXIT_FAILED;
	err = read_record(control, memory, record);
	unmap(memory, part);
	return err ? fail(control->diag.text) : EXIT_DONE;
}

static int show_status(struct control *control)
{
	struct crash_record record;

	if (load_record(control, &record))
		return EXIT_FAILED;
	ready_print(control->root, &record, crash_record_piece(&record, CRASH_PIECE_IMAGE).size > 0);
	print_record(&record);
	return EXIT_DONE;
}

static bool is_running(const struct crash_record *record)
{
	return record->state == CRASH_ARMED || record->state == CRASH_DISARMED;
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
	enum lb_err err = read_record(control, memory, &before);

	if (err)
		return err;
	if (!is_running(&before))
		return diag_fail(
			&control->diag, LB_EINVAL,
			"the record is %s, only an armed or disarmed one can be changed: nothing was "
			"changed; lifeboat-ctl log says what lifeboat staged",
			crash_state_name(before.state));
	record = before;
	change(&record);
	if (!memcmp(&record, &before, sizeof(record)))
		return LB_OK;
	before = record;
	/* No hook for caches: O_SYNC maps uncached where the hart can (Svpbmt); docs/crash.md. */
	err = crash_record_write(memory, &record, NULL, NULL);
	if (!err)
		err = crash_record_read(memory, &record, &control->diag);
	if (err || memcmp(&record, &before, sizeof(record)))
		return diag_fail(&control->diag, err ? err : LB_EFORMAT,
				 "the record did not take the change: is %s really the machine's memory?",
				 control->memory);
	return LB_OK;
}

static int change(struct control *control, void (*how)(struct crash_record *), const char *done)
{
	const struct region part = control->region.record;
	void *memory = map(control, part, true);
	enum lb_err err;

	if (!memory)
		return EXIT_FAILED;
	err = change_record(control, memory, how);
	unmap(memory, part);
	if (err)
		return fail(control->diag.text);
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
		return fail(none);
	if (fwrite(text->text, 1, (size_t)size, stdout) != size || fflush(stdout))
		return fail("cannot write the log: is the disk full?");
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
		text = map(control, part, false);
		if (!text)
			return EXIT_FAILED;
		status = print_text(text, part.size, logs[i].none);
		unmap(text, part);
		return status;
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* A seed that is another one each time; so nothing stale looks like the pattern. */
static uint64_t new_seed(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
}

static int write_pattern(struct control *control, const struct doctor_test *test)
{
	void *memory = map(control, test->range, true);

	if (!memory)
		return EXIT_FAILED;
	doctor_write(memory, test);
	unmap(memory, test->range);
	return EXIT_DONE;
}

/* The record is disarmed, so that the reboot is meant, whatever the log says of it. */
static int begin_test(struct control *control)
{
	struct doctor_test test = {.seed = new_seed()};
	struct crash_record record;

	if (load_record(control, &record))
		return EXIT_FAILED;
	test.range = doctor_room(control->region.usable, &record);
	if (!test.range.size)
		return fail("no free page in the crash region: make lifeboat,region-size larger");
	if (write_pattern(control, &test))
		return EXIT_FAILED;
	if (doctor_save(control->test, &test, &control->diag))
		return fail(control->diag.text);
	return change(control, do_disarm,
		      "the pattern is in its place: reboot, then lifeboat-ctl test --report");
}

static int report_test(struct control *control)
{
	struct doctor_survey survey;
	struct doctor_test test;
	void *memory;

	if (doctor_load(control->test, control->region.usable, &test, &control->diag))
		return fail(control->diag.text);
	memory = map(control, test.range, false);
	if (!memory)
		return EXIT_FAILED;
	survey = doctor_look(memory, &test);
	unmap(memory, test.range);
	doctor_report(control->devicetree, &test, &survey);
	return survey.whole == survey.pages ? EXIT_DONE : EXIT_FAILED;
}

static int do_test(struct control *control)
{
	if (!control->option)
		return begin_test(control);
	if (is_option(control->option, "--report"))
		return report_test(control);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static const struct {
	const char *name;
	int (*run)(struct control *control);
	bool takes_option;
} commands[] = {
	{"status", show_status, false}, {"disarm", disarm, false}, {"arm", arm, false},
	{"confirm", confirm, false},	{"retry", retry, false},   {"log", show_log, true},
	{"test", do_test, true},
};

static int run(struct control *control, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) || (control->option && !commands[i].takes_option))
			continue;
		if (find_region(control->devicetree, &control->region, &control->diag))
			return fail(control->diag.text);
		return commands[i].run(control);
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct control control = {.devicetree = DEVICETREE, .memory = MEMORY, .test = TEST, .root = ROOT};
	int i = 1;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--devicetree"))
			control.devicetree = argv[i + 1];
		else if (!strcmp(argv[i], "--mem"))
			control.memory = argv[i + 1];
		else if (!strcmp(argv[i], "--test"))
			control.test = argv[i + 1];
		else if (!strcmp(argv[i], "--root"))
			control.root = argv[i + 1];
		else
			break;
	}
	if (i == argc || argc - i > 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	control.option = argc - i == 2 ? argv[i + 1] : NULL;
	return run(&control, argv[i]);
}
