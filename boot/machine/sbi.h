/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls into the SBI firmware that the stage makes (RISC-V SBI specification v3.0).
 *
 * Every extension is probed before use, never guessed from the version: OpenSBI 1.5 says 2.0 and has
 * parts of 3.0, vendor firmware lacks DBCN.
 */
#ifndef LIFEBOAT_BOOT_MACHINE_SBI_H
#define LIFEBOAT_BOOT_MACHINE_SBI_H

#include "base/types.h"

#define SBI_EXT_LEGACY_PUTCHAR 0x01
#define SBI_EXT_LEGACY_GETCHAR 0x02
#define SBI_EXT_BASE	       0x10
#define SBI_EXT_HSM	       0x48534d
#define SBI_EXT_SRST	       0x53525354
#define SBI_EXT_DBCN	       0x4442434e

struct sbi_result {
	int64_t error; /* 0, or negative as the specification lists */
	uint64_t value;
};

/** Is extension @eid there? */
bool sbi_probe(uint64_t eid);

/** Specification version: major << 24 | minor. */
uint64_t sbi_spec_version(void);

/** The ids of a hart's core, as functions of the base extension. */
enum sbi_machine_id {
	SBI_MVENDORID = 4,
	SBI_MARCHID,
	SBI_MIMPID,
};

/** One of this hart's ids; 0 where the firmware does not tell. */
uint64_t sbi_machine_id(enum sbi_machine_id id);

/** Who the firmware is: "OpenSBI", "KVM", ...; @version receives its own version: major << 16 | minor. */
const char *sbi_implementation(uint64_t *version);

/** Is the firmware a hypervisor, so that none of it lies in our RAM? */
bool sbi_is_hypervisor(void);

/**
 * Write to the debug console (DBCN). May take fewer bytes than asked; value says how many.
 *
 * @pa  physical address of the bytes
 */
struct sbi_result sbi_console_write(paddr_t pa, uint64_t size);

/** Write one byte by the legacy console call, for firmware older than DBCN. */
void sbi_console_putchar(char c);

/**
 * Read from the debug console (DBCN) what was typed, at most @size bytes; value says how many. Does not wait.
 */
struct sbi_result sbi_console_read(paddr_t pa, uint64_t size);

/** Read one byte by the legacy console call; negative if there is none, or no such call. Does not wait. */
int64_t sbi_console_getchar(void);

enum sbi_hart_state {
	SBI_HART_STARTED,
	SBI_HART_STOPPED,
	SBI_HART_START_PENDING,
	SBI_HART_STOP_PENDING,
	SBI_HART_SUSPENDED,
	SBI_HART_SUSPEND_PENDING,
	SBI_HART_RESUME_PENDING,
};

/**
 * Start hart @id, which is stopped, at @entry with its id in a0 and @argument in a1.
 *
 * Return: 0; negative where that can't be: it runs already, there is no such hart, there is no HSM.
 */
int64_t sbi_hart_start(uint64_t id, paddr_t entry, uint64_t argument);

/** State of hart @id by HSM; error -3 when the firmware does not know it. */
struct sbi_result sbi_hart_status(uint64_t id);

enum sbi_reset_type {
	SBI_RESET_SHUTDOWN,
	SBI_RESET_COLD,
	SBI_RESET_WARM,
};

/** Reset or switch off the machine. Returns only if the firmware can not. */
void sbi_reset(enum sbi_reset_type type);

/**
 * Reset the machine so that RAM keeps its contents, if that can be had; else by a cold reset. Returns only if
 * neither can.
 */
void sbi_restart(void);

#endif
