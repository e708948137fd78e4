// SPDX-License-Identifier: BSD-2-Clause
/* Signatures of a bundle's configurations and images. Read signature_check() at the bottom first. */
#include "kexec/check/signature.h"

#include <inttypes.h>
#include <string.h>

#include "kexec/check/verify.h"

#define SIGNATURE_PREFIX "signature" /* of the names of the nodes that count as signatures */
#define HASH_PREFIX	 "hash"
#define HASH_SIZE_MIN	 32

/* One check, of a configuration or of an image. */
struct check {
	const struct signature_policy *policy;
	const struct fit *fit;
	int node;
	const char *name; /* of the node */
	const void *data; /* of an image; NULL: a configuration is checked */
	uint64_t data_size;
	uint64_t version;
	struct signature_work *work;
	struct diag *diag;
};

/* ---- One signature ---- */

enum signature_property {
	SIGNATURE_ALGO,
	SIGNATURE_PADDING,
	SIGNATURE_VALUE,
	SIGNATURE_NODES,
	SIGNATURE_STRINGS,
	SIGNATURE_PROPERTIES,
};

static const struct signature_scheme *find_scheme(const struct signature_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->scheme_count; i++) {
		if (strcmp(policy->scheme[i]->name, name) == 0)
			return policy->scheme[i];
	}
	return NULL;
}

/* "sha256,rsa2048" */
static enum lb_err read_algo(const struct check *c, const struct fit_property *property, struct signature *s)
{
	const char *comma;
	size_t strings;
	enum lb_err err = fit_read_strings(property, s->name, &s->algo, &strings, c->diag);

	if (err)
		return err;
	comma = strings == 1 ? strchr(s->algo, ',') : NULL;
	if (comma) {
		s->hash = sha2_find(s->algo, (size_t)(comma - s->algo));
		s->scheme = find_scheme(c->policy, comma + 1);
	}
	if (!s->hash || !s->scheme)
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' of '" FIT_NAME "' has the algo '" FIT_NAME
				 "', which this build can not check",
				 s->name, c->name, strings ? s->algo : "");
	return LB_OK;
}

static enum lb_err read_padding(const struct check *c, const struct fit_property *property,
				struct signature *s)
{
	const char *padding = NULL;
	size_t strings;
	enum lb_err err = fit_read_strings(property, s->name, &padding, &strings, c->diag);

	if (err)
		return err;
	s->padding = RSA_PKCS1_V15;
	if (padding && strings == 1 && strcmp(padding, "pss") == 0)
		s->padding = RSA_PSS;
	else if (padding && (strings != 1 || strcmp(padding, "pkcs-1.5") != 0))
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' of '" FIT_NAME "' has the padding '" FIT_NAME
				 "', which is unknown",
				 s->name, c->name, padding);
	return LB_OK;
}

/* <0 SIZE>: from the beginning of the strings block. */
static enum lb_err read_strings_size(const struct check *c, const struct fit_property *property,
				     struct signature *s)
{
	enum lb_err err = fit_read_number(property, s->name, &s->strings, c->diag);

	if (err == LB_OK && (property->size != 8 || s->strings > UINT32_MAX))
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' of '" FIT_NAME
				 "' has no hashed-strings from 0 on: sign with mkimage 2019.01 or later",
				 s->name, c->name);
	return err;
}

static enum lb_err read_signature(const struct check *c, int node, struct signature *s)
{
	struct fit_property property[SIGNATURE_PROPERTIES] = {
		[SIGNATURE_ALGO] = {.name = "algo"},
		[SIGNATURE_PADDING] = {.name = "padding"},
		[SIGNATURE_VALUE] = {.name = "value"},
		[SIGNATURE_NODES] = {.name = "hashed-nodes"},
		[SIGNATURE_STRINGS] = {.name = "hashed-strings"},
	};
	enum lb_err err;

	*s = (struct signature){.name = fit_node_name(c->fit, node)};
	err = fit_read_properties(c->fit, node, property, SIGNATURE_PROPERTIES, c->diag);
	if (err == LB_OK)
		err = read_algo(c, &property[SIGNATURE_ALGO], s);
	if (err == LB_OK)
		err = read_padding(c, &property[SIGNATURE_PADDING], s);
	if (err == LB_OK && !c->data)
		err = read_strings_size(c, &property[SIGNATURE_STRINGS], s);
	if (err)
		return err;
	s->value = property[SIGNATURE_VALUE].value;
	s->nodes = property[SIGNATURE_NODES];
	if (!s->value || property[SIGNATURE_VALUE].size != s->scheme->size)
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' of '" FIT_NAME "' has no value of %" PRIu32
				 " bytes: sign the bundle",
				 s->name, c->name, s->scheme->size);
	return LB_OK;
}

static void add_region(void *sha2, const void *data, size_t size)
{
	sha2_add(sha2, data, size);
}

/* The digest of all that the signature is about. */
static enum lb_err make_digest(const struct check *c, const struct signature *s, uint8_t *digest)
{
	enum lb_err err = LB_OK;
	struct sha2 sha2;

	sha2_begin(&sha2, s->hash);
	if (c->data) {
		sha2_add(&sha2, c->data, c->data_size);
	} else {
		err = fit_cover_check_list(&c->work->cover, &s->nodes, s->name, c->diag);
		if (err == LB_OK)
			err = fit_region_walk(c->fit, &c->work->cover, s->strings, add_region, &sha2,
					      c->diag);
	}
	sha2_end(&sha2, digest);
	return err;
}

static enum lb_err check_signature(const struct check *c, int node, const struct key *key,
				   struct signature *s)
{
	uint8_t digest[SHA2_SIZE_MAX];
	enum lb_err err = read_signature(c, node, s);

	if (err)
		return err;
	if (key->algo && strcmp(key->algo, s->algo) != 0)
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' of '" FIT_NAME "' is '" FIT_NAME
				 "', the key '" FIT_NAME "' is for '" FIT_NAME "'",
				 s->name, c->name, s->algo, key->name, key->algo);
	err = make_digest(c, s, digest);
	if (err == LB_OK && !s->scheme->verify(s, key, digest, &c->work->rsa))
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' of '" FIT_NAME
				 "' does not hold with key '" FIT_NAME
				 "': something was changed, or another key has signed",
				 s->name, c->name, key->name);
	return err;
}

/* ---- One key ---- */

/* Does one of the node's signatures hold with this key? If not, @diag has the last one's reason. */
static enum lb_err check_key(const struct check *c, const struct key *key, struct signature *s)
{
	enum lb_err err = LB_ENOENT;
	int node;

	for (node = fit_first_child(c->fit, c->node); node >= 0; node = fit_next_child(c->fit, node)) {
		if (strncmp(fit_node_name(c->fit, node), SIGNATURE_PREFIX, strlen(SIGNATURE_PREFIX)) != 0)
			continue;
		err = check_signature(c, node, key, s);
		if (err == LB_OK)
			break;
	}
	if (err == LB_ENOENT)
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' is unsigned, and the key '" FIT_NAME
				 "' is required: sign it (docs/signing.md)",
				 c->name, key->name);
	if (err == LB_OK && !c->data && c->version < key->min_version)
		return diag_fail(c->diag, LB_EUNTRUSTED,
				 "signature: '" FIT_NAME "' has version %" PRIu64 ", the key '" FIT_NAME
				 "' takes none before %" PRIu64 ": use a newer bundle",
				 c->name, c->version, key->name, key->min_version);
	return err;
}

/* ---- All keys ---- */

static void note_success(struct signature_verdict *verdict, const struct key *key, const struct signature *s)
{
	if (verdict->key && key->required == KEY_OPTIONAL)
		return;
	verdict->key = key->name;
	verdict->algo = s->algo;
}

/*
 * Check with all keys of a ring that are required for @what, and remember whether an optional one's
 * signature holds.
 */
static enum lb_err check_ring(const struct check *c, const struct keyring *ring, enum key_required what,
			      struct signature_verdict *verdict)
{
	size_t required = 0, held = 0;
	struct diag why = {""};
	int node;

	for (node = keyring_first(ring); node >= 0; node = keyring_next(ring, node)) {
		struct signature s;
		struct key key;
		enum lb_err err = keyring_read(ring, node, &key, c->diag);

		if (err)
			return err;
		verdict->keys++;
		if (key.required != what && (key.required != KEY_OPTIONAL || c->data))
			continue;
		required += key.required == what;
		err = check_key(c, &key, &s);
		if (err && key.required == what && !ring->any_will_do)
			return err;
		if (err && key.required == what)
			why = *c->diag;
		held += !err && key.required == what;
		if (!err)
			note_success(verdict, &key, &s);
	}
	verdict->required |= required != 0;
	if (required && !held)
		return diag_fail(c->diag, LB_EUNTRUSTED, "%s", why.text);
	return LB_OK;
}

static bool is_strong(const struct hash_algo *algo)
{
	return algo && algo->size >= HASH_SIZE_MIN;
}

/* A signed hash that can be made to match is none: demand one that can't, of each image. */
static enum lb_err check_hash_of_image(const struct check *c, int image)
{
	int node;

	for (node = fit_first_child(c->fit, image); node >= 0; node = fit_next_child(c->fit, node)) {
		struct fit_property algo = {.name = "algo"};
		const char *name;
		size_t strings;

		if (strncmp(fit_node_name(c->fit, node), HASH_PREFIX, strlen(HASH_PREFIX)) != 0)
			continue;
		if (fit_read_properties(c->fit, node, &algo, 1, c->diag))
			return LB_EFORMAT;
		if (fit_read_strings(&algo, "", &name, &strings, NULL) == LB_OK && strings == 1 &&
		    is_strong(verify_find(name)))
			return LB_OK;
	}
	return diag_fail(c->diag, LB_EUNTRUSTED,
			 "signature: image '" FIT_NAME
			 "' has no sha256 or sha512 hash, so nothing ties it to a signature",
			 fit_node_name(c->fit, image));
}

static enum lb_err check_hashes(const struct check *c)
{
	enum lb_err err = LB_OK;

	for (size_t i = 0; err == LB_OK && i < c->work->cover.count; i++) {
		const struct fit_covered *covered = &c->work->cover.covered[i];

		if (covered->part[0] && strcmp(covered->part[0], "images") == 0 && !covered->part[2])
			err = check_hash_of_image(c, covered->node);
	}
	return err;
}

static enum lb_err read_version(struct check *c)
{
	struct fit_property version = {.name = "lifeboat,version"};
	enum lb_err err = fit_read_properties(c->fit, c->node, &version, 1, c->diag);

	return err ? err : fit_read_number(&version, c->name, &c->version, c->diag);
}

bool signature_requires(const struct signature_policy *policy, enum key_required what)
{
	for (size_t i = 0; i < policy->ring_count; i++) {
		const struct keyring *ring = &policy->ring[i];
		int node;

		for (node = keyring_first(ring); node >= 0; node = keyring_next(ring, node)) {
			struct key key;

			if (keyring_read(ring, node, &key, NULL) || key.required == what)
				return true;
		}
	}
	return false;
}

enum lb_err signature_check(const struct signature_policy *policy, const struct fit *fit, const char *name,
			    struct signature_work *work, struct signature_verdict *verdict, struct diag *diag)
{
	struct check c = {.policy = policy, .fit = fit, .name = name, .work = work, .diag = diag};
	enum lb_err err;

	*verdict = (struct signature_verdict){.key = NULL};
	if (!policy->ring_count)
		return LB_OK;
	if (fit->configurations < 0)
		return diag_fail(diag, LB_ENOENT, "bundle: it has no /configurations, so nothing to start");
	err = fit_find_child(fit, fit->configurations, name, &c.node, diag);
	if (err == LB_OK)
		err = read_version(&c);
	verdict->version = c.version;
	if (err == LB_OK)
		err = fit_cover_find(fit, c.node, &work->cover, diag);
	for (size_t i = 0; err == LB_OK && i < policy->ring_count; i++)
		err = check_ring(&c, &policy->ring[i], KEY_REQUIRED_CONF, verdict);
	if (err == LB_OK && verdict->key) {
		err = check_hashes(&c);
		if (err && !verdict->required) {
			verdict->key = NULL;
			err = LB_OK;
		}
	}
	return err;
}

enum lb_err signature_check_image(const struct signature_policy *policy, const struct fit *fit,
				  const char *name, const void *data, uint64_t data_size,
				  struct signature_work *work, struct diag *diag)
{
	struct check c = {
		.policy = policy,
		.fit = fit,
		.name = name,
		.data = data,
		.data_size = data_size,
		.work = work,
		.diag = diag,
	};
	struct signature_verdict verdict = {.key = NULL};
	enum lb_err err = fit_find_child(fit, fit->images, name, &c.node, diag);

	for (size_t i = 0; err == LB_OK && i < policy->ring_count; i++)
		err = check_ring(&c, &policy->ring[i], KEY_REQUIRED_IMAGE, &verdict);
	return err;
}
