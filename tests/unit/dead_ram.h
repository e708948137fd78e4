/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM with dead kernels in it, made up: VMCOREINFO notes, and printk rings that a model of Linux's writer
 * fills.
 *
 * The model is written from the description of the ring (facts: linux-contracts 6), not from the reader. It
 * remembers what it wrote, so that a test can ask what a reader must find.
 */
#ifndef LIFEBOAT_TESTS_DEAD_RAM_H
#define LIFEBOAT_TESTS_DEAD_RAM_H

#include "kexec/dead/find.h"
#include "kexec/dead/printk.h"

#define DEAD_BASE     UINT64_C(0x80000000)
#define DEAD_LOG_MAX  9000
#define DEAD_TEXT_MAX 200
/* Linux' flags of a record. */
#define LOG_NEWLINE 2
#define LOG_CONT    8

#define DEAD_IMAGE (2 * MIB) /* what a kernel owns, from kernel_pa on */

/* What the stage knows, if it has put a kernel at @pa. */
#define DEAD_HOME(pa) (&(struct vmcoreinfo_home){{(pa), DEAD_IMAGE}, DEAD_BASE})

/* Memory that is exactly as long as it says: a byte beyond it is the sanitizer's. */
struct dead_ram {
	paddr_t base;
	uint64_t size;
	uint8_t *bytes;
	struct region_set readable;
	struct ram look;
};

void dead_ram_init(struct dead_ram *ram, paddr_t base, uint64_t size);
void dead_ram_free(struct dead_ram *ram);
void dead_put(struct dead_ram *ram, paddr_t pa, uint64_t value, size_t width);
uint64_t dead_get(const struct dead_ram *ram, paddr_t pa, size_t width);

/* What a kernel of that time writes into its note, and how its ring is laid out. */
enum dead_age { AGE_6_1, AGE_6_2, AGE_6_12, AGE_7_2, AGE_ODD, AGES };

enum dead_state { STATE_RESERVED, STATE_COMMITTED, STATE_FINALIZED, STATE_REUSABLE };

/* One record as it was logged. */
struct dead_record {
	uint64_t id, seq, ts, begin, next;
	enum dead_state state;
	uint8_t facility, level, flags;
	size_t length;
	char text[DEAD_TEXT_MAX];
};

/* Set between dead_kernel_init() and dead_kernel_build() what shall differ from the defaults. */
struct dead_kernel {
	struct dead_ram *ram;
	enum dead_age age;
	const char *release;
	paddr_t kernel_pa, note_pa;
	uint64_t kaslr, page_offset, crash_time;
	unsigned va_bits, count_bits, size_bits;
	bool headless; /* no Image header where the kernel is: it is ours no more */
	bool unnamed;  /* the image has no pointer to the note */
	bool linear;   /* the ring's arrays are in the linear map (log_buf_len=), at kernel_pa + 1 MiB, too */
	uint16_t uts_name;
	struct printk_layout at;

	/* Made by dead_kernel_build(). */
	uint64_t kernel_va;
	paddr_t uts, prb, rb, descs, infos, data;
	size_t text_size;
	char text[5000];

	/* The writer. */
	uint64_t head_id, tail_id, head_lpos, tail_lpos, next_seq;
	size_t logged;
	struct dead_record log[DEAD_LOG_MAX];
};

/* A kernel at @kernel_pa (which needs 2 MiB of RAM behind it), its note at @note_pa. */
void dead_kernel_init(struct dead_kernel *kernel, struct dead_ram *ram, enum dead_age age, paddr_t kernel_pa,
		      paddr_t note_pa);
/*
 * Lay it into its RAM: Image header, release string, an empty ring, the note and the image's pointer to it.
 */
void dead_kernel_build(struct dead_kernel *kernel);

/*
 * The note's text: append a line; replace the line that begins with @prefix (NULL: drop it); lay the note
 * anew.
 */
void dead_note_append(struct dead_kernel *kernel, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void dead_note_replace(struct dead_kernel *kernel, const char *prefix, const char *value);
void dead_note_write(struct dead_kernel *kernel);

/* Log a record, as the kernel would; NULL text of length 0 is an empty line. */
struct dead_record *dead_log_bytes(struct dead_kernel *kernel, const char *text, size_t length);
/* As pr_info() would, and as a write to /dev/kmsg would. */
struct dead_record *dead_log(struct dead_kernel *kernel, const char *text);
struct dead_record *dead_log_user(struct dead_kernel *kernel, const char *text);
/* With these flags, in the place of LOG_NEWLINE alone. */
struct dead_record *dead_log_flags(struct dead_kernel *kernel, const char *text, uint8_t flags);
/* After a change to a record's fields: lay its descriptor and info anew. */
void dead_log_rewrite(struct dead_kernel *kernel, const struct dead_record *record);
/* Where a record's descriptor and info are. */
paddr_t dead_desc(const struct dead_kernel *kernel, const struct dead_record *record);
paddr_t dead_info(const struct dead_kernel *kernel, const struct dead_record *record);
/* The positions of the records that a reader must find, oldest first, in @index; returns how many. */
size_t dead_readable(const struct dead_kernel *kernel, size_t index[DEAD_LOG_MAX]);

/* splitmix64: a number stream that is the same everywhere. */
uint64_t dead_random(uint64_t *state);
uint64_t dead_below(uint64_t *state, uint64_t bound);

#endif
