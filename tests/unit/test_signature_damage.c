// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random mutations of signed bundles: what is still accepted must be, in all that is used, the original.
 *
 * Used is: the configuration's name and bootargs, what its kernel is and each byte of it, its ramdisk, its
 * FDT's name, its version. Anything else of a bundle may change (a description of an image that nobody names,
 * the bytes between two images): the count of those is printed.
 *
 * LIFEBOAT_MUTATIONS says how many there are of each kind and bundle.
 */
#include "tests/unit/signed_check.h"

#define MUTATIONS_DEFAULT 500 /* 10,000 in all */
#define TREE_ROOM	  4096

/* A bundle as it was made, and as it came out of the stage's checks. */
struct original {
	struct file file;
	struct scene *scene;
	struct bundle_config config;
	uint64_t version;
};

static uint32_t random_state = 20251125;

static uint32_t below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

/* ---- What the stage does with a bundle ---- */

static bool image_holds(struct file f, const struct bundle_blob *blob)
{
	static struct verify verify;
	struct diag diag;

	if (!blob->size)
		return true;
	verify_begin(&verify, &blob->hashes, NULL, 0);
	verify_add(&verify, f.bytes + blob->offset, blob->size);
	return verify_end(&verify, blob->node, &diag) == LB_OK;
}

static bool accept(struct scene *s, struct file f, struct bundle_config *config)
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

static void assert_same_string(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void assert_same_blob(struct file f, const struct bundle_blob *blob, struct file g,
			     const struct bundle_blob *original)
{
	assert_int_equal(blob->size, original->size);
	assert_memory_equal(f.bytes + blob->offset, g.bytes + original->offset, blob->size);
}

static void assert_same(struct file f, const struct bundle_config *config, const struct original *o)
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

static void flip_bits(struct file *f)
{
	for (uint32_t i = 0; i <= below(4); i++)
		f->bytes[below((uint32_t)f->size)] ^= (uint8_t)(1 << below(8));
}

static void flip_bits_in_tree(struct file *f)
{
	const uint32_t size = tree_size(*f);

	for (uint32_t i = 0; i <= below(4); i++)
		f->bytes[below(size)] ^= (uint8_t)(1 << below(8));
}

static void replace_word(struct file *f)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0};
	fdt32_t word = cpu_to_fdt32(odd[below(ARRAY_SIZE(odd))]);

	memcpy(f->bytes + 4 * below(tree_size(*f) / 4), &word, sizeof(word));
}

static void copy_run(struct file *f)
{
	const uint32_t size = tree_size(*f), run = 1 + below(64);
	const uint32_t to = 4 * below((size - run) / 4), from = 4 * below((size - run) / 4);

	memmove(f->bytes + to, f->bytes + from, run);
}

static void swap_words(struct file *f)
{
	const uint32_t a = 4 * below(tree_size(*f) / 4), b = 4 * below(tree_size(*f) / 4);
	uint32_t kept;

	memcpy(&kept, f->bytes + a, 4);
	memcpy(f->bytes + a, f->bytes + b, 4);
	memcpy(f->bytes + b, &kept, 4);
}

static void cut_short(struct file *f)
{
	f->size = below((uint32_t)f->size);
	f->bytes = realloc(f->bytes, f->size + 1);
}

/* ---- Mutations of the tree ---- */

static int random_node(const void *fdt)
{
	int count = 0, node, depth = 0, chosen = 0;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, &depth))
		chosen = below((uint32_t)++count) == 0 ? node : chosen;
	return chosen;
}

static int random_property(const void *fdt, int node)
{
	int count = 0, at, chosen = -1;

	fdt_for_each_property_offset(at, fdt, node) chosen = below((uint32_t)++count) == 0 ? at : chosen;
	return chosen;
}

static const char *random_name(void)
{
	static const char *const names[] = {"kernel",	 "ramdisk", "kernel@1", "conf",	   "conf@1",
					    "images",	 "hash-1",  "hash-2",	"hash",	   "signature-1",
					    "signature", "data",    "odd",	"conf/..", "configurations"};

	return names[below(ARRAY_SIZE(names))];
}

static void delete_something(void *fdt)
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
static void move_property(void *fdt)
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

static void add_something(void *fdt)
{
	const int node = random_node(fdt);
	const char *name = random_name(), *value = random_name();

	if (below(2))
		fdt_add_subnode(fdt, node, name);
	else
		fdt_setprop_string(fdt, node, name, value);
}

static void rename_something(void *fdt)
{
	fdt_set_name(fdt, random_node(fdt), random_name());
}

static void edit_tree(struct file *f)
{
	static void (*const edits[])(void *fdt) = {delete_something, move_property, add_something,
						   rename_something};
	struct file edited = {.size = f->size + TREE_ROOM};

	edited.bytes = calloc(1, edited.size);
	assert_int_equal(fdt_open_into(f->bytes, edited.bytes, (int)edited.size), 0);
	for (uint32_t i = 0; i <= below(3); i++)
		edits[below(ARRAY_SIZE(edits))](edited.bytes);
	free(f->bytes);
	*f = edited;
}

/* ---- The test ---- */

static bool try_one(const struct original *o, void (*mutate)(struct file *f))
{
	struct file f = cut(o->file, o->file.size);
	struct bundle_config config;
	bool accepted;

	mutate(&f);
	/* In a block of exactly its size, for the sanitizer. */
	f.bytes = realloc(f.bytes, f.size ? f.size : 1);
	accepted = accept(o->scene, f, &config);
	if (accepted)
		assert_same(f, &config, o);
	free(f.bytes);
	return accepted;
}

static struct original load_original(const char *name)
{
	struct original o = {.file = load_signed_file(name, ".itb"), .scene = scene_make(name)};

	if (!accept(o.scene, o.file, &o.config))
		fail_msg("%s is not accepted as it is: %s", name, o.scene->diag.text);
	o.version = o.scene->verdict.version;
	return o;
}

static void no_mutation_is_accepted_that_changes_anything(void **state)
{
	static const char *const embedded[] = {"rsa2048-embedded", "rsa3072"};
	static const char *const external[] = {"rsa2048-tight", "rsa2048-pss", "two-configs"};
	static const struct {
		const char *what;
		void (*mutate)(struct file *f);
		const char *const *bundles;
		size_t count;
	} kinds[] = {
		{"bits anywhere", flip_bits, external, ARRAY_SIZE(external)},
		{"bits of the tree", flip_bits_in_tree, external, ARRAY_SIZE(external)},
		{"a word of the tree", replace_word, external, ARRAY_SIZE(external)},
		{"a run copied", copy_run, external, ARRAY_SIZE(external)},
		{"two words swapped", swap_words, external, ARRAY_SIZE(external)},
		{"cut short", cut_short, external, ARRAY_SIZE(external)},
		{"nodes and properties", edit_tree, embedded, ARRAY_SIZE(embedded)},
	};
	const char *wanted = getenv("LIFEBOAT_MUTATIONS");
	const int count = wanted ? atoi(wanted) : MUTATIONS_DEFAULT;

	(void)state;
	print_message("seed %u\n", random_state);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int tried = 0, accepted = 0;

		for (size_t b = 0; b < kinds[k].count; b++) {
			struct original o = load_original(kinds[k].bundles[b]);

			for (int i = 0; i < count; i++, tried++)
				accepted += try_one(&o, kinds[k].mutate);
			scene_free(o.scene);
			free(o.file.bytes);
		}
		print_message("%-20s %5d tried, %4d changed nothing that is used\n", kinds[k].what, tried,
			      accepted);
		assert_true(accepted < tried);
	}
}

/* Nothing can be said of what comes out, but that it comes. */
static void a_damaged_control_fdt_breaks_nothing(void **state)
{
	struct file bundle = load_signed_file("rsa2048-tight", ".itb");
	struct file original = load_signed_file("rsa2048-tight", ".dtb");
	int opened = 0, held = 0;

	(void)state;
	for (int i = 0; i < 4 * MUTATIONS_DEFAULT; i++) {
		struct file control = cut(original, original.size);
		struct scene *s = scene_make(NULL);

		(i % 2 ? flip_bits : replace_word)(&control);
		if (keyring_open(control.bytes, control.size, &s->ring[0], &s->diag) == LB_OK) {
			s->policy.ring = s->ring;
			s->policy.ring_count = 1;
			opened++;
			held += scene_check(s, bundle, "conf") == LB_OK;
		}
		free(control.bytes);
		free(s);
	}
	free(original.bytes);
	free(bundle.bytes);
	print_message("%d of %d could be opened, %d were content\n", opened, 4 * MUTATIONS_DEFAULT, held);
	assert_true(opened > held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mutation_is_accepted_that_changes_anything),
		cmocka_unit_test(a_damaged_control_fdt_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
