/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU: its registers by KVM's names for them, and the last words about it. */
#ifndef LIFEBOAT_TESTS_KVM_VCPU_H
#define LIFEBOAT_TESTS_KVM_VCPU_H

#include "vm.h"

/*
 * Register ids of Linux Documentation/virt/kvm/api.rst, KVM_SET_ONE_REG. Spelled out, since the cross
 * compiler's headers may be older than the host.
 */
#define VCPU_REGISTER(type, index) (UINT64_C(0x8030000000000000) | UINT64_C(type) << 24 | (index))
#define VCPU_CORE(index)	   VCPU_REGISTER(2, index)
#define VCPU_CSR(index)		   VCPU_REGISTER(3, index)

#define VCPU_PC		VCPU_CORE(0)
#define VCPU_SP		VCPU_CORE(2)
#define VCPU_A0		VCPU_CORE(10)
#define VCPU_A1		VCPU_CORE(11)
#define VCPU_SSTATUS	VCPU_CSR(0)
#define VCPU_STVEC	VCPU_CSR(2)
#define VCPU_SEPC	VCPU_CSR(4)
#define VCPU_SCAUSE	VCPU_CSR(5)
#define VCPU_STVAL	VCPU_CSR(6)
#define VCPU_SATP	VCPU_CSR(8)
#define VCPU_SCOUNTEREN VCPU_CSR(9)
#define VCPU_SBI_DBCN	VCPU_REGISTER(8, 9) /* is this SBI extension there? Off by default */

struct kvm_run;

struct vcpu {
	const struct vm_config *config;
	unsigned id;
	int fd;
	struct kvm_run *run; /* shared with the kernel */
	uint64_t exits;	     /* of KVM_RUN */
	uint64_t reflected;  /* fetch faults that the guest got from us */
};

/** A register's value. */
uint64_t vcpu_get(const struct vcpu *vcpu, uint64_t id);

/** Change a register. Return: 0, or -1 with errno. */
int vcpu_set(const struct vcpu *vcpu, uint64_t id, uint64_t value);

/**
 * End the process: a line with how, @error (an errno, or 0), the registers. The first caller speaks for all.
 */
_Noreturn void vcpu_end(const struct vcpu *vcpu, enum vm_end how, int error);

/** KVM_RUN returned without an error: do what the guest wants, or end. */
void vcpu_exit(struct vcpu *vcpu);

/** KVM_RUN failed with @error: make good what can be made good, or end. */
void vcpu_error(struct vcpu *vcpu, int error);

#endif
