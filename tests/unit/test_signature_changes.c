// SPDX-License-Identifier: BSD-2-Clause
/* Everything that could be changed in a signed bundle, one thing at a time, by libfdt. */
#include "tests/unit/signed_check.h"

static void add_child(struct file f, const char *path, const char *name)
{
	assert_true(fdt_add_subnode(f.bytes, at(f, path), name) >= 0);
}

static void change_bootargs(struct file f)
{
	set_string(f, "/configurations/conf", "bootargs", "console=hvc0 conf init=/bin/sh");
}

static void add_bootargs_again(struct file f)
{
	fdt_delprop(f.bytes, at(f, "/configurations/conf"), "bootargs");
}

static void swap_kernel(struct file f)
{
	set_string(f, "/configurations/conf", "kernel", "other");
}

static void swap_ramdisk(struct file f)
{
	set_string(f, "/configurations/conf", "ramdisk", "other-ramdisk");
}

static void drop_ramdisk(struct file f)
{
	fdt_delprop(f.bytes, at(f, "/configurations/conf"), "ramdisk");
}

static void add_loadable(struct file f)
{
	set_string(f, "/configurations/conf", "loadables", "other");
}

static void swap_names(struct file f)
{
	assert_int_equal(fdt_set_name(f.bytes, at(f, "/images/kernel"), "tmp"), 0);
	assert_int_equal(fdt_set_name(f.bytes, at(f, "/images/other"), "kernel"), 0);
	assert_int_equal(fdt_set_name(f.bytes, at(f, "/images/tmp"), "other"), 0);
}

static void change_version(struct file f)
{
	fdt_setprop_u32(f.bytes, at(f, "/configurations/conf"), "lifeboat,version", 9);
}

static void change_hash(struct file f)
{
	uint8_t *value = fdt_getprop_w(f.bytes, at(f, "/images/kernel/hash-1"), "value", NULL);

	value[0] ^= 1;
}

static void change_hash_algo(struct file f)
{
	set_string(f, "/images/kernel/hash-1", "algo", "crc32");
}

static void drop_hash(struct file f)
{
	fdt_del_node(f.bytes, at(f, "/images/kernel/hash-1"));
}

static void add_hash(struct file f)
{
	add_child(f, "/images/kernel", "hash-2");
}

static void change_load(struct file f)
{
	fdt_setprop_u64(f.bytes, at(f, "/images/kernel"), "load", 0x80000000);
}

static void change_compression(struct file f)
{
	set_string(f, "/images/ramdisk", "compression", "gzip");
}

static void change_root(struct file f)
{
	set_string(f, "/", "description", "another");
}

static void add_root_node(struct file f)
{
	add_child(f, "/", "more");
}

static void add_signature(struct file f)
{
	add_child(f, "/configurations/conf", "signature-0");
}

static void drop_signature(struct file f)
{
	fdt_del_node(f.bytes, at(f, "/configurations/conf/signature-1"));
}

static void move_signature(struct file f)
{
	int size;
	const void *value = fdt_getprop(f.bytes, at(f, "/configurations/second/signature-1"), "value", &size);
	uint8_t copy[256];

	assert_int_equal(size, sizeof(copy));
	memcpy(copy, value, sizeof(copy));
	fdt_setprop(f.bytes, at(f, "/configurations/conf/signature-1"), "value", copy, size);
}

static void shorten_signature(struct file f)
{
	fdt_setprop(f.bytes, at(f, "/configurations/conf/signature-1"), "value", "short", 6);
}

static void change_padding(struct file f)
{
	set_string(f, "/configurations/conf/signature-1", "padding", "pss");
}

static void unknown_padding(struct file f)
{
	set_string(f, "/configurations/conf/signature-1", "padding", "none");
}

static void drop_strings(struct file f)
{
	fdt_delprop(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-strings");
}

static void move_strings(struct file f)
{
	fdt_setprop_u64(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-strings",
			8ull << 32 | 99);
}

static void shorten_strings(struct file f)
{
	fdt_setprop_u64(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-strings", 20);
}

static void drop_nodes(struct file f)
{
	fdt_delprop(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-nodes");
}

/* What an attacker would like to have signed: the configuration alone. */
static void shorten_nodes(struct file f)
{
	static const char nodes[] = "/\0/configurations/conf";

	fdt_setprop(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-nodes", nodes, sizeof(nodes));
}

static void lengthen_nodes(struct file f)
{
	int size;
	char *nodes =
		fdt_getprop_w(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-nodes", &size);
	char copy[512];

	memcpy(copy, nodes, (size_t)size);
	memcpy(copy + size, "/images/other", 14);
	fdt_setprop(f.bytes, at(f, "/configurations/conf/signature-1"), "hashed-nodes", copy, size + 14);
}

static void add_twin(struct file f)
{
	add_child(f, "/images", "kernel@1");
}

static void add_odd_node(struct file f)
{
	add_child(f, "/images", "odd@1");
}

static void nest_deeply(struct file f)
{
	int node = at(f, "/images");

	for (int i = 0; i < 40; i++) {
		node = fdt_add_subnode(f.bytes, node, "deep");
		assert_true(node >= 0);
	}
}

static void put_behind_the_end(struct file f)
{
	void *fdt = f.bytes;

	fdt_set_size_dt_struct(fdt, fdt_size_dt_struct(fdt) + 4);
}

static void lengthen_strings(struct file f)
{
	void *fdt = f.bytes;
	uint32_t size = fdt_size_dt_strings(fdt);

	fdt_setprop_u64(fdt, at(f, "/configurations/conf/signature-1"), "hashed-strings", size + 1);
}

static const struct {
	const char *what;
	void (*change)(struct file f);
	enum lb_err err;
	const char *why;
} changes[] = {
	{"bootargs", change_bootargs, LB_EUNTRUSTED, "does not hold"},
	{"no bootargs", add_bootargs_again, LB_EUNTRUSTED, "does not hold"},
	{"other kernel", swap_kernel, LB_EUNTRUSTED, "does not cover /images/other"},
	{"other ramdisk", swap_ramdisk, LB_EUNTRUSTED, "does not cover /images/other-ramdisk"},
	{"no ramdisk", drop_ramdisk, LB_EUNTRUSTED, "lists '/images/ramdisk', which is no part"},
	{"a loadable", add_loadable, LB_EUNTRUSTED, "does not cover /images/other"},
	{"names swapped", swap_names, LB_EUNTRUSTED, "does not hold"},
	{"version", change_version, LB_EUNTRUSTED, "does not hold"},
	{"hash", change_hash, LB_EUNTRUSTED, "does not hold"},
	{"hash algo", change_hash_algo, LB_EUNTRUSTED, "does not hold"},
	{"no hash", drop_hash, LB_EUNTRUSTED, "lists '/images/kernel/hash-1'"},
	{"a hash more", add_hash, LB_EUNTRUSTED, "does not cover /images/kernel/hash-2"},
	{"load", change_load, LB_EUNTRUSTED, "does not hold"},
	{"compression", change_compression, LB_EUNTRUSTED, "does not hold"},
	{"root property", change_root, LB_EUNTRUSTED, "does not hold"},
	{"root node", add_root_node, LB_EUNTRUSTED, "does not hold"},
	{"a signature more", add_signature, LB_EUNTRUSTED, ""},
	{"no signature", drop_signature, LB_EUNTRUSTED, "is unsigned"},
	{"another's signature", move_signature, LB_EUNTRUSTED, "does not hold"},
	{"short signature", shorten_signature, LB_EUNTRUSTED, "no value of 256 bytes"},
	{"other padding", change_padding, LB_EUNTRUSTED, "does not hold"},
	{"unknown padding", unknown_padding, LB_EUNTRUSTED, "padding 'none', which is unknown"},
	{"no strings", drop_strings, LB_EUNTRUSTED, "no hashed-strings"},
	{"strings from 8 on", move_strings, LB_EUNTRUSTED, "no hashed-strings from 0 on"},
	{"few strings", shorten_strings, LB_EUNTRUSTED, "is not covered"},
	{"no nodes", drop_nodes, LB_EUNTRUSTED, "does not cover /"},
	{"few nodes", shorten_nodes, LB_EUNTRUSTED, "does not cover /images/kernel"},
	{"nodes of others", lengthen_nodes, LB_EUNTRUSTED, "lists '/images/other', which is no part"},
	{"twin", add_twin, LB_EFORMAT, "several nodes are named 'kernel'"},
	{"nested", nest_deeply, LB_EFORMAT, "nested more than 32 deep"},
	{"behind the end", put_behind_the_end, LB_EFORMAT, "something behind the tree's end"},
	{"too many strings", lengthen_strings, LB_EFORMAT, "more strings are signed than there are"},
	{"odd name", add_odd_node, LB_EUNTRUSTED, "has an '@' in its name"},
};

static void a_signed_bundle_can_not_be_changed(void **state)
{
	struct scene *s = scene_make("two-configs");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct file bundle = editable(load_signed_file("two-configs", ".itb"));
		enum lb_err err;

		assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
		changes[i].change(bundle);
		err = scene_check(s, bundle, "conf");
		if (err != changes[i].err || !strstr(s->diag.text, changes[i].why))
			fail_msg("%s: %s: '%s'", changes[i].what, lb_err_name(err), s->diag.text);
		free(bundle.bytes);
	}
	scene_free(s);
}

/* It is of no use to anybody, but it should be known: what lies beside is not covered. */
static void what_no_signature_covers_can_be_changed(void **state)
{
	struct file bundle = editable(load_signed_file("two-configs", ".itb"));
	struct scene *s = scene_make("two-configs");

	(void)state;
	add_child(bundle, "/images", "more");
	add_child(bundle, "/configurations", "more");
	set_string(bundle, "/configurations", "default", "second");
	set_string(bundle, "/images/other", "description", "changed");
	set_string(bundle, "/configurations/conf/signature-1", "signer-name", "changed");
	fdt_setprop_u32(bundle.bytes, at(bundle, "/images/kernel"), "data-offset", 17);
	assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
	assert_refused(s, bundle, "second", "does not hold");
	scene_free(s);
	free(bundle.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_bundle_can_not_be_changed),
		cmocka_unit_test(what_no_signature_covers_can_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
