// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another's core header: which notes it names, and whether notes end where they must. Blocks have their exact
 * size, for ASan.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kexec/crash/elfcorehdr.h"

#define ROUNDS 20000

static struct diag diag;

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 24;
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
	return next_random(state) % bound;
}

#define CHECK(seed, condition)                                                               \
	do {                                                                                 \
		if (!(condition))                                                            \
			fail_msg("seed 0x%llx: %s", (unsigned long long)(seed), #condition); \
	} while (0)

/* ---- The header ---- */

/* A header of @entries, each third a note, as kexec-tools orders them: any way it likes. */
static uint8_t *make_header(uint64_t *seed, size_t entries, uint64_t *size, Elf64_Phdr *phdr)
{
	Elf64_Ehdr ehdr = {.e_type = ET_CORE, .e_machine = EM_RISCV, .e_version = EV_CURRENT};
	uint8_t *data;

	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	ehdr.e_phoff = sizeof(ehdr);
	ehdr.e_phentsize = sizeof(*phdr);
	ehdr.e_phnum = (Elf64_Half)entries;
	*size = sizeof(ehdr) + entries * sizeof(*phdr);
	data = malloc(*size);
	memcpy(data, &ehdr, sizeof(ehdr));
	for (size_t i = 0; i < entries; i++)
		phdr[i] = (Elf64_Phdr){.p_type = below(seed, 3) ? PT_LOAD : PT_NOTE,
				       .p_offset = next_random(seed),
				       .p_memsz = next_random(seed)};
	memcpy(data + sizeof(ehdr), phdr, entries * sizeof(*phdr));
	return data;
}

static void the_notes_of_a_header_come_out_in_order(void **state)
{
	static Elf64_Phdr phdr[300];
	static struct elfcorehdr_note note[ELFCOREHDR_NOTES_MAX];

	(void)state;
	for (uint64_t round = 0; round < 500; round++) {
		uint64_t seed = round, size;
		size_t entries = below(&seed, 300), count = SIZE_MAX, at = 0;
		uint8_t *data = make_header(&seed, entries, &size, phdr);

		CHECK(round, !elfcorehdr_read_notes(data, size, note, &count, &diag));
		for (size_t i = 0; i < entries && at < ELFCOREHDR_NOTES_MAX; i++) {
			if (phdr[i].p_type != PT_NOTE)
				continue;
			CHECK(round, note[at].pa == phdr[i].p_offset && note[at].size == phdr[i].p_memsz);
			at++;
		}
		CHECK(round, count == at);
		free(data);
	}
}

static void a_header_that_is_cut_off_or_foreign_is_refused(void **state)
{
	static Elf64_Phdr phdr[20];
	static struct elfcorehdr_note note[ELFCOREHDR_NOTES_MAX];
	static const size_t what_it_is[] = {0, 1, 2, 3, EI_CLASS, EI_DATA, EI_VERSION, 16, 18, 54};
	uint64_t seed = 1, size;
	uint8_t *data = make_header(&seed, 20, &size, phdr);
	size_t count = 77;

	(void)state;
	for (uint64_t left = 0; left < size; left++) {
		uint8_t *part = malloc(left ? left : 1);

		memcpy(part, data, left);
		assert_int_equal(elfcorehdr_read_notes(part, left, note, &count, &diag), LB_EFORMAT);
		free(part);
	}
	for (size_t i = 0; i < sizeof(what_it_is) / sizeof(*what_it_is); i++) {
		data[what_it_is[i]] ^= 0x40;
		assert_int_equal(elfcorehdr_read_notes(data, size, note, &count, &diag), LB_EFORMAT);
		data[what_it_is[i]] ^= 0x40;
	}
	assert_int_equal(elfcorehdr_read_notes(data, size, note, &count, NULL), LB_OK);
	free(data);
}

static void no_header_makes_the_reader_leave_it(void **state)
{
	static Elf64_Phdr phdr[20];
	static struct elfcorehdr_note note[ELFCOREHDR_NOTES_MAX];

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t seed = round, size;
		size_t count;
		uint8_t *data = make_header(&seed, below(&seed, 20), &size, phdr);

		for (uint64_t i = 1 + below(&seed, 4); i; i--)
			data[below(&seed, sizeof(Elf64_Ehdr))] = (uint8_t)next_random(&seed);
		if (!elfcorehdr_read_notes(data, size, note, &count, &diag))
			CHECK(round, count <= ELFCOREHDR_NOTES_MAX);
		free(data);
	}
}

/* ---- The notes ---- */

/*
 * Where a reader that trusts them would stop, word for word as fs/proc/vmcore.c walks; SIZE_MAX: beyond
 * @size.
 */
static size_t walk_as_linux(const uint8_t *data, size_t size, size_t *notes)
{
	size_t at = 0;

	for (*notes = 0;; ++*notes) {
		Elf64_Nhdr nhdr;

		if (at > size || size - at < sizeof(nhdr))
			return SIZE_MAX;
		memcpy(&nhdr, data + at, sizeof(nhdr));
		if (!nhdr.n_namesz)
			return at;
		at += sizeof(nhdr) + (((size_t)nhdr.n_namesz + 3) & -(size_t)4) +
		      (((size_t)nhdr.n_descsz + 3) & -(size_t)4);
	}
}

static void notes_end_where_linux_stops_and_nowhere_else(void **state)
{
	size_t good = 0, bad = 0;

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t seed = round;
		size_t size = below(&seed, 64) * 4, notes, end;
		uint8_t *data = calloc(1, size ? size : 1);

		for (size_t at = 0; at + 12 <= size;) {
			Elf64_Nhdr nhdr = {.n_namesz = (Elf64_Word)below(&seed, 9),
					   .n_descsz = (Elf64_Word)below(&seed, 40)};

			if (below(&seed, 50) == 0)
				nhdr.n_descsz = -(Elf64_Word)below(&seed, 16);
			memcpy(data + at, &nhdr, sizeof(nhdr));
			if (!nhdr.n_namesz)
				break;
			at += 12 + ((nhdr.n_namesz + 3) & -4U) + ((nhdr.n_descsz + 3ULL) & -4ULL);
		}
		end = walk_as_linux(data, size, &notes);
		CHECK(round, elfcorehdr_notes_end(data, size) == (end != SIZE_MAX && notes > 0));
		end != SIZE_MAX &&notes ? good++ : bad++;
		free(data);
	}
	assert_true(good > ROUNDS / 10 && bad > ROUNDS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_notes_of_a_header_come_out_in_order),
		cmocka_unit_test(a_header_that_is_cut_off_or_foreign_is_refused),
		cmocka_unit_test(no_header_makes_the_reader_leave_it),
		cmocka_unit_test(notes_end_where_linux_stops_and_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
