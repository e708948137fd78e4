// SPDX-License-Identifier: BSD-2-Clause
/* kexec/check/signature.c on FITs that mkimage has signed, and on what becomes of them in other hands. */
#include "tests/unit/signed_check.h"

/* ---- What is good ---- */

static void what_mkimage_signs_is_accepted(void **state)
{
	static const struct {
		const char *fit;
		const char *key;
		const char *algo;
	} cases[] = {
		{"rsa2048", "rsa2048", "sha256,rsa2048"},
		{"rsa2048-embedded", "rsa2048", "sha256,rsa2048"},
		{"rsa2048-tight", "rsa2048", "sha256,rsa2048"},
		{"rsa2048-pss", "rsa2048", "sha256,rsa2048"},
		{"rsa2048-sha512", "rsa2048", "sha512,rsa2048"},
		{"rsa3072", "rsa3072", "sha256,rsa3072"},
		{"rsa4096", "rsa4096", "sha256,rsa4096"},
		{"rsa4096-pss-sha512", "rsa4096", "sha512,rsa4096"},
		{"ecdsa256", "ec", "sha256,ecdsa256"},
		{"sha512-hashes", "rsa2048", "sha256,rsa2048"},
		{"odd-property", "rsa2048", "sha256,rsa2048"},
		{"odd-text", "rsa2048", "sha256,rsa2048"},
		{"odd-description", "rsa2048", "sha256,rsa2048"},
		{"two-configs", "rsa2048", "sha256,rsa2048"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file bundle = load_signed_file(cases[i].fit, ".itb");
		struct scene *s = scene_make(cases[i].fit);

		if (scene_check(s, bundle, "conf"))
			fail_msg("%s: %s", cases[i].fit, s->diag.text);
		assert_true(s->verdict.required);
		assert_string_equal(s->verdict.key, cases[i].key);
		assert_string_equal(s->verdict.algo, cases[i].algo);
		assert_int_equal(s->verdict.version, 3);
		assert_int_equal(s->verdict.keys, 1);
		assert_true(signature_requires(&s->policy, KEY_REQUIRED_CONF));
		scene_free(s);
		free(bundle.bytes);
	}
}

static void without_a_key_nothing_is_demanded(void **state)
{
	struct file bundle = load_signed_file("two-configs", ".itb");
	struct scene *s = scene_make(NULL);

	(void)state;
	assert_int_equal(scene_check(s, bundle, "unsigned"), LB_OK);
	assert_null(s->verdict.key);
	assert_false(s->verdict.required);
	assert_int_equal(s->verdict.keys, 0);
	assert_false(signature_requires(&s->policy, KEY_REQUIRED_CONF));
	scene_free(s);
	free(bundle.bytes);
}

static void an_optional_key_is_tried_and_demands_nothing(void **state)
{
	struct file bundle = load_signed_file("two-configs", ".itb");
	struct file control = editable(load_signed_file("two-configs", ".dtb"));
	struct scene *s = scene_make(NULL);

	(void)state;
	assert_int_equal(fdt_delprop(control.bytes, at(control, "/signature/key-rsa2048"), "required"), 0);
	scene_add(s, control);
	assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
	assert_string_equal(s->verdict.key, "rsa2048");
	assert_false(s->verdict.required);
	assert_int_equal(scene_check(s, bundle, "unsigned"), LB_OK);
	assert_null(s->verdict.key);
	assert_int_equal(s->verdict.keys, 1);
	assert_false(signature_requires(&s->policy, KEY_REQUIRED_CONF));
	scene_free(s);
	free(bundle.bytes);
}

/* ---- What mkimage makes and is not good enough ---- */

static void a_signature_that_says_too_little_is_refused(void **state)
{
	static const struct {
		const char *fit;
		const char *control;
		const char *config;
		const char *why;
	} cases[] = {
		{"two-configs", "two-configs", "unsigned", "'unsigned' is unsigned, and the key 'rsa2048'"},
		{"no-ramdisk-signed", "no-ramdisk-signed", "conf", "does not cover /images/ramdisk: name it"},
		{"odd-property-unsigned", "odd-property-unsigned", "conf",
		 "does not cover /images/logo: name"},
		{"odd-cells-unsigned", "odd-cells-unsigned", "conf", "does not cover /images/logo: name"},
		{"odd-list-unsigned", "odd-list-unsigned", "conf", "does not cover /images/logo: name"},
		{"dm-verity", "dm-verity", "conf", "does not cover /images/logo/dm-verity: name"},
		{"weak-hash", "weak-hash", "conf", "image 'ramdisk' has no sha256 or sha512 hash"},
		{"sha1", "sha1", "conf", "has the algo 'sha1,rsa2048', which this build can not check"},
		{"rsa2048-sha512", "rsa2048", "conf", "is 'sha512,rsa2048', the key 'rsa2048' is for"},
		{"rsa2048", "rsa4096", "conf", "is 'sha256,rsa2048', the key 'rsa4096' is for"},
		{"image-signed", "rsa2048", "conf", "'conf' is unsigned"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file bundle = load_signed_file(cases[i].fit, ".itb");
		struct scene *s = scene_make(cases[i].control);

		assert_refused(s, bundle, cases[i].config, cases[i].why);
		scene_free(s);
		free(bundle.bytes);
	}
}

static void another_key_is_refused(void **state)
{
	static const struct {
		const char *fit;
		const char *key;
	} cases[] = {{"rsa2048", "/signature/key-rsa2048"}, {"ecdsa256", "/signature/ec"}};
	static const char *const properties[] = {"rsa,modulus", "ecdsa,x-point", "ecdsa,y-point"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file bundle = load_signed_file(cases[i].fit, ".itb");
		struct scene *s = scene_make(cases[i].fit);
		struct file control = s->control[0];

		for (size_t p = 0; p < ARRAY_SIZE(properties); p++) {
			int size;
			uint8_t *value =
				fdt_getprop_w(control.bytes, at(control, cases[i].key), properties[p], &size);

			if (!value)
				continue;
			value[size / 2] ^= 0x10;
			assert_refused(s, bundle, "conf", "does not hold with key");
			value[size / 2] ^= 0x10;
		}
		assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
		scene_free(s);
		free(bundle.bytes);
	}
}

/* ---- Policy ---- */

static void an_old_version_is_refused(void **state)
{
	struct file bundle = load_signed_file("two-configs", ".itb");
	struct file control = editable(load_signed_file("two-configs", ".dtb"));
	struct scene *s = scene_make(NULL);

	(void)state;
	fdt_setprop_u32(control.bytes, at(control, "/signature/key-rsa2048"), "lifeboat,min-version", 3);
	scene_add(s, control);
	assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
	fdt_setprop_u32(control.bytes, at(control, "/signature/key-rsa2048"), "lifeboat,min-version", 4);
	assert_refused(s, bundle, "conf", "has version 3, the key 'rsa2048' takes none before 4");
	assert_int_equal(scene_check(s, bundle, "second"), LB_OK);
	assert_int_equal(s->verdict.version, 5);
	scene_free(s);
	free(bundle.bytes);
}

/* A control FDT with the keys of "rsa2048" and of "other". */
static struct file two_keys(const char *mode)
{
	struct file control = editable(load_signed_file("rsa2048", ".dtb"));
	int node = fdt_add_subnode(control.bytes, at(control, "/signature"), "key-other");
	int size;
	const void *value =
		fdt_getprop(control.bytes, at(control, "/signature/key-rsa2048"), "rsa,modulus", &size);
	uint8_t modulus[256];

	assert_int_equal(size, sizeof(modulus));
	memcpy(modulus, value, sizeof(modulus));
	modulus[9] ^= 1;
	node = at(control, "/signature/key-other");
	fdt_setprop(control.bytes, node, "rsa,modulus", modulus, size);
	set_string(control, "/signature/key-other", "required", "conf");
	if (mode)
		set_string(control, "/signature", "required-mode", mode);
	return control;
}

static void one_key_or_each_as_the_mode_says(void **state)
{
	static const char *const modes[] = {NULL, "all", "any"};
	struct file bundle = load_signed_file("rsa2048", ".itb");
	struct file unsigned_one = load_signed_file("two-configs", ".itb");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct scene *s = scene_make(NULL);

		scene_add(s, two_keys(modes[i]));
		assert_refused(s, unsigned_one, "unsigned", "'unsigned' is unsigned");
		if (i == 2)
			assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
		else
			assert_refused(s, bundle, "conf", "does not hold with key 'key-other'");
		scene_free(s);
	}
	free(unsigned_one.bytes);
	free(bundle.bytes);
}

/* A control FDT that asks for less can't take back what another asks for. */
static void each_control_fdt_must_be_content(void **state)
{
	struct file bundle = load_signed_file("rsa2048", ".itb");
	struct scene *s = scene_make("rsa2048");

	(void)state;
	scene_add(s, load_signed_file("rsa4096", ".dtb"));
	assert_refused(s, bundle, "conf", "the key 'rsa4096' is for");
	scene_free(s);

	s = scene_make("rsa2048");
	scene_add(s, two_keys("any"));
	assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
	assert_int_equal(s->verdict.keys, 3);
	scene_free(s);
	free(bundle.bytes);
}

static enum lb_err check_kernel(struct scene *s, struct file bundle, struct file data)
{
	struct bundle opened;

	assert_int_equal(open_bundle(bundle, &opened, &s->diag), LB_OK);
	return signature_check_image(&s->policy, &opened.fit, "kernel", data.bytes, data.size, &s->work,
				     &s->diag);
}

static void an_image_can_be_signed_by_itself(void **state)
{
	struct file bundle = load_signed_file("image-signed", ".itb");
	struct file plain = load_signed_file("rsa2048", ".itb");
	struct file control = editable(load_signed_file("rsa2048", ".dtb"));
	struct file data = load_signed_file("linux.bin", "");
	struct scene *s = scene_make(NULL);

	(void)state;
	set_string(control, "/signature/key-rsa2048", "required", "image");
	scene_add(s, control);
	assert_true(signature_requires(&s->policy, KEY_REQUIRED_IMAGE));
	assert_false(signature_requires(&s->policy, KEY_REQUIRED_CONF));
	assert_int_equal(scene_check(s, bundle, "conf"), LB_OK);
	assert_int_equal(check_kernel(s, bundle, data), LB_OK);
	assert_int_equal(check_kernel(s, plain, data), LB_EUNTRUSTED);
	assert_says(&s->diag, "'kernel' is unsigned");
	data.bytes[data.size - 1] ^= 1;
	assert_int_equal(check_kernel(s, bundle, data), LB_EUNTRUSTED);
	assert_says(&s->diag, "does not hold");
	scene_free(s);
	free(data.bytes);
	free(plain.bytes);
	free(bundle.bytes);
}

static void a_key_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *property;
		const char *value;
		const char *why;
	} cases[] = {
		{"required", "configuration", "can be \"conf\" or \"image\""},
		{"required", "", "can be \"conf\" or \"image\""},
		{"rsa,num-bits", "odd", "has a modulus of 256 bytes for"},
		{"lifeboat,min-version", "three", "must be 1 or 2 cells"},
		{"ecdsa,curve", "secp521r1", "is on the curve 'secp521r1'"},
		{"rsa,modulus", NULL, "has a modulus of 0 bytes"},
	};
	struct file bundle = load_signed_file("rsa2048", ".itb");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file control = editable(load_signed_file("rsa2048", ".dtb"));
		struct scene *s = scene_make(NULL);

		if (cases[i].value)
			set_string(control, "/signature/key-rsa2048", cases[i].property, cases[i].value);
		else
			fdt_delprop(control.bytes, at(control, "/signature/key-rsa2048"), cases[i].property);
		scene_add(s, control);
		assert_true(scene_check(s, bundle, "conf") != LB_OK);
		assert_says(&s->diag, cases[i].why);
		assert_true(signature_requires(&s->policy, KEY_REQUIRED_CONF));
		scene_free(s);
	}
	free(bundle.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_mkimage_signs_is_accepted),
		cmocka_unit_test(without_a_key_nothing_is_demanded),
		cmocka_unit_test(an_optional_key_is_tried_and_demands_nothing),
		cmocka_unit_test(a_signature_that_says_too_little_is_refused),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(an_old_version_is_refused),
		cmocka_unit_test(one_key_or_each_as_the_mode_says),
		cmocka_unit_test(each_control_fdt_must_be_content),
		cmocka_unit_test(an_image_can_be_signed_by_itself),
		cmocka_unit_test(a_key_that_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
