/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a VMCOREINFO note, for vmcoreinfo.c only. */
#ifndef LIFEBOAT_KEXEC_DEAD_NOTE_TEXT_H
#define LIFEBOAT_KEXEC_DEAD_NOTE_TEXT_H

#include "kexec/dead/note.h"

/**
 * Fill all of @info but its note from the note's text.
 *
 * @text       any bytes, not terminated
 * @kernel_pa  as for vmcoreinfo_read()
 * Return: LB_OK; LB_EFORMAT malformed, or needed lines missing; LB_ERANGE a number is too large.
 */
LB_MUST_CHECK enum lb_err vmcoreinfo_parse(const char *text, size_t size, paddr_t kernel_pa,
					   struct vmcoreinfo *info, struct diag *diag);

#endif
