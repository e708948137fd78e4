// SPDX-License-Identifier: BSD-2-Clause
/*
 * FDTs out of a bundle: what comes over from the firmware's, and what an overlay can't do.
 *
 * Trees are lines of text (fdt_lines.h). The sanitizers are half of it: every image ends where its heap block
 * ends.
 */
#include "tests/unit/fdt_board.h"

#define FIRMWARE_2 "/reserved-memory/fw-2@80000000"

static uint64_t current_seed; /* 0 while none is at work */

static int tell_seed(void **state)
{
	(void)state;
	if (current_seed)
		print_error("seed %llu\n", (unsigned long long)current_seed);
	current_seed = 0;
	return 0;
}

/* The base with the firmware's facts, in a block of @room bytes. The caller frees it. */
static void *merge_firmware(const void *base, const void *firmware, size_t room, enum lb_err *err)
{
	void *out = malloc(room);

	*err = fdt_merge_begin(base, out, room, &diag);
	if (!*err)
		*err = fdt_merge_firmware(out, firmware, "board", &diag);
	return out;
}

/* ---- Firmware's facts ---- */

static const struct {
	const char *what, *base, *firmware, *want;
} facts[] = {
	{
		"firmware's memory is there, whatever the base calls so",
		ROOT RAM("/memory@80000000") "/memory@0 reg 0 0 0 1\n/memory\n/memory-controller@1 reg 0 1 0 "
					     "1\n"
					     "/ram@0 device_type =memory\n/ram@0 status =disabled\n",
		ROOT RAM("/memory@90000000") "/memory@90000000 numa-node-id 1\n" RAM(
			"/x") "/x status =disabled\n",
		ROOT RAM("/memory@90000000") "/memory@90000000 numa-node-id 1\n" RAM(
			"/x") "/x status =disabled\n"
			      "/memory-controller@1 reg 0 1 0 1\n",
	},
	{
		"a name that is taken is no reason to lose RAM",
		ROOT "/bank@80000000 compatible =bank\n",
		ROOT RAM("/bank@80000000"),
		ROOT "/bank@80000000 compatible =bank\n" RAM("/bank-2@80000000"),
	},
	{
		"the base has no reservations",
		ROOT RAM("/memory"),
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n" FIRMWARE " no-map\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n" FIRMWARE " no-map\n",
	},
	{
		"the base's of that name is smaller",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x1000\n" FIRMWARE " no-map\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n" FIRMWARE " no-map\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x1000\n" FIRMWARE
						      " no-map\n" FIRMWARE_2
						      " reg 0 0x80000000 0 0x40000\n" FIRMWARE_2 " no-map\n",
	},
	{
		"the base's of that name may be mapped",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x80000\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n" FIRMWARE " no-map\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x80000\n" FIRMWARE_2
						      " reg 0 0x80000000 0 0x40000\n" FIRMWARE_2 " no-map\n",
	},
	{
		"the base's of that name is disabled, the next is a pool, the third has no place",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n" FIRMWARE
						      " status =disabled\n" FIRMWARE_2
						      " reg 0 0x80000000 0 0x40000\n" FIRMWARE_2 " reusable\n"
						      "/reserved-memory/fw-3@80000000 size 0 0x40000\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n",
		ROOT RAM("/memory") RESERVED FIRMWARE
		" reg 0 0x80000000 0 0x40000\n" FIRMWARE " status =disabled\n" FIRMWARE_2
		" reg 0 0x80000000 0 0x40000\n" FIRMWARE_2 " reusable\n"
		"/reserved-memory/fw-3@80000000 size 0 0x40000\n"
		"/reserved-memory/fw-4@80000000 reg 0 0x80000000 0 0x40000\n",
	},
	{
		"what the base keeps as well comes once, however it is spelled",
		ROOT RAM("/memory") RESERVED FIRMWARE
		" reg 0 0x80000000 0 0x200000\n" FIRMWARE " no-map\n"
		"/reserved-memory/log@90000000 reg 0 0x90000000 0 0x1000 0 0xa0000000 0 0x1000\n",
		ROOT RAM("/memory") RESERVED
		"/reserved-memory/mmode@080000000 reg 0 0x80040000 0 0x1000\n"
		"/reserved-memory/log@A0000000 reg 0 0xa0000000 0 0x1000 0 0x90000000 0 0x1000\n",
		ROOT RAM("/memory") RESERVED FIRMWARE
		" reg 0 0x80000000 0 0x200000\n" FIRMWARE " no-map\n"
		"/reserved-memory/log@90000000 reg 0 0x90000000 0 0x1000 0 0xa0000000 0 0x1000\n",
	},
	{
		"a pool is the kernel's, and the base may have its own idea of it",
		ROOT RAM("/memory") RESERVED "/reserved-memory/linux,cma size 0 0x2000000\n",
		ROOT RAM("/memory") RESERVED "/reserved-memory/linux,cma size 0 0x1000000\n"
					     "/reserved-memory/pool@90000000 reg 0 0x90000000 0 0x1000\n"
					     "/reserved-memory/pool@90000000 reusable\n",
		ROOT RAM("/memory") RESERVED "/reserved-memory/linux,cma size 0 0x2000000\n"
					     "/reserved-memory/pool@90000000 reg 0 0x90000000 0 0x1000\n"
					     "/reserved-memory/pool@90000000 reusable\n",
	},
	{
		"what /reserved-memory lacks so that Linux would see it is brought over, too",
		ROOT RAM("/memory") "/reserved-memory\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n",
		ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n",
	},
	{
		"odd cells below the base's /reserved-memory are its own affair if firmware has none",
		ROOT RAM("/memory") "/reserved-memory #address-cells 1\n",
		ROOT RAM("/memory"),
		ROOT RAM("/memory") "/reserved-memory #address-cells 1\n",
	},
	{
		"both have /memreserve/",
		ROOT RAM("/memory") "! 0x90000000 0x1000\n",
		ROOT RAM("/memory") "! 0x80000000 0x40000\n",
		ROOT RAM("/memory") "! 0x90000000 0x1000\n! 0x80000000 0x40000\n",
	},
	{
		"a hart that firmware does not give is not to be had; one that it gives may be left out",
		ROOT RAM("/memory") "/cpus/cpu@0 reg 0\n/cpus/cpu@1 reg 1\n/cpus/cpu@2 reg 2\n"
				    "/cpus/cpu@1 status =okay\n/cpus/cpu@2 status =disabled\n/cpus/cpu-map\n",
		ROOT RAM("/memory") "/cpus/cpu@00 reg 0 0\n/cpus/cpu@00 status =fail\n/cpus/cpu@1 reg 0 1\n"
				    "/cpus/cpu@1 status =disabled\n/cpus/cpu@2 reg 0 2\n/cpus/cpu@9 reg 0 9\n"
				    "/cpus/cpu@9 status =disabled\n",
		ROOT RAM("/memory") "/cpus/cpu@0 reg 0\n/cpus/cpu@1 reg 1\n/cpus/cpu@2 reg 2\n"
				    "/cpus/cpu@0 status =disabled\n/cpus/cpu@1 status =disabled\n"
				    "/cpus/cpu@2 status =disabled\n/cpus/cpu-map\n",
	},
	{
		"seeds are fresh, the rest of /chosen is the base's if it has it",
		ROOT RAM("/memory") "/chosen rng-seed 1\n/chosen stdout-path =serial0\n",
		ROOT RAM("/memory") "/chosen rng-seed 2\n/chosen kaslr-seed 3 4\n/chosen stdout-path =uart\n"
				    "/chosen linux,initrd-start 5\n/chosen phandle 6\n/chosen/below "
				    "x\n/alias\n",
		ROOT RAM("/memory") "/chosen rng-seed 2\n/chosen kaslr-seed 3 4\n/chosen stdout-path "
				    "=serial0\n"
				    "/chosen linux,initrd-start 5\n",
	},
	{
		"a phandle of the firmware's means something else in the base, and so does what refers to "
		"one",
		ROOT RAM("/memory") "/plic phandle 3\n/uart interrupt-parent 3\n" RESERVED FIRMWARE
				    " phandle 4\n",
		ROOT RAM("/memory") "/memory phandle 3\n/memory linux,phandle 3\n" RESERVED FIRMWARE
				    " reg 0 0x80000000 0 0x40000\n" FIRMWARE " phandle 3\n" FIRMWARE
				    " memory-region 4\n" FIRMWARE " interrupt-parent 4\n" FIRMWARE
				    " iommu-addresses 4 0 0 0 0\n" FIRMWARE " compatible =log\n",
		ROOT RAM("/memory") "/plic phandle 3\n/uart interrupt-parent 3\n" RESERVED FIRMWARE
				    " phandle 4\n" FIRMWARE_2 " reg 0 0x80000000 0 0x40000\n" FIRMWARE_2
				    " compatible =log\n",
	},
};

static void what_firmware_knows_wins_by_what_it_says_not_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		void *base = tree_make(facts[i].base), *firmware = tree_make(facts[i].firmware), *out;
		enum lb_err err;

		print_message("           %s\n", facts[i].what);
		out = merge_firmware(base, firmware, TREE_ROOM, &err);
		assert_int_equal(err, LB_OK);
		assert_tree(out, facts[i].want);
		assert_int_equal(fdt_check_full(out, TREE_ROOM), 0);
		/* Once more brings nothing new, but what has no name. */
		err = fdt_merge_firmware(out, firmware, "board", &diag);
		assert_int_equal(err, LB_OK);
		if (!strstr(facts[i].want, "! "))
			assert_tree(out, facts[i].want);
		free(out);
		free(base);
		free(firmware);
	}
}

static void every_room_that_is_too_small_is_told_as_that(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		void *base = tree_make(facts[i].base), *firmware = tree_make(facts[i].firmware);
		enum lb_err err = LB_ENOSPC;
		size_t room = 0;

		for (; err; room++) {
			free(merge_firmware(base, firmware, room, &err));
			assert_true(err == LB_OK || err == LB_ENOSPC);
		}
		assert_true(room > fdt_totalsize(base) &&
			    room < fdt_totalsize(base) + fdt_totalsize(firmware));
		assert_string_equal(strrchr(diag.text, ':'), ": it would exceed 2 MiB");
		free(base);
		free(firmware);
	}
}

static void other_cells_than_the_firmwares_are_refused(void **state)
{
	static const char *const bases[] = {
		"/ #address-cells 1\n/ #size-cells 1\n",
		ROOT "/reserved-memory #address-cells 2\n/reserved-memory #size-cells 1\n",
		ROOT "/reserved-memory #address-cells 3\n/reserved-memory #size-cells 2\n",
	};
	void *firmware = tree_make(ROOT RAM("/memory") RESERVED FIRMWARE " reg 0 0x80000000 0 0x40000\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		void *base = tree_make(bases[i]);
		enum lb_err err;

		free(merge_firmware(base, firmware, TREE_ROOM, &err));
		assert_int_equal(err, LB_EFORMAT);
		assert_string_equal(diag.text,
				    "fdt: 'board' can't keep the firmware's memory and reservations: "
				    "its cells do not fit");
		free(base);
	}
	free(firmware);
}

/* ---- Any base, any firmware ---- */

/* What a tree says of 64 pieces of memory: a bit for each. */
struct memory_bits {
	uint64_t ram, kept, unmapped;
	uint32_t phandle[64];
	size_t phandles;
	/* Of the node at hand. */
	char path[LINE_SIZE];
	uint64_t reg;
	bool memory, okay, no_map, reusable;
};

#define PIECE	    0x10000
#define FIRST_PIECE 0x80000000

static uint64_t bits_of(const uint8_t *value, uint32_t size)
{
	uint64_t bits = 0;

	for (uint32_t at = 0; at + 16 <= size; at += 16)
		for (uint32_t i = 0; i < raw_word(value + at + 12) / PIECE; i++)
			bits |= UINT64_C(1) << ((raw_word(value + at + 4) - FIRST_PIECE) / PIECE + i);
	return bits;
}

/* As Linux takes it: what is reserved already can't be taken out of its map any more. */
static void end_of_node(struct memory_bits *bits)
{
	const char *child = bits->path + strlen("/reserved-memory/");
	const bool reserved =
		!strncmp(bits->path, "/reserved-memory/", strlen("/reserved-memory/")) && *child;
	const bool fails = bits->no_map && (bits->reg & bits->kept & ~bits->unmapped);

	if (bits->okay && bits->memory)
		bits->ram |= bits->reg;
	if (!bits->okay || !reserved || bits->reusable || fails)
		return;
	bits->kept |= bits->reg;
	bits->unmapped |= bits->no_map ? bits->reg : 0;
}

static void look(void *context, const char *path, const char *name, const uint8_t *value, uint32_t size)
{
	struct memory_bits *bits = context;

	if (!name) {
		end_of_node(bits);
		snprintf(bits->path, sizeof(bits->path), "%s", path);
		bits->reg = 0;
		bits->okay = true;
		bits->memory = bits->no_map = bits->reusable = false;
	} else if (!strcmp(name, "reg")) {
		bits->reg = bits_of(value, size);
	} else if (!strcmp(name, "device_type")) {
		bits->memory = !strcmp((const char *)value, "memory");
	} else if (!strcmp(name, "status")) {
		bits->okay = !strcmp((const char *)value, "okay");
	} else if (!strcmp(name, "phandle")) {
		bits->phandle[bits->phandles++] = raw_word(value);
	}
	bits->no_map |= name && !strcmp(name, "no-map");
	bits->reusable |= name && !strcmp(name, "reusable");
}

static struct memory_bits bits_in(const void *fdt)
{
	struct memory_bits bits = {.ram = 0};

	tree_visit(fdt, look, &bits);
	end_of_node(&bits);
	return bits;
}

/*
 * A node that reserves, or is RAM; with a phandle, which may be the other tree's, too. Of two ranges one is
 * in the other, or they are disjoint. Those of one tree are disjoint: @used.
 */
static void add_random_node(void *fdt, uint64_t *random, bool memory, uint32_t phandle, uint64_t *used)
{
	static const char *const names[] = {"a@1", "a@2", "a-2@1", "b", "b@1", "memory@1", "memory"};
	const char *name = names[next_random(random) % ARRAY_SIZE(names)];
	const unsigned long long dice = next_random(random), count = 1 << dice % 3;
	const unsigned long long at = next_random(random) % 64 / count * count;
	const uint64_t bits = ((UINT64_C(1) << count) - 1) << at;
	char path[64], lines[1024];

	if (*used & bits)
		return;
	*used |= bits;
	snprintf(path, sizeof(path), "%s/%s", memory ? "" : "/reserved-memory", name);
	snprintf(lines, sizeof(lines), "%s reg 0 %#llx 0 %#llx\n%s phandle %u\n", path,
		 FIRST_PIECE + at * PIECE, count * PIECE, path, phandle);
	tree_add(fdt, lines);
	snprintf(lines, sizeof(lines), "%s %s\n%s status =%s\n%s %s\n", path, dice & 8 ? "no-map" : "x", path,
		 dice & 0x30 ? "okay" : "disabled", path, dice & 0x1c0 ? "y" : "reusable");
	tree_add(fdt, lines);
	snprintf(lines, sizeof(lines), "%s device_type =memory\n", path);
	if (memory && dice & 0x600)
		tree_add(fdt, lines);
}

static void *random_tree(uint64_t *random, uint32_t phandle)
{
	void *fdt = tree_begin();
	uint64_t used = 0;

	tree_add(fdt, ROOT RESERVED);
	for (uint64_t i = next_random(random) % 5; i; i--)
		add_random_node(fdt, random, false, phandle++, &used);
	for (uint64_t i = next_random(random) % 3; i; i--)
		add_random_node(fdt, random, true, phandle++, &used);
	return tree_end(fdt);
}

/* All that the base reserves it still says, line by line. */
static void check_base_is_left(const void *base, const void *out)
{
	struct lines *old = tree_lines(base), *new = tree_lines(out);

	for (size_t i = 0, j = 0; i < old->count; i++) {
		if (strncmp(old->line[i], "/reserved-memory", strlen("/reserved-memory")) != 0)
			continue;
		while (j < new->count && strcmp(new->line[j], old->line[i]) < 0)
			j++;
		assert_string_equal(new->line[j], old->line[i]);
	}
	free(old);
	free(new);
}

static void no_base_takes_ram_or_reservations_away(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
		void *base = random_tree(&random, 1), *firmware = random_tree(&random, 3), *out;
		struct memory_bits wanted = bits_in(firmware), made;
		enum lb_err err;

		current_seed = seed;
		out = merge_firmware(base, firmware, TREE_ROOM, &err);
		assert_int_equal(err, LB_OK);
		made = bits_in(out);
		assert_int_equal(made.ram, wanted.ram);
		assert_int_equal(made.kept & wanted.kept, wanted.kept);
		assert_int_equal(made.unmapped & wanted.unmapped, wanted.unmapped);
		for (size_t i = 0; i < made.phandles; i++)
			for (size_t j = 0; j < i; j++)
				assert_int_not_equal(made.phandle[i], made.phandle[j]);
		check_base_is_left(base, out);
		free(out);
		free(base);
		free(firmware);
	}
	current_seed = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_firmware_knows_wins_by_what_it_says_not_by_its_name),
		cmocka_unit_test(every_room_that_is_too_small_is_told_as_that),
		cmocka_unit_test(other_cells_than_the_firmwares_are_refused),
		cmocka_unit_test_teardown(no_base_takes_ram_or_reservations_away, tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
