// SPDX-License-Identifier: BSD-2-Clause
/*
 * Signed bundles, edited as the input says: whatever is still accepted is byte-identical in all that is used.
 *
 * The input says which bundle, and then which edits, with their numbers. An odd first byte edits the
 * control FDT with the keys instead, of which nothing can be said but that it breaks nothing.
 */
#include "tests/fuzz/fuzz.h"

#include "fdt/sound.h"
#include "tests/unit/signed_damage.h"

#define EDITS_MAX 6

static struct feed feed;

static uint32_t below(uint32_t limit)
{
	return feed_below(&feed, limit);
}

static const char *const bundles[] = {"rsa2048-embedded", "rsa2048-tight", "rsa2048-pss", "rsa3072",
				      "ecdsa256",	  "two-configs",   "odd-property"};
static struct original original[ARRAY_SIZE(bundles)];

static void (*const edits[])(struct file *f) = {flip_bits,  flip_bits_in_tree, replace_word, copy_run,
						swap_words, edit_tree,	       edit_tree,    edit_tree};

static void edit(struct file *f)
{
	for (size_t i = 0; i < EDITS_MAX && feed.left; i++) {
		if (f->size < sizeof(struct fdt_header) || sound_tree(f->bytes, f->size))
			return;
		edits[below(ARRAY_SIZE(edits))](f);
	}
	if (feed.left == 1)
		cut_short(f);
	f->bytes = realloc(f->bytes, f->size ? f->size : 1);
}

static void try_bundle(const struct original *o)
{
	struct file f = cut(o->file, o->file.size);
	struct bundle_config config;

	edit(&f);
	if (accept(o->scene, f, &config))
		assert_same(f, &config, o);
	free(f.bytes);
}

static void try_control(const struct original *o)
{
	struct file control = cut(o->scene->control[0], o->scene->control[0].size);
	struct scene *s = scene_make(NULL);

	edit(&control);
	if (!keyring_open(control.bytes, control.size, &s->ring[0], &s->diag)) {
		s->policy.ring = s->ring;
		s->policy.ring_count = 1;
		(void)signature_requires(&s->policy, KEY_REQUIRED_CONF);
		(void)scene_check(s, o->file, "conf");
	}
	free(control.bytes);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t which;

	if (!original[0].scene) {
		for (size_t i = 0; i < ARRAY_SIZE(bundles); i++)
			original[i] = load_original(bundles[i]);
	}
	feed = (struct feed){data, size};
	which = below(256);
	(which & 1 ? try_control : try_bundle)(&original[which / 2 % ARRAY_SIZE(bundles)]);
	return 0;
}
