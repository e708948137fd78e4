// SPDX-License-Identifier: BSD-2-Clause
/*
 * QEMU's virt machine. Two 32 MiB flash banks: firmware may run from the first (unit 0), the second
 * (unit 1) is free for a bundle (QEMU hw/riscv/virt.c memory map).
 */
#include "platform/platforms.h"

static const char *const compatible[] = {"riscv-virtio", NULL};

const struct platform platform_qemu_virt = {
	.name = "qemu-virt",
	.compatible = compatible,
	.flash = {.base = 0x22000000, .size = 32 * MIB},
};
