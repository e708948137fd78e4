// SPDX-License-Identifier: BSD-2-Clause
/* What a signature of a FIT's configuration covers, and the bytes that are hashed for it. */
#include "fdt/fit/cover.h"

#include <string.h>

#include "fdt/walk.h"

#define HASH_PREFIX "hash" /* of the names of the nodes that count as hash nodes */
#define DEPTH_MAX   32	   /* of a tree, as in U-Boot */

/* Of a configuration: what names no image, even if its text is an image's name. As in U-Boot. */
static const char *const no_references[] = {"description", "compatible", "default"};

/* Of an image: the nodes that are covered with it, besides its hashes. As in U-Boot. */
static const char *const covered_too[] = {"cipher", "dm-verity"};

/* Not hashed, wherever they are: mkimage writes them after it has signed. The hash nodes make up for it. */
static const char *const not_hashed[] = {"data", "data-size", "data-position", "data-offset"};

/* ---- What is covered ---- */

static enum lb_err add(struct fit_cover *cover, struct fit_covered covered, struct diag *diag)
{
	for (size_t i = 0; i < cover->count; i++) {
		if (cover->covered[i].node == covered.node)
			return LB_OK;
	}
	if (cover->count == FIT_COVER_MAX)
		return diag_fail(diag, LB_ENOSPC,
				 "bundle: the configuration has more than %d images and hashes",
				 FIT_COVER_MAX);
	cover->covered[cover->count++] = covered;
	return LB_OK;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static bool goes_with_image(const char *child)
{
	return !strncmp(child, HASH_PREFIX, strlen(HASH_PREFIX)) ||
	       is_among(child, covered_too, ARRAY_SIZE(covered_too));
}

/* A text that is no image's name is something else: an option, a version. */
static enum lb_err add_image(const struct fit *fit, const char *name, struct fit_cover *cover,
			     struct diag *diag)
{
	int image, child;
	enum lb_err err = fit_find_child(fit, fit->images, name, &image, diag);

	if (err)
		return err == LB_ENOENT ? LB_OK : err;
	err = add(cover, (struct fit_covered){image, {"images", name}}, diag);
	for (child = fit_first_child(fit, image); !err && child >= 0; child = fit_next_child(fit, child)) {
		const char *part = fit_node_name(fit, child);

		if (goes_with_image(part))
			err = add(cover, (struct fit_covered){child, {"images", name, part}}, diag);
	}
	return err;
}

/* All images that the text of a property names. */
static enum lb_err add_images(const struct fit *fit, struct prop property, struct fit_cover *cover,
			      struct diag *diag)
{
	const char *name = prop_string(property);
	const char *end = name ? name + property.size : NULL;
	enum lb_err err = LB_OK;

	for (; !err && name < end; name += strlen(name) + 1)
		err = add_image(fit, name, cover, diag);
	return err;
}

/*
 * Any property of the configuration may name images, so that a loader which knows more of them than this one
 * has nothing unsigned, either.
 */
enum lb_err fit_cover_find(const struct fit *fit, int config, struct fit_cover *cover, struct diag *diag)
{
	const char *name = fit_node_name(fit, config);
	struct walk w;
	enum lb_err err;

	cover->count = 0;
	err = add(cover, (struct fit_covered){0, {NULL}}, diag);
	if (err == LB_OK)
		err = add(cover, (struct fit_covered){config, {"configurations", name}}, diag);
	walk_start_in(&w, fit->blob, (uint32_t)config);
	while (!err && walk_next_property(&w)) {
		if (!is_among(w.name, no_references, ARRAY_SIZE(no_references)))
			err = add_images(fit, w.value, cover, diag);
	}
	return err;
}

/* ---- The list of it in the signature ---- */

static bool is_path_of(const char *path, const struct fit_covered *covered)
{
	if (!covered->part[0])
		return strcmp(path, "/") == 0;
	for (size_t i = 0; i < FIT_COVER_DEPTH && covered->part[i]; i++) {
		const size_t length = strlen(covered->part[i]);

		if (*path != '/' || strncmp(path + 1, covered->part[i], length) != 0)
			return false;
		path += 1 + length;
	}
	return *path == '\0';
}

static bool is_listed(const struct fit_covered *covered, const char *list, size_t count)
{
	for (; count; count--, list += strlen(list) + 1) {
		if (is_path_of(list, covered))
			return true;
	}
	return false;
}

static bool is_covered_path(const struct fit_cover *cover, const char *path)
{
	for (size_t i = 0; i < cover->count; i++) {
		if (is_path_of(path, &cover->covered[i]))
			return true;
	}
	return false;
}

enum lb_err fit_cover_check_list(const struct fit_cover *cover, const struct fit_property *list,
				 const char *signature, struct diag *diag)
{
	const char *path;
	size_t count;
	enum lb_err err = fit_read_strings(list, signature, &path, &count, diag);

	for (size_t i = 0; err == LB_OK && i < cover->count; i++) {
		const struct fit_covered *covered = &cover->covered[i];
		const char *const *part = covered->part;

		if (!is_listed(covered, path, count))
			err = diag_fail(diag, LB_EUNTRUSTED,
					"signature: '" FIT_NAME "' does not cover /%s%s" FIT_NAME
					"%s" FIT_NAME ": name it in sign-images and sign again",
					signature, part[0] ? part[0] : "", part[1] ? "/" : "",
					part[1] ? part[1] : "", part[2] ? "/" : "", part[2] ? part[2] : "");
	}
	for (; err == LB_OK && count; count--, path += strlen(path) + 1) {
		if (!is_covered_path(cover, path))
			err = diag_fail(diag, LB_EUNTRUSTED,
					"signature: '" FIT_NAME "' lists '" FIT_NAME
					"', which is no part of the configuration",
					signature, path);
	}
	return err;
}

/* ---- The bytes ---- */

/* How much of a node is hashed. A child that is not covered itself gets one less than its parent. */
enum taken {
	NOTHING,
	FRAME, /* where it begins and ends, and its name: no node can be added to a covered one */
	WHOLE, /* its properties, too */
};

struct region_walk {
	const struct fit_cover *cover;
	uint64_t strings;
	struct walk at;
	enum taken taken[DEPTH_MAX]; /* of the nodes that we are in; [0] is unused */
	unsigned depth;
	struct diag *diag;
};

static bool is_covered(const struct fit_cover *cover, int node)
{
	for (size_t i = 0; i < cover->count; i++) {
		if (cover->covered[i].node == node)
			return true;
	}
	return false;
}

static enum lb_err enter(struct region_walk *w, bool *take)
{
	enum taken *taken = w->taken;

	if (w->depth + 1 == DEPTH_MAX)
		return diag_fail(w->diag, LB_EFORMAT, "bundle: nodes are nested more than %d deep",
				 DEPTH_MAX);
	if (strchr(w->at.name, '@'))
		return diag_fail(w->diag, LB_EUNTRUSTED,
				 "signature: node '" FIT_NAME
				 "' has an '@' in its name: signed bundles have none",
				 w->at.name);
	w->depth++;
	if (is_covered(w->cover, (int)w->at.offset))
		taken[w->depth] = WHOLE;
	else
		taken[w->depth] = taken[w->depth - 1] ? taken[w->depth - 1] - 1 : NOTHING;
	*take = taken[w->depth] != NOTHING;
	return LB_OK;
}

static enum lb_err take_property(struct region_walk *w, bool *take)
{
	uint64_t name;

	walk_property(&w->at);
	name = (uint64_t)(w->at.name - w->at.strings);
	*take = w->taken[w->depth] == WHOLE;
	for (size_t i = 0; *take && i < ARRAY_SIZE(not_hashed); i++)
		*take = strcmp(w->at.name, not_hashed[i]) != 0;
	if (*take && !range_fits(name, strlen(w->at.name) + 1, w->strings))
		return diag_fail(w->diag, LB_EUNTRUSTED,
				 "signature: the name of the property '" FIT_NAME "' is not covered",
				 w->at.name);
	return LB_OK;
}

/* Is the tag that was read hashed? */
static enum lb_err take_tag(struct region_walk *w, uint32_t tag, bool *take)
{
	switch (tag) {
	case FDT_BEGIN_NODE:
		return enter(w, take);
	case FDT_END_NODE:
		*take = w->taken[w->depth--] != NOTHING;
		return LB_OK;
	case FDT_PROP:
		return take_property(w, take);
	case FDT_END:
		*take = true;
		return LB_OK;
	default: /* FDT_NOP */
		*take = w->taken[w->depth] == WHOLE;
		return LB_OK;
	}
}

/* What the walk over a tree that was checked whole does not show: the tree's own ends. */
static enum lb_err check_ends(const struct region_walk *w, struct diag *diag)
{
	if (w->at.offset + FDT_TAGSIZE != w->at.structure_size)
		return diag_fail(diag, LB_EFORMAT, "bundle: there is something behind the tree's end");
	return LB_OK;
}

enum lb_err fit_region_walk(const struct fit *fit, const struct fit_cover *cover, uint64_t strings,
			    fit_region_visit *visit, void *arg, struct diag *diag)
{
	struct region_walk w = {.cover = cover, .strings = strings, .diag = diag};
	uint32_t tag, begin = 0, end;
	enum lb_err err = LB_OK;

	walk_start(&w.at, fit->blob);
	if (strings > w.at.strings_size)
		return diag_fail(diag, LB_EFORMAT, "signature: more strings are signed than there are");
	do {
		bool take = false;

		tag = walk_next(&w.at);
		err = take_tag(&w, tag, &take);
		end = tag == FDT_END ? w.at.offset + FDT_TAGSIZE : w.at.offset;
		if (!err && (!take || tag == FDT_END)) {
			if (end > begin)
				visit(arg, w.at.structure + begin, end - begin);
			begin = w.at.next;
		}
	} while (!err && tag != FDT_END);
	if (!err)
		err = check_ends(&w, diag);
	if (!err)
		visit(arg, w.at.strings, (size_t)strings);
	return err;
}
