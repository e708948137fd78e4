// SPDX-License-Identifier: BSD-2-Clause
/* What is in a bundle, and what the stage would say to it. Read inspect_bundle() at the bottom first. */
#include "tools/lifeboat-inspect/inspect.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/bundle/board.h"
#include "kexec/bundle/policy.h"
#include "tools/lifeboat-inspect/unpack.h"

static const struct signature_scheme *const schemes[] = {
	&signature_rsa2048,
	&signature_rsa3072,
	&signature_rsa4096,
	&signature_ecdsa256,
};

/* ---- Properties ---- */

/* The property as text if it is text: no string of a damaged bundle goes anywhere unchecked. */
static const char *text_of(const struct fit *fit, int node, const char *name)
{
	struct fit_property property = {.name = name};
	const char *first = NULL;
	size_t strings;

	if (fit_read_properties(fit, node, &property, 1, NULL) ||
	    fit_read_strings(&property, "", &first, &strings, NULL))
		return NULL;
	return first;
}

static void put_text(struct inspection *i, const struct fit *fit, int node, const char *name)
{
	const char *text = text_of(fit, node, name);

	if (text)
		json_string(&i->json, name, text);
}

/* NUL-separated strings, if there are any. */
static void put_list(struct inspection *i, const char *name, const char *text, size_t size)
{
	const char *end = text ? text + size : NULL;

	if (!text)
		return;
	json_open(&i->json, name, '[');
	for (; text < end; text += strlen(text) + 1)
		json_string(&i->json, NULL, text);
	json_close(&i->json, ']');
}

static void put_texts(struct inspection *i, const struct fit *fit, int node, const char *name)
{
	struct fit_property property = {.name = name};
	const char *text = NULL;
	size_t strings;

	if (!fit_read_properties(fit, node, &property, 1, NULL) &&
	    !fit_read_strings(&property, "", &text, &strings, NULL))
		put_list(i, name, text, property.size);
}

static void put_number(struct inspection *i, const struct fit *fit, int node, const char *name)
{
	struct fit_property property = {.name = name};
	uint64_t number;

	if (!fit_read_properties(fit, node, &property, 1, NULL) && property.value &&
	    !fit_read_number(&property, "", &number, NULL))
		json_number(&i->json, name, number);
}

/* ---- Images ---- */

/* Does the value of a hash node match? */
static bool is_good(struct inspection *i, const struct hash_algo *algo, const struct fit_property *value,
		    const struct bundle_blob *blob)
{
	static struct verify verify;
	const struct image_hashes hashes = {.count = 1, .hash = {{algo, value->value}}};

	if (!algo || !value->value || value->size != algo->size)
		return false;
	verify_begin(&verify, &hashes, NULL, 0);
	verify_add(&verify, i->bundle.data + blob->offset, blob->size);
	return verify_end(&verify, blob->node, NULL) == LB_OK;
}

static void put_hash(struct inspection *i, const struct fit *fit, int node, const struct bundle_blob *blob)
{
	struct fit_property value = {.name = "value"};
	const char *name = text_of(fit, node, "algo");
	const struct hash_algo *algo = name ? verify_find(name) : NULL;
	bool good;

	if (fit_read_properties(fit, node, &value, 1, NULL))
		value.value = NULL;
	good = is_good(i, algo, &value, blob);
	json_open(&i->json, NULL, '{');
	json_string(&i->json, "name", fit_node_name(fit, node));
	json_string(&i->json, "algo", name);
	if (value.value)
		json_hex(&i->json, "value", value.value, value.size);
	json_bool(&i->json, "known", algo != NULL);
	json_bool(&i->json, "good", good);
	json_close(&i->json, '}');
	i->all_good &= good;
}

static void put_hashes(struct inspection *i, const struct fit *fit, int image, const struct bundle_blob *blob)
{
	int node;

	json_open(&i->json, "hashes", '[');
	for (node = fit_first_child(fit, image); node >= 0; node = fit_next_child(fit, node)) {
		if (strncmp(fit_node_name(fit, node), "hash", 4) == 0)
			put_hash(i, fit, node, blob);
	}
	json_close(&i->json, ']');
}

static void put_image(struct inspection *i, const struct fit *fit, int node)
{
	static const char *const texts[] = {"description", "type", "arch", "os", "compression"};
	struct bundle_blob blob;
	struct diag diag;

	json_open(&i->json, NULL, '{');
	json_string(&i->json, "name", fit_node_name(fit, node));
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
		put_text(i, fit, node, texts[t]);
	put_number(i, fit, node, "load");
	put_number(i, fit, node, "entry");
	if (bundle_find_data(fit, node, &blob, &diag)) {
		json_string(&i->json, "problem", diag.text);
		i->all_good = false;
	} else {
		json_number(&i->json, "offset", blob.offset);
		json_number(&i->json, "size", blob.size);
		json_bool(&i->json, "external", blob.offset >= fit->tree_size);
		put_hashes(i, fit, node, &blob);
	}
	json_close(&i->json, '}');
}

/* ---- Configurations ---- */

static void put_signatures(struct inspection *i, const struct fit *fit, int config)
{
	int node;

	json_open(&i->json, "signatures", '[');
	for (node = fit_first_child(fit, config); node >= 0; node = fit_next_child(fit, node)) {
		if (strncmp(fit_node_name(fit, node), "signature", 9) != 0)
			continue;
		json_open(&i->json, NULL, '{');
		json_string(&i->json, "name", fit_node_name(fit, node));
		put_text(i, fit, node, "algo");
		put_text(i, fit, node, "key-name-hint");
		put_text(i, fit, node, "padding");
		put_texts(i, fit, node, "sign-images");
		json_close(&i->json, '}');
	}
	json_close(&i->json, ']');
}

static enum lb_err check_image(const struct inspection *i, const struct signature_policy *policy,
			       const struct bundle_blob *blob, struct signature_work *work, struct diag *diag)
{
	static struct verify verify;
	const uint8_t *data = i->bundle.data + blob->offset;
	enum lb_err err;

	verify_begin(&verify, &blob->hashes, NULL, 0);
	verify_add(&verify, data, blob->size);
	err = verify_end(&verify, blob->node, diag);
	if (err == LB_OK && signature_requires(policy, KEY_REQUIRED_IMAGE))
		err = signature_check_image(policy, &i->bundle.fit, blob->node, data, blob->size, work, diag);
	return err;
}

static enum lb_err check_images(const struct inspection *i, const struct signature_policy *policy,
				const struct bundle_config *config, struct signature_work *work,
				struct diag *diag)
{
	const struct bundle_blob *blob;
	enum lb_err err = LB_OK;

	for (size_t b = 0; !err && (blob = bundle_config_blob(config, b)); b++)
		err = check_image(i, policy, blob, work, diag);
	return err;
}

/* What the stage would say: readable, signed as the keys want it, whole, and something to start? */
static enum lb_err judge(struct inspection *i, const char *name, struct bundle_config *config,
			 struct signature_verdict *verdict, struct diag *diag)
{
	static struct signature_work work;
	const struct signature_policy policy = {
		.ring = i->ring,
		.ring_count = i->ring != NULL,
		.scheme = schemes,
		.scheme_count = ARRAY_SIZE(schemes),
	};
	enum lb_err err = bundle_read_config(&i->bundle, name, config, diag);

	if (err == LB_OK)
		err = signature_check(&policy, &i->bundle.fit, name, &work, verdict, diag);
	if (err == LB_OK)
		err = check_images(i, &policy, config, &work, diag);
	return err || !config->packed.by ? err : unpack_config(&i->bundle, config, diag);
}

static void put_verdict(struct inspection *i, const char *name)
{
	static const char *const kinds[] = {
		[IMAGE_LINUX] = "Linux Image", [IMAGE_ELF] = "ELF", [IMAGE_RAW] = "raw binary"};
	struct signature_verdict verdict = {.key = NULL};
	struct bundle_config config;
	struct diag diag;
	enum lb_err err = judge(i, name, &config, &verdict, &diag);

	json_bool(&i->json, "accepted", err == LB_OK);
	if (err) {
		json_string(&i->json, "problem", diag.text);
		i->all_good = false;
		return;
	}
	if (config.packed.by)
		json_string(&i->json, "packed", config.packed.by->name);
	json_string(&i->json, "format", kinds[config.image.kind]);
	json_bool(&i->json, "in_place", config.in_place);
	json_string(&i->json, "signed_by", verdict.key);
	json_bool(&i->json, "required", verdict.required);
}

/* A crash configuration without a kernel: there is nothing to start, nor to sign. */
static void put_reserve(struct inspection *i)
{
	json_bool(&i->json, "accepted", true);
	json_string(&i->json, "format", "a region for a crash kernel that userspace loads");
	json_bool(&i->json, "in_place", false);
	json_string(&i->json, "signed_by", NULL);
	json_bool(&i->json, "required", false);
}

static void put_config(struct inspection *i, const struct fit *fit, int node, const char *chosen)
{
	static const char *const texts[] = {"description", "bootargs", "lifeboat,role"};
	static const char *const numbers[] = {"lifeboat,version", "lifeboat,region-size",
					      "lifeboat,kept-size"};
	static const char *const images[] = {"kernel",	 "ramdisk", "fdt",   "loadables",
					     "firmware", "fpga",    "script"};
	const char *name = fit_node_name(fit, node);

	json_open(&i->json, NULL, '{');
	json_string(&i->json, "name", name);
	json_bool(&i->json, "default", chosen && strcmp(chosen, name) == 0);
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
		put_text(i, fit, node, texts[t]);
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
		put_number(i, fit, node, numbers[n]);
	put_list(i, "boards", board_names(&i->bundle, node).first, board_names(&i->bundle, node).size);
	for (size_t p = 0; p < ARRAY_SIZE(images); p++)
		put_texts(i, fit, node, images[p]);
	put_signatures(i, fit, node);
	if (bundle_is_crash(fit, node) && !text_of(fit, node, "kernel"))
		put_reserve(i);
	else
		put_verdict(i, name);
	json_close(&i->json, '}');
}

static void put_configs(struct inspection *i, const struct fit *fit)
{
	const char *chosen;
	int node;

	json_open(&i->json, "configurations", '[');
	if (fit->configurations >= 0) {
		node = fit_first_child(fit, fit->configurations);
		chosen = text_of(fit, fit->configurations, "default");
		if (!chosen && node >= 0)
			chosen = fit_node_name(fit, node);
		for (; node >= 0; node = fit_next_child(fit, node))
			put_config(i, fit, node, chosen);
	}
	json_close(&i->json, ']');
}

static void put_fit(struct inspection *i, const struct fit *fit)
{
	int node;

	put_text(i, fit, 0, "description");
	put_number(i, fit, 0, "timestamp");
	json_number(&i->json, "tree_size", fit->tree_size);
	json_open(&i->json, "images", '[');
	for (node = fit_first_child(fit, fit->images); node >= 0; node = fit_next_child(fit, node))
		put_image(i, fit, node);
	json_close(&i->json, ']');
	put_configs(i, fit);
}

void inspect_bundle(struct inspection *i)
{
	struct bundle *bundle = &i->bundle;
	struct diag diag;

	i->all_good = true;
	json_open(&i->json, NULL, '{');
	json_number(&i->json, "size", bundle->size);
	bundle->is_fit = true; /* what is none is told as a damaged one */
	if (fit_open(bundle->data, bundle->size, &bundle->fit, &diag)) {
		json_string(&i->json, "problem", diag.text);
		i->all_good = false;
	} else {
		put_fit(i, &bundle->fit);
	}
	json_bool(&i->json, "good", i->all_good);
	json_close(&i->json, '}');
	fputc('\n', i->json.out);
}
