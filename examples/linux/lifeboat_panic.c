// SPDX-License-Identifier: BSD-2-Clause
/*
 * An example for Linux: on a panic, leave the registers of the CPU that panicked in lifeboat's call area.
 * Linux dies by a reset as ever; the reset way then puts them into the dump, beside VMCOREINFO.
 *
 * The other CPUs are stopped before a panic notifier runs, so theirs are not to be had without a patch. If it
 * was an oops the registers are those of the oops; else pc, sp, fp, ra and tp of the notifier: enough for a
 * backtrace.
 */
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/panic_notifier.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

/* kexec/crash/area.h, whose types are not the kernel's: client.c is compiled without kernel headers. */
int lifeboat_call_check(const void *area, u64 size);
int lifeboat_call_save(void *area, u64 hart, const void *regs);

static void *area;
static u64 area_size;
static u64 hart_of_cpu[NR_CPUS];
static struct pt_regs oops_regs; /* begins in the notes' order */
static int oops_cpu = -1;

static int remember_oops(struct notifier_block *block, unsigned long event, void *data)
{
	const struct die_args *die = data;

	if (event == DIE_OOPS && die->regs && !user_mode(die->regs)) {
		oops_regs = *die->regs;
		oops_cpu = raw_smp_processor_id();
	}
	return NOTIFY_DONE;
}

static int save_registers(struct notifier_block *block, unsigned long event, void *message)
{
	const int cpu = raw_smp_processor_id();
	struct pt_regs here = {
		.epc = _THIS_IP_,
		.ra = (unsigned long)__builtin_return_address(0),
		.sp = current_stack_pointer,
		.s0 = (unsigned long)__builtin_frame_address(0),
		.tp = (unsigned long)current,
	};

	lifeboat_call_save(area, hart_of_cpu[cpu], cpu == oops_cpu ? &oops_regs : &here);
	return NOTIFY_DONE;
}

static struct notifier_block on_oops = {.notifier_call = remember_oops};
static struct notifier_block on_panic = {.notifier_call = save_registers, .priority = INT_MAX};

static void find_harts(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
	{
		struct device_node *node = of_get_cpu_node(cpu, NULL);
		int size = 0;
		const __be32 *reg = node ? of_get_property(node, "reg", &size) : NULL;

		hart_of_cpu[cpu] = reg ? of_read_number(reg, size / 4) : U64_MAX;
		of_node_put(node);
	}
}

static int find_area(void)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, "lifeboat,crash-region");
	int size = 0, cells;
	const __be32 *value = node ? of_get_property(node, "lifeboat,crash-call", &size) : NULL;
	u64 pa;

	if (!value) {
		of_node_put(node);
		return -ENODEV;
	}
	cells = of_n_addr_cells(node);
	pa = of_read_number(value, cells);
	area_size = of_read_number(value + cells, size / 4 - cells);
	of_node_put(node);
	area = memremap(pa, area_size, MEMREMAP_WB);
	return area ? 0 : -ENOMEM;
}

static int __init lifeboat_panic_init(void)
{
	int err = find_area();

	if (err)
		return err;
	if (lifeboat_call_check(area, area_size)) {
		memunmap(area);
		return -EINVAL;
	}
	find_harts();
	register_die_notifier(&on_oops);
	atomic_notifier_chain_register(&panic_notifier_list, &on_panic);
	pr_info("lifeboat: a panic saves registers\n");
	return 0;
}

static void __exit lifeboat_panic_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &on_panic);
	unregister_die_notifier(&on_oops);
	memunmap(area);
}

module_init(lifeboat_panic_init);
module_exit(lifeboat_panic_exit);
MODULE_DESCRIPTION("Leaves registers for lifeboat on a panic");
MODULE_LICENSE("Dual BSD/GPL");
