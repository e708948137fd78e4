// SPDX-License-Identifier: BSD-2-Clause
/*
 * vmm [-m MIB] [-c VCPUS] [-f FDT] [-r RESETS] [-t SECONDS] [-x 1] ADDRESS=FILE...
 *
 * Runs a guest under KVM: files at their physical addresses in RAM from 0x80000000, vCPU 0 started at
 * 0x80200000 with FDT in a1. After a reset the files are loaded again and nothing else of RAM changes, as on
 * a machine whose firmware loads from flash; at most RESETS times. -x 1 reflects fetch faults that the host
 * does not handle. The guest's SBI console is stdout; so is the line about each life's end, "vmm: end=...".
 * The exit code is an enum vm_end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define ENTRY		  (VM_RAM_BASE + 0x200000)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIB		  ((size_t)1 << 20)

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "vmm: %s: %s\n", what, why);
	exit(VM_FAILED);
}

/* ADDRESS=FILE: the whole file, where it says. */
static void load(const struct vm_config *config, const char *argument)
{
	char *path;
	uint64_t offset = strtoull(argument, &path, 0) - VM_RAM_BASE;
	ssize_t size;
	int file;

	if (*path++ != '=' || offset >= config->ram_size)
		fail(argument, "not ADDRESS=FILE with an address in RAM");
	file = open(path, O_RDONLY);
	if (file < 0)
		fail(path, strerror(errno));
	do {
		size = read(file, (char *)config->ram + offset, config->ram_size - offset);
		if (size < 0)
			fail(path, strerror(errno));
		offset += (uint64_t)size;
	} while (size && offset < config->ram_size);
	if (size)
		fail(path, "does not fit into RAM");
	close(file);
}

/* Each life is a process of its own, so that nothing but RAM outlives it. */
static enum vm_end live(const struct vm_config *config)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		fail("fork", strerror(errno));
	if (!child)
		vm_live(config);
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		fail("a life", "ended without a word");
	return (enum vm_end)WEXITSTATUS(status);
}

/* Options of one letter, each with a number. Returns the index of the first argument behind them. */
static int read_options(int argc, char **argv, struct vm_config *config, uint64_t *resets)
{
	uint64_t mib = 16, vcpus = 1, seconds = 10, reflect = 0;
	const struct {
		char letter;
		uint64_t *value;
	} options[] = {
		{'m', &mib},   {'c', &vcpus},	{'f', &config->fdt},
		{'r', resets}, {'t', &seconds}, {'x', &reflect},
	};
	int letter;

	while ((letter = getopt(argc, argv, "m:c:f:r:t:x:")) != -1) {
		size_t i = 0;

		while (i < ARRAY_SIZE(options) && options[i].letter != letter)
			i++;
		if (i == ARRAY_SIZE(options))
			fail("usage", "vmm [-m MIB] [-c VCPUS] [-f FDT] [-r RESETS] [-t SECONDS] [-x 1] "
				      "ADDRESS=FILE...");
		*options[i].value = strtoull(optarg, NULL, 0);
	}
	config->ram_size = mib * MIB;
	config->vcpus = (unsigned)vcpus;
	config->seconds = (unsigned)seconds;
	config->reflect = reflect != 0;
	return optind;
}

int main(int argc, char **argv)
{
	struct vm_config config = {.entry = ENTRY};
	uint64_t resets = 0;
	int first = read_options(argc, argv, &config, &resets);
	enum vm_end how;

	config.ram = mmap(NULL, config.ram_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (config.ram == MAP_FAILED)
		fail("RAM", strerror(errno));
	do {
		for (int i = first; i < argc; i++)
			load(&config, argv[i]);
		how = live(&config);
	} while (how == VM_RESET && resets--);
	return (int)how;
}
