// SPDX-License-Identifier: BSD-2-Clause
/* Registers of a virtual CPU, and the last words about it. */
#include "vcpu.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

uint64_t vcpu_get(const struct vcpu *vcpu, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg one = {.id = id, .addr = (uintptr_t)&value};

	ioctl(vcpu->fd, KVM_GET_ONE_REG, &one);
	return value;
}

int vcpu_set(const struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg one = {.id = id, .addr = (uintptr_t)&value};

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &one);
}

_Noreturn void vcpu_end(const struct vcpu *vcpu, enum vm_end how, int error)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER; /* never unlocked: the process ends */
	static const char *const names[] = {
		[VM_SHUTDOWN] = "shutdown", [VM_RESET] = "reset", [VM_UNSUPPORTED] = "unsupported",
		[VM_WATCHDOG] = "watchdog", [VM_MMIO] = "mmio",	  [VM_FAILED] = "failed",
	};
	static const struct {
		const char *name;
		uint64_t id;
	} shown[] = {
		{"pc", VCPU_PC},	   {"satp", VCPU_SATP}, {"stvec", VCPU_STVEC},
		{"scause", VCPU_SCAUSE},   {"sepc", VCPU_SEPC}, {"stval", VCPU_STVAL},
		{"sstatus", VCPU_SSTATUS}, {"sp", VCPU_SP},
	};

	pthread_mutex_lock(&once);
	printf("\nvmm: end=%s errno=%d exit_reason=%u vcpu=%u exits=%" PRIu64 " reflected=%" PRIu64,
	       names[how], error, vcpu->run->exit_reason, vcpu->id, vcpu->exits, vcpu->reflected);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		printf(" %s=%#" PRIx64, shown[i].name, vcpu_get(vcpu, shown[i].id));
	if (how == VM_MMIO)
		printf(" address=%#llx", vcpu->run->mmio.phys_addr);
	printf("\n");
	fflush(stdout);
	_exit(how);
}
