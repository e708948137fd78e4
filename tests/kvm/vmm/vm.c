// SPDX-License-Identifier: BSD-2-Clause
/*
 * The smallest virtual machine that lifeboat can live in: RAM, vCPUs, and an SBI console. Everything else of
 * SBI (TIME, IPI, RFENCE, HSM, SRST) KVM does itself; there is no device and no interrupt controller.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vcpu.h"

#define SCOUNTEREN_CY_TM_IR 7

static _Noreturn void give_up(const char *what)
{
	printf("\nvmm: end=failed: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(VM_FAILED);
}

static int require(int result, const char *what)
{
	if (result < 0)
		give_up(what);
	return result;
}

static int create_vm(const struct vm_config *config, int kvm)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = VM_RAM_BASE,
		.memory_size = config->ram_size,
		.userspace_addr = (uintptr_t)config->ram,
	};
	int vm = require(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	require(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	return vm;
}

static struct vcpu *create_vcpu(const struct vm_config *config, int kvm, int vm, unsigned id)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int size = require(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");

	if (!vcpu)
		give_up("calloc");
	vcpu->config = config;
	vcpu->id = id;
	vcpu->fd = require(ioctl(vm, KVM_CREATE_VCPU, id), "KVM_CREATE_VCPU");
	vcpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		give_up("mmap of a vCPU");
	require(vcpu_set(vcpu, VCPU_SBI_DBCN, 1), "switching SBI DBCN on");
	/*
	 * As OpenSBI leaves it and Linux expects it: userspace may read the time. Newer hosts start with 0.
	 */
	require(vcpu_set(vcpu, VCPU_SCOUNTEREN, SCOUNTEREN_CY_TM_IR), "setting scounteren");
	return vcpu;
}

static _Noreturn void run(struct vcpu *vcpu)
{
	for (;;) {
		vcpu->exits++;
		if (ioctl(vcpu->fd, KVM_RUN, 0))
			vcpu_error(vcpu, errno);
		else
			vcpu_exit(vcpu);
	}
}

static void *thread_main(void *vcpu)
{
	run(vcpu);
}

/* Signals are vCPU 0's, which is the thread that waits for the watchdog. */
static void start_thread(struct vcpu *vcpu)
{
	pthread_t thread;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	errno = pthread_create(&thread, NULL, thread_main, vcpu);
	if (errno)
		give_up("pthread_create");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void interrupted(int number)
{
	(void)number;
}

/* A handler without SA_RESTART, so that KVM_RUN ends with EINTR. */
static void set_watchdog(unsigned seconds)
{
	const struct sigaction action = {.sa_handler = interrupted};

	require(sigaction(SIGALRM, &action, NULL), "sigaction");
	alarm(seconds);
}

_Noreturn void vm_live(const struct vm_config *config)
{
	int kvm = require(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	int vm = create_vm(config, kvm);
	struct vcpu *boot = create_vcpu(config, kvm, vm, 0);

	require(vcpu_set(boot, VCPU_PC, config->entry), "setting pc");
	require(vcpu_set(boot, VCPU_A0, 0), "setting a0");
	require(vcpu_set(boot, VCPU_A1, config->fdt), "setting a1");
	for (unsigned id = 1; id < config->vcpus; id++)
		start_thread(create_vcpu(config, kvm, vm, id));
	set_watchdog(config->seconds);
	run(boot);
}
