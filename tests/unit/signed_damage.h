/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signed bundles and what can be done to them: what the stage accepts, what of it must be as it was, and
 * edits of bytes and of trees.
 */
#ifndef LIFEBOAT_TESTS_SIGNED_DAMAGE_H
#define LIFEBOAT_TESTS_SIGNED_DAMAGE_H

#include "tests/unit/signed_check.h"

#define TREE_ROOM 4096

/* A bundle as it was made, and as it came out of the stage's checks. */
struct original {
	struct file file;
	struct scene *scene;
	struct bundle_config config;
	uint64_t version;
};

/* A number below @limit, 1 at least. Who includes this says where his numbers come from. */
static uint32_t below(uint32_t limit);

/* ---- What the stage does with a bundle ---- */

static inline bool image_holds(struct file f, const struct bundle_blob *blob)
{
	static struct verify verify;
	struct diag diag;

	if (!blob->size)
		return true;
	verify_begin(&verify, &blob->hashes, NULL, 0);
	verify_add(&verify, f.bytes + blob->offset, blob->size);
	return verify_end(&verify, blob->node, &diag) == LB_OK;
}

static inline bool accept(struct scene *s, struct file f, struct bundle_config *config)
{
	struct diag diag = {""};
	struct choices choices;
	struct bundle bundle;

	/*
	 * (Names may have a newline in them by now, so that messages have one, too: the log makes it a '?'.)
	 */
	if (bundle_open(f.bytes, f.size, &bundle, &diag) ||
	    choices_read(&bundle, &no_board, &choices, &diag) ||
	    bundle_read_config(&bundle, choices.name[0], config, &diag))
		return false;
	check_config(config, f.size);
	return scene_check(s, f, config->name) == LB_OK && image_holds(f, &config->kernel) &&
	       image_holds(f, &config->ramdisk[0]);
}

/* ---- What is the same ---- */

static inline void assert_same_string(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static inline void assert_same_blob(struct file f, const struct bundle_blob *blob, struct file g,
				    const struct bundle_blob *original)
{
	assert_int_equal(blob->size, original->size);
	assert_memory_equal(f.bytes + blob->offset, g.bytes + original->offset, blob->size);
}

static inline void assert_same(struct file f, const struct bundle_config *config, const struct original *o)
{
	assert_string_equal(config->name, o->config.name);
	assert_same_string(config->bootargs, o->config.bootargs);
	assert_same_blob(f, &config->fdt[0], o->file, &o->config.fdt[0]);
	assert_same_blob(f, &config->kernel, o->file, &o->config.kernel);
	assert_same_blob(f, &config->ramdisk[0], o->file, &o->config.ramdisk[0]);
	assert_int_equal(config->in_place, o->config.in_place);
	assert_memory_equal(&config->image, &o->config.image, sizeof(config->image));
	assert_int_equal(o->scene->verdict.version, o->version);
	assert_non_null(o->scene->verdict.key);
}

/* ---- Mutations of bytes ---- */

static inline void flip_bits(struct file *f)
{
	for (uint32_t i = 0; i <= below(4); i++)
		f->bytes[below((uint32_t)f->size)] ^= (uint8_t)(1 << below(8));
}

static inline void flip_bits_in_tree(struct file *f)
{
	const uint32_t size = tree_size(*f);

	for (uint32_t i = 0; i <= below(4); i++)
		f->bytes[below(size)] ^= (uint8_t)(1 << below(8));
}

static inline void replace_word(struct file *f)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0};
	fdt32_t word = cpu_to_fdt32(odd[below(ARRAY_SIZE(odd))]);

	memcpy(f->bytes + 4 * below(tree_size(*f) / 4), &word, sizeof(word));
}

static inline void copy_run(struct file *f)
{
	const uint32_t size = tree_size(*f), run = 1 + below(64);
	const uint32_t to = 4 * below((size - run) / 4), from = 4 * below((size - run) / 4);

	memmove(f->bytes + to, f->bytes + from, run);
}

static inline void swap_words(struct file *f)
{
	const uint32_t a = 4 * below(tree_size(*f) / 4), b = 4 * below(tree_size(*f) / 4);
	uint32_t kept;

	memcpy(&kept, f->bytes + a, 4);
	memcpy(f->bytes + a, f->bytes + b, 4);
	memcpy(f->bytes + b, &kept, 4);
}

static inline void cut_short(struct file *f)
{
	f->size = below((uint32_t)f->size);
	f->bytes = realloc(f->bytes, f->size + 1);
}

/* ---- Mutations of the tree ---- */

static inline int random_node(const void *fdt)
{
	int count = 0, node, depth = 0, chosen = 0;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, &depth))
		chosen = below((uint32_t)++count) == 0 ? node : chosen;
	return chosen;
}

static inline int random_property(const void *fdt, int node)
{
	int count = 0, at, chosen = -1;

	fdt_for_each_property_offset(at, fdt, node) chosen = below((uint32_t)++count) == 0 ? at : chosen;
	return chosen;
}

static inline const char *random_name(void)
{
	static const char *const names[] = {"kernel",	 "ramdisk", "kernel@1", "conf",	   "conf@1",
					    "images",	 "hash-1",  "hash-2",	"hash",	   "signature-1",
					    "signature", "data",    "odd",	"conf/..", "configurations"};

	return names[below(ARRAY_SIZE(names))];
}

static inline void delete_something(void *fdt)
{
	int node = random_node(fdt), at = random_property(fdt, node);

	if (at >= 0 && below(2)) {
		const char *name;

		fdt_getprop_by_offset(fdt, at, &name, NULL);
		if (below(2))
			fdt_delprop(fdt, node, name);
		else
			fdt_nop_property(fdt, node, name);
	} else if (below(2)) {
		fdt_del_node(fdt, node);
	} else {
		fdt_nop_node(fdt, node);
	}
}

/* A property of one node for another, under its own name or under one that is there already. */
static inline void move_property(void *fdt)
{
	uint8_t value[512];
	char name[64];
	int from = random_node(fdt), to, at = random_property(fdt, from), size;
	const char *found;
	const void *data = at >= 0 ? fdt_getprop_by_offset(fdt, at, &found, &size) : NULL;

	if (!data || size > (int)sizeof(value))
		return;
	memcpy(value, data, (size_t)size);
	to = random_node(fdt);
	at = below(2) ? random_property(fdt, to) : at;
	if (at < 0 || !fdt_getprop_by_offset(fdt, at, &found, NULL))
		return;
	snprintf(name, sizeof(name), "%s", found);
	fdt_setprop(fdt, to, name, value, size);
}

static inline void add_something(void *fdt)
{
	const int node = random_node(fdt);
	const char *name = random_name(), *value = random_name();

	if (below(2))
		fdt_add_subnode(fdt, node, name);
	else
		fdt_setprop_string(fdt, node, name, value);
}

static inline void rename_something(void *fdt)
{
	fdt_set_name(fdt, random_node(fdt), random_name());
}

static inline void edit_tree(struct file *f)
{
	static void (*const edits[])(void *fdt) = {delete_something, move_property, add_something,
						   rename_something};
	struct file edited = {.size = f->size + TREE_ROOM};

	edited.bytes = calloc(1, edited.size);
	if (fdt_open_into(f->bytes, edited.bytes, (int)edited.size)) {
		free(edited.bytes); /* what was edited before is no tree any more */
		return;
	}
	for (uint32_t i = 0; i <= below(3); i++)
		edits[below(ARRAY_SIZE(edits))](edited.bytes);
	free(f->bytes);
	*f = edited;
}

static inline struct original load_original(const char *name)
{
	struct original o = {.file = load_signed_file(name, ".itb"), .scene = scene_make(name)};

	if (!accept(o.scene, o.file, &o.config))
		fail_msg("%s is not accepted as it is: %s", name, o.scene->diag.text);
	o.version = o.scene->verdict.version;
	return o;
}

#endif
