// SPDX-License-Identifier: BSD-2-Clause
/*
 * The other things in retained RAM that the stage reads: the call area, another's core header, and texts.
 * The input pokes into a good area, whose checksums are made right again if it says so; what is left of it
 * are the others.
 */
#include "tests/fuzz/fuzz.h"

#include "kexec/crash/area.h"
#include "kexec/crash/elfcorehdr.h"
#include "kexec/crash/text.h"

#define AREA_PA	  UINT64_C(0x8fe00000)
#define POKES_MAX 24

static const struct crash_call_facts facts = {
	.pa = AREA_PA, .entry = 0x8fd00000, .words = 0x100, .cache_block = 64};
static struct crash_call *pristine;

static void make_pristine(void)
{
	pristine = calloc(1, CRASH_CALL_SIZE);
	crash_call_init(pristine, &facts);
	for (uint64_t id = 0; id < 4; id++)
		assert_true(crash_call_add_hart(pristine, id));
}

/* The header, and the slots of the four harts. */
static void poke(struct crash_call *area, struct feed *feed)
{
	const bool header = feed_below(feed, 2);
	uint8_t *base = (uint8_t *)area + (header ? 0 : CRASH_CALL_NOTES);
	const uint32_t at = feed_below(feed, 0x10000) % (header ? sizeof(*area) : 4 * CRASH_CALL_SLOT_SIZE);

	for (unsigned width = 1 + feed_below(feed, 8), i = 0; i < width; i++)
		base[at + i] = (uint8_t)feed_number(feed, 1);
}

static void check_notes(const struct crash_call *area)
{
	assert_in_range(area->note_count, 0, CRASH_CALL_HARTS);
	for (size_t i = 0; i < area->note_count; i++) {
		const uint64_t offset = crash_call_note_offset(area, i);

		assert_true(range_fits(offset, CRASH_CALL_NOTE_SIZE, CRASH_CALL_SIZE));
		if (crash_call_has_note(area, i))
			assert_true(
				elfcorehdr_notes_end((const uint8_t *)area + offset, CRASH_CALL_NOTE_SIZE));
	}
}

static void call(struct crash_call *area, struct feed *feed)
{
	static const unsigned levels[] = {0, SV39_LEVELS, SV48_LEVELS, SV57_LEVELS, 7};
	const struct crash_call_regs regs = {.pc = feed_number(feed, 8)};
	const unsigned mode = levels[feed_below(feed, ARRAY_SIZE(levels))];
	const vaddr_t page_va = mode ? feed_number(feed, 8) : area->pa + area->page;
	const uint64_t id = feed_below(feed, 8);

	if (crash_call_prepare(area, CRASH_CALL_SIZE, page_va, mode) == LB_OK)
		assert_int_equal(area->page_va, page_va);
	if (crash_call_save(area, id, &regs) == LB_OK)
		assert_int_equal(crash_call_check(area, CRASH_CALL_SIZE), LB_OK);
	check_notes(area);
}

static void try_area(struct feed *feed)
{
	struct crash_call *area = fuzz_copy(pristine, CRASH_CALL_SIZE);
	const uint32_t pokes = feed_below(feed, POKES_MAX), seal = feed_below(feed, 2);

	for (uint32_t i = 0; i < pokes && feed->left; i++)
		poke(area, feed);
	if (seal)
		area->sum = crash_call_sum((const uint64_t *)area, offsetof(struct crash_call, sum) / 8);
	if (crash_call_check(area, CRASH_CALL_SIZE) == LB_OK) {
		check_notes(area);
		call(area, feed);
	}
	free(area);
}

static void try_core_header(const struct feed *feed)
{
	static struct elfcorehdr_note notes[ELFCOREHDR_NOTES_MAX];
	void *copy = fuzz_copy(feed->next, feed->left);
	struct diag diag = {""};
	size_t count = 0;

	if (elfcorehdr_read_notes(copy, feed->left, notes, &count, &diag) == LB_OK)
		assert_in_range(count, 0, ELFCOREHDR_NOTES_MAX);
	else
		assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
	(void)elfcorehdr_notes_end(copy, feed->left);
	free(copy);
}

static void try_text(const struct feed *feed)
{
	struct crash_text *text = fuzz_copy(feed->next, feed->left);

	if (feed->left >= sizeof(*text)) {
		const uint64_t size = crash_text_size(text, feed->left);

		assert_true(size <= feed->left - sizeof(*text));
		if (size)
			(void)!memchr(text->text, '\0', size);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = {data, size};
	const uint32_t what = feed_below(&feed, 4);

	if (!pristine)
		make_pristine();
	if (what == 0)
		try_core_header(&feed);
	else if (what == 1)
		try_text(&feed);
	else
		try_area(&feed);
	return 0;
}
