/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hart's node says about its instruction set.
 *
 * Private to fdt/.
 */
#ifndef LIFEBOAT_FDT_ISA_H
#define LIFEBOAT_FDT_ISA_H

#include "fdt/prop.h"

/**
 * The extensions, of those that the stage cares for, which a hart lists.
 *
 * @extensions  riscv,isa-extensions, a list of names; taken whenever it is there
 * @isa         riscv,isa, the older single string, such as "rv64imafdch_zicbom_sstc"
 * Return: enum machine_isa bits.
 */
uint32_t isa_read(struct prop extensions, struct prop isa);

#endif
