/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is no C object: the stacks, the early tables, and the image's last bytes. */
#include "mm/layout.h"

	.option norelax /* what is laid out here stays as it is */
	.section .trap_stack, "aw", @nobits
	.space	TRAP_STACK_SIZE

	.section .stack, "aw", @nobits
	.space	STAGE_STACK_SIZE

	.section .early_pool, "aw", @nobits
	.balign	4096
	.globl	early_pool
early_pool:
	.space	EARLY_POOL_PAGES * 4096

	.section .tail, "aw", @progbits
	.ascii	"LIFEBOAT"
