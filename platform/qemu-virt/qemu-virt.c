// SPDX-License-Identifier: BSD-2-Clause
/*
 * QEMU's virt machine. Two 32 MiB flash banks: firmware may run from the first (unit 0), the second
 * (unit 1) is free for a bundle (QEMU hw/riscv/virt.c memory map).
 */
#include "platform/platforms.h"

static const struct region flash = {0x22000000, 32 * MIB};

const struct platform platform_qemu_virt = {
	.name = "qemu-virt",
	.compatible = "riscv-virtio\0",
	.flash = &flash,
};

const struct platform_notes platform_qemu_virt_notes = {
	.platform = &platform_qemu_virt,
	.load = 0x80200000,
	.previous = "OpenSBI; QEMU loads -kernel there, or 0x20000000 when pflash unit 0 is given",
	.watchdog = "-device i6300esb, or a reset from the monitor: QEMU keeps RAM over any reset",
	.quirk = {{"fdt-at-fw-jump", "fw_jump and fw_payload copy the FDT to 32 MiB behind us on each boot",
		   "measured with OpenSBI 1.5; the stage finds the FDT by a1"}},
};
