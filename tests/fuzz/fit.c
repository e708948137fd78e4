// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as the bundle: every configuration that can be read keeps inside of it, packed kernels
 * unpacked.
 */
#include "tests/fuzz/fuzz.h"

#include "kexec/bundle/board.h"
#include "kexec/bundle/choices.h"
#include "kexec/bundle/firmware.h"
#include "kexec/bundle/policy.h"
#include "tests/unit/bundle_check.h"

#define ROOM (64 * KIB)

static const struct machine board = {.compatible = "acme,rocket-2\0acme,rocket\0riscv-virtio",
				     .compatible_size = sizeof("acme,rocket-2\0acme,rocket\0riscv-virtio")};

static void verify_images(const struct bundle *bundle, const struct bundle_config *config)
{
	static struct verify verify;
	struct diag diag = {""};

	for (size_t i = 0; bundle_config_blob(config, i); i++) {
		const struct bundle_blob *blob = bundle_config_blob(config, i);

		verify_begin(&verify, &blob->hashes, NULL, 0);
		verify_add(&verify, bundle->data + blob->offset, blob->size);
		check_diag(verify_end(&verify, blob->node, &diag), &diag);
	}
}

static void unpack_kernel(const struct bundle *bundle, struct bundle_config *config)
{
	static uint8_t work[DECOMPRESS_WORK_SIZE] __attribute__((aligned(16)));
	const struct image_packed *packed = &config->packed;
	const struct packed_bytes bytes = {bundle->data + config->kernel.offset + packed->offset,
					   packed->size};
	uint8_t *out = malloc(ROOM);
	struct diag diag = {""};
	uint64_t size;

	if (packed->by->unpack(work, bytes, out, ROOM, &size, &diag) == LB_OK) {
		out = realloc(out, size ? size : 1);
		check_diag(bundle_read_payload(out, size, config, &diag), &diag);
	}
	free(out);
}

static void try_config(const struct bundle *bundle, const char *name)
{
	struct bundle_config config;
	struct diag diag = {""};
	enum lb_err err = bundle_read_config(bundle, name, &config, &diag);

	(void)board_foreign(bundle, name, &board);
	if (err)
		return;
	check_config(&config, bundle->size);
	verify_images(bundle, &config);
	if (config.packed.by)
		unpack_kernel(bundle, &config);
}

static void try_choices(const struct bundle *bundle)
{
	size_t order[CHOICES_MAX + 1], count;
	struct choices choices;
	struct diag diag = {""};

	if (choices_read(bundle, &board, &choices, &diag))
		return;
	assert_in_range(choices.count, 1, CHOICES_MAX);
	for (size_t i = 0; i < choices.count; i++)
		try_config(bundle, choices.name[i]);
	count = choices_order(&choices, choices_find(bundle, &choices, "crash", 5), 5, order);
	assert_in_range(count, choices.count, choices.count + 1);
}

static void try_policies(const struct bundle *bundle)
{
	struct bundle_crash crash;
	struct boot_policy policy;
	struct choices choices;
	struct diag diag = {""};

	bundle_policy(bundle, &policy, &diag);
	(void)bundle_identify(bundle);
	(void)bundle_has_firmware(&bundle->fit);
	if (choices_read_crash(bundle, &board, &choices, &diag))
		return;
	assert_in_range(choices.count, 1, CHOICES_MAX);
	for (size_t i = 0; i < choices.count; i++) {
		if (bundle_read_crash(bundle, choices.name[i], &crash, &diag))
			continue;
		assert_true(crash.attempts >= 1);
		try_config(bundle, crash.name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *copy = fuzz_copy(data, size);
	struct diag diag = {""};
	struct bundle bundle;
	uint64_t total;

	(void)bundle_probe(copy, size);
	(void)bundle_is_packed(copy, size);
	if (!bundle_open(copy, size, &bundle, &diag)) {
		if (!bundle_size(&bundle, &total, &diag))
			assert_in_range(total, 0, size);
		try_choices(&bundle);
		try_policies(&bundle);
	}
	free(copy);
	return 0;
}
