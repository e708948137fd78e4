// SPDX-License-Identifier: BSD-2-Clause
/* Why KVM_RUN returned, and what is done about it: SBI's console, system events, errors. */
#include <errno.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "vcpu.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define SBI_DBCN	  0x4442434e
#define SBI_NOT_SUPPORTED (-2L)
#define SBI_INVALID	  (-3L)

#define SSTATUS_SIE	   UINT64_C(0x2)
#define SSTATUS_SPIE	   UINT64_C(0x20)
#define SSTATUS_SPP	   UINT64_C(0x100)
#define FETCH_ACCESS_FAULT 1

struct sbi_answer {
	long error;
	uint64_t value;
};

static void put(const char *text, size_t size)
{
	while (size) {
		ssize_t written = write(STDOUT_FILENO, text, size);

		if (written <= 0)
			return;
		text += written;
		size -= (size_t)written;
	}
}

/* args: bytes, physical address (low, high). */
static struct sbi_answer console_write(const struct vm_config *config, const unsigned long *args)
{
	uint64_t size = args[0], offset = args[1] - VM_RAM_BASE;

	if (args[2] || offset > config->ram_size || size > config->ram_size - offset)
		return (struct sbi_answer){SBI_INVALID, 0};
	put((const char *)config->ram + offset, size);
	return (struct sbi_answer){0, size};
}

/* Nobody types. */
static struct sbi_answer console_read(const struct vm_config *config, const unsigned long *args)
{
	(void)config;
	(void)args;
	return (struct sbi_answer){0, 0};
}

static struct sbi_answer console_write_byte(const struct vm_config *config, const unsigned long *args)
{
	const char byte = (char)args[0];

	(void)config;
	put(&byte, 1);
	return (struct sbi_answer){0, 0};
}

/* By function id. Everything else of SBI is done in the kernel. */
static struct sbi_answer (*const console[])(const struct vm_config *, const unsigned long *) = {
	console_write, console_read, console_write_byte};

static void on_sbi(struct vcpu *vcpu)
{
	struct sbi_answer answer = {SBI_NOT_SUPPORTED, 0};
	unsigned long function = vcpu->run->riscv_sbi.function_id;

	if (vcpu->run->riscv_sbi.extension_id == SBI_DBCN && function < ARRAY_SIZE(console))
		answer = console[function](vcpu->config, vcpu->run->riscv_sbi.args);
	vcpu->run->riscv_sbi.ret[0] = (unsigned long)answer.error;
	vcpu->run->riscv_sbi.ret[1] = answer.value;
}

static void on_system_event(struct vcpu *vcpu)
{
	if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN)
		vcpu_end(vcpu, VM_SHUTDOWN, 0);
	if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_RESET)
		vcpu_end(vcpu, VM_RESET, 0);
	vcpu_end(vcpu, VM_FAILED, 0);
}

static void on_mmio(struct vcpu *vcpu)
{
	vcpu_end(vcpu, VM_MMIO, 0);
}

static const struct {
	uint32_t reason;
	void (*handle)(struct vcpu *vcpu);
} exits[] = {
	{KVM_EXIT_RISCV_SBI, on_sbi},
	{KVM_EXIT_SYSTEM_EVENT, on_system_event},
	{KVM_EXIT_MMIO, on_mmio},
};

void vcpu_exit(struct vcpu *vcpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++) {
		if (exits[i].reason == vcpu->run->exit_reason) {
			exits[i].handle(vcpu);
			return;
		}
	}
	vcpu_end(vcpu, VM_FAILED, 0);
}

/* What a hart does on a fetch access fault, which is what newer hosts make of a fetch from nowhere. */
static void reflect(struct vcpu *vcpu)
{
	uint64_t sstatus = vcpu_get(vcpu, VCPU_SSTATUS), pc = vcpu_get(vcpu, VCPU_PC);
	uint64_t spie = sstatus & SSTATUS_SIE ? SSTATUS_SPIE : 0;

	vcpu_set(vcpu, VCPU_SSTATUS, (sstatus & ~(SSTATUS_SIE | SSTATUS_SPIE)) | SSTATUS_SPP | spie);
	vcpu_set(vcpu, VCPU_SCAUSE, FETCH_ACCESS_FAULT);
	vcpu_set(vcpu, VCPU_SEPC, pc);
	vcpu_set(vcpu, VCPU_STVAL, pc);
	vcpu_set(vcpu, VCPU_PC, vcpu_get(vcpu, VCPU_STVEC) & ~UINT64_C(3));
	vcpu->reflected++;
}

void vcpu_error(struct vcpu *vcpu, int error)
{
	if (error == EAGAIN) /* it was stopped, and has just been started by another */
		return;
	if (error == EOPNOTSUPP && vcpu->config->reflect) {
		reflect(vcpu);
		return;
	}
	if (error == EINTR) /* by the watchdog's alarm */
		vcpu_end(vcpu, VM_WATCHDOG, error);
	vcpu_end(vcpu, error == EOPNOTSUPP ? VM_UNSUPPORTED : VM_FAILED, error);
}
