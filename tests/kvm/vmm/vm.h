/* SPDX-License-Identifier: BSD-2-Clause */
/* One life of a virtual machine, from its first instruction to whatever ends it. */
#ifndef LIFEBOAT_TESTS_KVM_VM_H
#define LIFEBOAT_TESTS_KVM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_RAM_BASE UINT64_C(0x80000000)

/** How a life ends; the exit code of the process that lived it. */
enum vm_end {
	VM_SHUTDOWN,
	VM_RESET,
	VM_UNSUPPORTED, /* KVM_RUN failed with EOPNOTSUPP: the host does not handle what the guest did */
	VM_WATCHDOG,
	VM_MMIO,   /* the guest touched an address that is not RAM; there are no devices */
	VM_FAILED, /* anything else */
};

struct vm_config {
	void *ram;
	size_t ram_size;
	unsigned vcpus;
	uint64_t entry; /* of vCPU 0; the others are stopped, as SBI HSM says */
	uint64_t fdt;	/* in its a1 */
	bool reflect;	/* hand a fetch fault that the host does not handle to the guest, as newer hosts do */
	unsigned seconds; /* before the watchdog ends it */
};

/**
 * Live one life. Does not return: exits the process with an enum vm_end, after a line about it on stdout.
 *
 * All that dies with the process: vCPUs, their registers, the timer. RAM is the caller's, and shared.
 */
_Noreturn void vm_live(const struct vm_config *config);

#endif
