// SPDX-License-Identifier: BSD-2-Clause
/* Calls into the SBI firmware. Usable before paging: no absolute addresses but in sbi_implementation(). */
#include "boot/machine/sbi.h"

#define BASE_SPEC_VERSION 0
#define BASE_IMPL_ID	  1
#define BASE_IMPL_VERSION 2
#define BASE_PROBE	  3
#define IMPL_KVM	  3
#define DBCN_WRITE	  0
#define DBCN_READ	  1
#define HSM_START	  0
#define HSM_STATUS	  2
#define SRST_RESET	  0
#define SRST_NO_REASON	  0

static struct sbi_result sbi_call(uint64_t eid, uint64_t fid, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a6 __asm__("a6") = fid;
	register uint64_t a7 __asm__("a7") = eid;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){.error = (int64_t)a0, .value = a1};
}

bool sbi_probe(uint64_t eid)
{
	struct sbi_result result = sbi_call(SBI_EXT_BASE, BASE_PROBE, eid, 0, 0);

	return !result.error && result.value;
}

uint64_t sbi_spec_version(void)
{
	struct sbi_result result = sbi_call(SBI_EXT_BASE, BASE_SPEC_VERSION, 0, 0, 0);

	return result.error ? 0 : result.value;
}

/* By implementation id, as registered in the specification. */
static const struct {
	const char *name;
	bool hypervisor;
} implementations[] = {
	{"BBL", false},	    {"OpenSBI", false}, {"Xvisor", true},  {"KVM", true},
	{"RustSBI", false}, {"Diosix", false},	{"Coffer", false}, {"Xen", true},
};

static uint64_t implementation_id(void)
{
	return sbi_call(SBI_EXT_BASE, BASE_IMPL_ID, 0, 0, 0).value;
}

uint64_t sbi_machine_id(enum sbi_machine_id id)
{
	struct sbi_result result = sbi_call(SBI_EXT_BASE, id, 0, 0, 0);

	return result.error ? 0 : result.value;
}

const char *sbi_implementation(uint64_t *version)
{
	uint64_t id = implementation_id();

	*version = sbi_call(SBI_EXT_BASE, BASE_IMPL_VERSION, 0, 0, 0).value;
	if (id == IMPL_KVM) /* Linux' LINUX_VERSION_CODE */
		*version = (*version & ~UINT64_C(0xffff)) | (*version >> 8 & 0xff);
	return id < ARRAY_SIZE(implementations) ? implementations[id].name : "SBI firmware";
}

bool sbi_is_hypervisor(void)
{
	uint64_t id = implementation_id();

	return id < ARRAY_SIZE(implementations) && implementations[id].hypervisor;
}

struct sbi_result sbi_console_write(paddr_t pa, uint64_t size)
{
	return sbi_call(SBI_EXT_DBCN, DBCN_WRITE, size, pa, 0);
}

void sbi_console_putchar(char c)
{
	sbi_call(SBI_EXT_LEGACY_PUTCHAR, 0, (unsigned char)c, 0, 0);
}

struct sbi_result sbi_console_read(paddr_t pa, uint64_t size)
{
	return sbi_call(SBI_EXT_DBCN, DBCN_READ, size, pa, 0);
}

int64_t sbi_console_getchar(void)
{
	return sbi_call(SBI_EXT_LEGACY_GETCHAR, 0, 0, 0, 0).error; /* a0 is all that legacy calls return */
}

int64_t sbi_hart_start(uint64_t id, paddr_t entry, uint64_t argument)
{
	return sbi_call(SBI_EXT_HSM, HSM_START, id, entry, argument).error;
}

struct sbi_result sbi_hart_status(uint64_t id)
{
	return sbi_call(SBI_EXT_HSM, HSM_STATUS, id, 0, 0);
}

void sbi_reset(enum sbi_reset_type type)
{
	sbi_call(SBI_EXT_SRST, SRST_RESET, type, SRST_NO_REASON, 0);
}

void sbi_restart(void)
{
	sbi_reset(SBI_RESET_WARM);
	sbi_reset(SBI_RESET_COLD);
}
