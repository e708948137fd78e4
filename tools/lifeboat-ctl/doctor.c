// SPDX-License-Identifier: BSD-2-Clause
/* The doctor: a pattern in the crash region, and what a reset leaves of it. */
#include "tools/lifeboat-ctl/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define DOCTOR_MAX (32 * MIB)
#define WORDS	   (PAGE_SIZE / sizeof(uint64_t))
#define BITS	   (8 * PAGE_SIZE)

/* Half of the bits of RAM that was lost are as they were, by chance. */
#define BY_CHANCE (3 * BITS / 4)

/* A test that was begun: where the pattern is, in whole pages, and which. */
struct doctor_test {
	struct region range;
	uint64_t seed;
};

/* What is left of a pattern. */
struct survey {
	uint64_t pages;
	uint64_t whole;	  /* of these, pages without one wrong bit */
	uint64_t damaged; /* pages that have more of it than chance has */
	uint64_t lost;	  /* the others */
	uint64_t bits_kept;
};

static uint64_t lowest_piece(const struct crash_record *record, uint64_t from, uint64_t end)
{
	for (size_t i = 0; i < CRASH_PIECES; i++) {
		const struct region piece = crash_record_piece(record, i);

		if (piece.size && region_end(piece) > from && piece.base < end)
			end = piece.base > from ? piece.base : from;
	}
	return end;
}

/* The pages from @from on, up to the next piece. */
static struct region gap_at(struct region usable, const struct crash_record *record, uint64_t from)
{
	const struct region gap = {from, lowest_piece(record, from, region_end(usable)) - from};

	return region_pages_inside(gap);
}

/* Where a pattern does no harm: the largest part of usable memory that no piece lies in. */
static struct region find_room(struct region usable, const struct crash_record *record)
{
	struct region best = gap_at(usable, record, usable.base);

	for (size_t i = 0; i < CRASH_PIECES; i++) {
		const struct region piece = crash_record_piece(record, i);
		const struct region gap = piece.size ? gap_at(usable, record, region_end(piece)) : piece;

		if (gap.size > best.size)
			best = gap;
	}
	if (best.size > DOCTOR_MAX)
		best.size = DOCTOR_MAX;
	return best;
}

/* The word at @index: all its bits depend on all of both numbers (a step of splitmix64). */
static uint64_t pattern(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void write_pattern(void *memory, const struct doctor_test *test)
{
	volatile uint64_t *word = memory;

	for (uint64_t i = 0; i < test->range.size / sizeof(*word); i++)
		word[i] = pattern(test->seed, i);
}

static uint64_t bits_kept(const uint64_t *page, uint64_t seed, uint64_t first)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < WORDS; i++)
		kept += (uint64_t)__builtin_popcountll(~(page[i] ^ pattern(seed, first + i)));
	return kept;
}

static struct survey look(const void *memory, const struct doctor_test *test)
{
	struct survey survey = {.pages = test->range.size / PAGE_SIZE};

	for (uint64_t i = 0; i < survey.pages; i++) {
		const uint64_t kept = bits_kept((const uint64_t *)memory + i * WORDS, test->seed, i * WORDS);

		survey.bits_kept += kept;
		survey.whole += kept == BITS;
		survey.damaged += kept != BITS && kept > BY_CHANCE;
		survey.lost += kept <= BY_CHANCE;
	}
	return survey;
}

/* On the disk when this returns: the reset comes next. */
static enum lb_err save(const char *path, const struct doctor_test *test, struct diag *diag)
{
	FILE *file = fopen(path, "w");
	bool good = file && fprintf(file, "%#" PRIx64 " %#" PRIx64 " %#" PRIx64 "\n", test->range.base,
				    test->range.size, test->seed) > 0;
	good = good && !fflush(file) && !fsync(fileno(file));
	if (file && fclose(file))
		good = false;
	if (!good)
		return diag_fail(diag, LB_EINVAL,
				 "cannot write %s: is the disk full, does its directory exist?", path);
	return LB_OK;
}

static enum lb_err load(const char *path, struct region usable, struct doctor_test *test, struct diag *diag)
{
	FILE *file = fopen(path, "r");
	struct doctor_test t;
	int fields;

	if (!file)
		return diag_fail(diag, LB_ENOENT, "no test was begun: there is no %s: run lifeboat-ctl test",
				 path);
	fields = fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64, &t.range.base, &t.range.size, &t.seed);
	fclose(file);
	if (fields != 3 || !t.range.size || (t.range.base | t.range.size) % PAGE_SIZE ||
	    t.range.size > DOCTOR_MAX || t.range.base + t.range.size < t.range.base ||
	    !region_contains(usable, t.range))
		return diag_fail(diag, LB_EFORMAT,
				 "%s: no test of the crash region that is here now: begin another", path);
	*test = t;
	return LB_OK;
}

static void print_model(const char *devicetree)
{
	char path[512], model[128] = "unknown";
	FILE *file;

	snprintf(path, sizeof(path), "%s/model", devicetree);
	file = fopen(path, "rb");
	if (file) {
		model[fread(model, 1, sizeof(model) - 1, file)] = '\0';
		fclose(file);
	}
	printf("machine:      %s\n", model);
}

static const char *verdict(const struct survey *survey)
{
	if (survey->whole == survey->pages)
		return "RAM is kept over this reset";
	if (survey->lost == survey->pages)
		return "RAM is lost over this reset: no crash can be captured after it";
	return "RAM is harmed over this reset: a dump would have holes or wrong bits";
}

static void print_survey(const struct doctor_test *test, const struct survey *survey)
{
	const double bits = (double)(survey->pages * BITS);
	struct utsname name;

	if (!uname(&name))
		printf("kernel:       %s\n", name.release);
	printf("tested:       [%#" PRIx64 "..%#" PRIx64 "] %" PRIu64 " pages\n", test->range.base,
	       region_end(test->range) - 1, survey->pages);
	printf("pages:        %" PRIu64 " whole, %" PRIu64 " damaged, %" PRIu64 " lost\n", survey->whole,
	       survey->damaged, survey->lost);
	printf("bits kept:    %.4f %%\n", 100.0 * (double)survey->bits_kept / bits);
	printf("verdict:      %s\n", verdict(survey));
}

/* The file beside the note that has the last verdict, and its day. */
static FILE *open_last(const struct control *control, const char *mode)
{
	char path[512];

	if ((size_t)snprintf(path, sizeof(path), "%s.result", control->test) >= sizeof(path))
		return NULL;
	return fopen(path, mode);
}

static bool save_last(const struct control *control, const struct survey *survey)
{
	const time_t now = time(NULL);
	const struct tm *day = gmtime(&now);
	FILE *file = open_last(control, "w");
	bool good = file && day &&
		    fprintf(file, "%d-%02d-%02d: %s\n", day->tm_year + 1900, day->tm_mon + 1, day->tm_mday,
			    verdict(survey)) > 0;

	return !(file && fclose(file)) && good;
}

void doctor_print_last(const struct control *control)
{
	FILE *file = open_last(control, "r");
	char line[128] = "";

	if (file && fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
	printf("%-14s%s\n", "last test:", line[0] ? line : "none (lifeboat-ctl test)");
}

/* Another one each time, so nothing stale looks like the pattern. */
static uint64_t new_seed(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
}

static enum lb_err find_place(struct control *control, struct region *range)
{
	void *memory = control_map(control, control->region.record, false);
	struct crash_record record;
	enum lb_err err;

	if (!memory)
		return LB_EINVAL;
	err = control_read_running(control, memory, &record);
	control_unmap(memory, control->region.record);
	if (err)
		return err;
	*range = find_room(control->region.usable, &record);
	return range->size ? LB_OK
			   : diag_fail(&control->diag, LB_ENOSPC,
				       "no free page in the crash region: make lifeboat,region-size larger");
}

int doctor_begin(struct control *control)
{
	struct doctor_test test = {.seed = new_seed()};
	void *memory;

	if (find_place(control, &test.range))
		return control_fail(control->diag.text);
	memory = control_map(control, test.range, true);
	if (!memory)
		return control_fail(control->diag.text);
	write_pattern(memory, &test);
	control_unmap(memory, test.range);
	if (save(control->test, &test, &control->diag))
		return control_fail(control->diag.text);
	return EXIT_DONE;
}

int doctor_report(struct control *control)
{
	struct doctor_test test = {.seed = 0};
	struct survey survey;
	void *memory;

	if (load(control->test, control->region.usable, &test, &control->diag))
		return control_fail(control->diag.text);
	memory = control_map(control, test.range, false);
	if (!memory)
		return control_fail(control->diag.text);
	survey = look(memory, &test);
	control_unmap(memory, test.range);
	print_model(control->devicetree);
	print_survey(&test, &survey);
	if (!save_last(control, &survey))
		return control_fail("cannot keep the verdict beside the test's note: is the disk full?");
	return survey.whole == survey.pages ? EXIT_DONE : EXIT_FAILED;
}
