// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options that no crash kernel may get.
 *
 * The dead kernel's bootargs are handed on by kexec, or written into a crash configuration by somebody who
 * copied them. What was meant for all of the machine's RAM leaves nothing of a crash region. kdump-tools and
 * kdump-utils take out some of these, each another choice; Linux' kernel-parameters.txt has the meanings.
 */
#include "kexec/crash/barred.h"

#include "base/text.h"

#define ALWAYS UINT32_MAX

static const struct {
	const char *names;
	uint32_t most; /* bytes, or pages: so much does no harm */
} barred[] = {
	/* Where memory is: the core header's, its own, what it shall take for RAM. */
	{"elfcorehdr initrd initrdmem mem memmap kernelcore movablecore "
	 /* Memory that is set aside for others, or for what only a kernel that lives long needs. */
	 "crashkernel default_hugepagesz hugepagesz reserve_mem kho swiotlb coherent_pool "
	 "slub_debug slab_debug page_owner "
	 /* It would run on from the dead kernel's hibernation, or write over it. */
	 "resume resume_offset",
	 ALWAYS},
	{"cma cma_pernuma numa_cma hugetlb_cma hugepages sysctl.vm.nr_hugepages", 0},
	{"sysctl.vm.min_free_kbytes", 8192},
	{"log_buf_len trace_buf_size", 1 << 20},
};

/* A plain number, with K or M behind it or not. What is written otherwise is not believed to be small. */
static bool is_at_most(const struct cmdline_word *word, uint32_t most)
{
	static const char suffixes[] = "KkMm";
	size_t length = word->value_length;
	unsigned shift = 0;
	uint32_t number;

	for (unsigned i = 0; length && suffixes[i]; i++) {
		if (word->value[length - 1] == suffixes[i])
			shift = 10 * (i / 2 + 1);
	}
	return text_read_number(word->value, length - (shift != 0), most >> shift, &number);
}

static bool is_among(const struct cmdline_word *word, const char *names)
{
	struct cmdline_word name;

	while (cmdline_next(&names, &name)) {
		if (cmdline_same(word, &name))
			return true;
	}
	return false;
}

bool crash_is_barred(const struct cmdline_word *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(barred); i++) {
		if (is_among(word, barred[i].names))
			return barred[i].most == ALWAYS || !is_at_most(word, barred[i].most);
	}
	return false;
}
