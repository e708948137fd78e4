// SPDX-License-Identifier: BSD-2-Clause
/* Why there is no plan: what is too large, how large it is, and what room there would have been. */
#include "kexec/place/explain.h"

#include <inttypes.h>
#include <stdio.h>

struct size_text {
	char text[32];
};

/* @size for a person, in MiB if that is not too coarse: rounded up if @up, else down. */
static struct size_text size_text(uint64_t size, bool up)
{
	uint64_t unit = size < MIB ? KIB : MIB;
	uint64_t count = size / unit + (up && size % unit);
	struct size_text out;

	snprintf(out.text, sizeof(out.text), "%" PRIu64 " %s", count, unit == KIB ? "KiB" : "MiB");
	return out;
}

static enum lb_err fits_nowhere(const struct region_set *room, const struct explain_want *want,
				struct diag *diag)
{
	uint64_t piece = region_set_largest(room, want->align);

	return diag_fail(
		diag, LB_ENOSPC,
		"plan: %s needs %s in one piece at a %s boundary; the largest free piece like that is "
		"%s: give the machine more RAM or a smaller %s",
		want->name, size_text(want->size, true).text, size_text(want->align, true).text,
		size_text(piece, false).text, want->name);
}

enum lb_err explain_too_many_pieces(struct diag *diag)
{
	return diag_fail(diag, LB_ENOSPC, "plan: free memory is in more than %d pieces: merge reservations",
			 REGION_SET_MAX);
}

enum lb_err explain_no_room(struct region_set *room, const struct explain_want *wants, size_t count,
			    struct diag *diag)
{
	for (size_t i = 0; i < count; i++) {
		const struct explain_want *want = &wants[i];
		paddr_t base;

		if (!want->size)
			continue;
		if (region_set_find(room, want->size, want->align, 0, UINT64_MAX, want->order, &base))
			return fits_nowhere(room, want, diag);
		if (region_set_subtract(room, base, want->size))
			break;
	}
	return explain_too_many_pieces(diag);
}
