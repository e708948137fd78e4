/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of signatures share: the files of make_signed.py, in heap blocks of exactly their sizes. */
#ifndef LIFEBOAT_TESTS_SIGNED_CHECK_H
#define LIFEBOAT_TESTS_SIGNED_CHECK_H

#include "kexec/check/signature.h"
#include "tests/unit/bundle_check.h"

static inline const char *signed_directory(void)
{
	const char *directory = getenv("LIFEBOAT_SIGNED");

	if (!directory)
		fail_msg("LIFEBOAT_SIGNED is not set: run tests/unit/make_signed.py DIR and set it to DIR");
	return directory;
}

static inline struct file load_signed_file(const char *name, const char *suffix)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s%s", signed_directory(), name, suffix);
	return load_path(path);
}

/* All that a build can have. */
static const struct signature_scheme *const all_schemes[] = {
	&signature_rsa2048,
	&signature_rsa3072,
	&signature_rsa4096,
	&signature_ecdsa256,
};

/* A policy of one or two control FDTs, with its room. */
struct scene {
	struct file control[2];
	struct keyring ring[2];
	struct signature_policy policy;
	struct signature_work work;
	struct signature_verdict verdict;
	struct diag diag;
};

static inline void scene_add(struct scene *s, struct file control)
{
	const size_t i = s->policy.ring_count++;

	s->control[i] = control;
	assert_int_equal(keyring_open(control.bytes, control.size, &s->ring[i], &s->diag), LB_OK);
	s->policy.ring = s->ring;
	s->policy.scheme = all_schemes;
	s->policy.scheme_count = ARRAY_SIZE(all_schemes);
}

static inline struct scene *scene_make(const char *control)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->policy = (struct signature_policy){.scheme = all_schemes, .scheme_count = ARRAY_SIZE(all_schemes)};
	if (control)
		scene_add(s, load_signed_file(control, ".dtb"));
	return s;
}

static inline void scene_free(struct scene *s)
{
	for (size_t i = 0; i < s->policy.ring_count; i++)
		free(s->control[i].bytes);
	free(s);
}

static inline enum lb_err scene_check(struct scene *s, struct file bundle, const char *config)
{
	struct bundle opened;
	enum lb_err err;

	s->diag.text[0] = '\0';
	err = bundle_open(bundle.bytes, bundle.size, &opened, &s->diag);
	if (err == LB_OK)
		err = signature_check(&s->policy, &opened.fit, config, &s->work, &s->verdict, &s->diag);
	if (err)
		assert_in_range(strlen(s->diag.text), 10, sizeof(s->diag.text) - 1);
	return err;
}

#define EDIT_ROOM 4096

/* The tree of @file, with room to edit it, and everything behind it cut off: signatures need none of that. */
static inline struct file editable(struct file file)
{
	struct file copy = {.size = file.size + EDIT_ROOM};

	copy.bytes = calloc(1, copy.size);
	assert_int_equal(fdt_open_into(file.bytes, copy.bytes, (int)copy.size), 0);
	free(file.bytes);
	return copy;
}

static inline int at(struct file file, const char *path)
{
	int node = fdt_path_offset(file.bytes, path);

	if (node < 0)
		fail_msg("there is no %s", path);
	return node;
}

static inline void assert_refused(struct scene *s, struct file bundle, const char *config, const char *why)
{
	assert_int_equal(scene_check(s, bundle, config), LB_EUNTRUSTED);
	assert_says(&s->diag, why);
}

static inline void set_string(struct file f, const char *path, const char *property, const char *value)
{
	assert_int_equal(fdt_setprop_string(f.bytes, at(f, path), property, value), 0);
}

#endif
