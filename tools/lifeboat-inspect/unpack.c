// SPDX-License-Identifier: BSD-2-Clause
/* Compressed kernels, unpacked on the machine that a tool runs on. */
#include "tools/lifeboat-inspect/unpack.h"

#include <inttypes.h>
#include <stdlib.h>

#define UNPACKED_MAX GIB /* more is no kernel */

static enum lb_err unpack_within(const struct packed_bytes *packed, uint64_t room,
				 struct bundle_config *config, struct diag *diag)
{
	uint8_t *work = aligned_alloc(16, DECOMPRESS_WORK_SIZE), *out = malloc(room);
	uint64_t size = 0;
	enum lb_err err = LB_OK;

	if (!work || !out)
		err = diag_fail(diag, LB_EINVAL, "bundle: this machine has no memory to unpack it");
	if (!err)
		err = config->packed.by->unpack(work, *packed, out, room, &size, diag);
	if (!err)
		err = bundle_read_payload(out, size, config, diag);
	free(out);
	free(work);
	return err;
}

enum lb_err unpack_config(const struct bundle *bundle, struct bundle_config *config, struct diag *diag)
{
	const struct packed_bytes packed = {bundle->data + config->kernel.offset + config->packed.offset,
					    config->packed.size};
	uint64_t bound = 0;
	enum lb_err err = decompress_measure(config->packed.by, packed, &bound, diag);

	if (err)
		return err;
	if (bound > UNPACKED_MAX)
		return diag_fail(diag, LB_ENOSPC,
				 "bundle: kernel '%.40s' unpacks to as much as %" PRIu64 " MiB",
				 config->kernel.node, bound / MIB);
	err = unpack_within(&packed, bound ? bound : UNPACKED_MAX, config, diag);
	return err == LB_ENOSPC ? unpack_within(&packed, UNPACKED_MAX, config, diag) : err;
}
