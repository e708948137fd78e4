// SPDX-License-Identifier: BSD-2-Clause
/*
 * The payload's FDT out of several: the firmware's, a base, overlays, one behind the other in the input.
 * Whatever the last three say, what only firmware knows is in what comes out.
 */
#include "tests/fuzz/fuzz.h"

#include <libfdt.h>

#include "fdt/merge.h"
#include "tests/unit/fdt_sense.h"

#define TREES_MAX 5

struct trees {
	struct blob tree[TREES_MAX];
	size_t count;
};

/* Cut the input where each tree says that it ends. */
static void cut_up(const uint8_t *data, size_t size, struct trees *trees)
{
	trees->count = 0;
	while (size >= sizeof(struct fdt_header) && trees->count < TREES_MAX) {
		uint32_t told;
		size_t take;

		memcpy(&told, data + offsetof(struct fdt_header, totalsize), sizeof(told));
		take = fdt32_to_cpu(told);
		if (take < sizeof(struct fdt_header) || take > size || trees->count == TREES_MAX - 1)
			take = size;
		trees->tree[trees->count++] = (struct blob){.data = fuzz_copy(data, take), .size = take};
		data += take;
		size -= take;
	}
}

static void let_go(struct trees *trees)
{
	for (size_t i = 0; i < trees->count; i++)
		free(trees->tree[i].data);
}

static bool is_reserved(const struct machine *m, struct region range)
{
	struct region_set left;

	region_set_clear(&left);
	if (region_set_add(&left, range.base, range.size))
		return true; /* too long to be of any machine */
	for (size_t i = 0; i < m->reserved_count; i++) {
		if (region_set_subtract(&left, m->reserved[i].range.base, m->reserved[i].range.size))
			return true; /* more pieces than can be told */
	}
	return left.count == 0;
}

/* Is @name, in @blob, the name of a pool that the kernel may use for its own? A base may have another. */
static bool is_lent(const struct blob *blob, const char *name)
{
	int node;

	fdt_for_each_subnode(node, blob->data, fdt_subnode_offset(blob->data, 0, "reserved-memory"))
	{
		if (fdt_get_name(blob->data, node, NULL) == name)
			return fdt_getprop(blob->data, node, "reusable", NULL) != NULL;
	}
	return false;
}

static void check_facts(const struct blob *blob, const struct machine *firmware, const struct machine *merged,
			bool overlays)
{
	for (size_t i = 0; i < firmware->reserved_count; i++)
		assert_true(is_lent(blob, firmware->reserved[i].name) ||
			    is_reserved(merged, firmware->reserved[i].range));
	if (overlays)
		return;
	assert_int_equal(merged->ram.count, firmware->ram.count);
	assert_memory_equal(merged->ram.region, firmware->ram.region,
			    firmware->ram.count * sizeof(firmware->ram.region[0]));
}

/* Return: how many overlays were applied; SIZE_MAX: what is in @out is of no use. */
static size_t merge(const struct trees *trees, void *out, size_t room)
{
	struct diag diag = {""};
	bool overlay;

	if (fdt_merge_begin(trees->tree[1].data, out, room, &diag) ||
	    fdt_merge_firmware(out, trees->tree[0].data, "base", &diag))
		return SIZE_MAX;
	for (size_t i = 2; i < trees->count; i++) {
		const struct blob *tree = &trees->tree[i];

		if (fdt_check_image(tree->data, tree->size, "over", &overlay, &diag) || !overlay)
			return i - 2;
		if (fdt_merge_overlay(out, tree->data, trees->tree[0].data, "over", &diag)) {
			assert_in_range(strlen(diag.text), 10, sizeof(diag.text) - 1);
			return SIZE_MAX;
		}
	}
	return trees->count - 2;
}

static void check_merged(const struct blob *from, const struct machine *firmware, uint8_t *out, size_t room,
			 size_t overlays)
{
	struct blob blob = {.data = out, .size = room};
	static struct machine merged;
	bool overlay;

	assert_int_equal(fdt_check_image(out, room, "out", &overlay, NULL), LB_OK);
	if (fdt_read_machine(out, room, &merged, NULL))
		return;
	check_facts(from, firmware, &merged, overlays);
	check_sense(&blob, &merged);
	check_payload(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine firmware;
	struct trees trees;
	bool overlay;

	cut_up(data, size, &trees);
	if (trees.count >= 2 && !fdt_read_machine(trees.tree[0].data, trees.tree[0].size, &firmware, NULL) &&
	    !fdt_check_image(trees.tree[1].data, trees.tree[1].size, "base", &overlay, NULL) && !overlay) {
		/* An odd size now and then is too small, at some step. */
		const size_t room = (size & 1) ? size : 4 * size + 4096;
		uint8_t *out = malloc(room);
		const size_t overlays = merge(&trees, out, room);

		if (overlays != SIZE_MAX)
			check_merged(&trees.tree[0], &firmware, out, room, overlays);
		free(out);
	}
	let_go(&trees);
	return 0;
}
