// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test's failing allocator: of the allocations that one program makes with
 * vmnet on its stack (slabs, and the pages and per-CPU memory of vmnet's own),
 * the one after the first `after` fails. For kernels that have no fault injection
 * of their own but still call should_failslab(); others cannot load this.
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#define DEPTH	32

static char comm[TASK_COMM_LEN];
module_param_string(comm, comm, sizeof(comm), 0600);
MODULE_PARM_DESC(comm, "the program");

static unsigned long begin, size;
module_param(begin, ulong, 0600);
MODULE_PARM_DESC(begin, "address of vmnet's code");
module_param(size, ulong, 0600);
MODULE_PARM_DESC(size, "and its size in bytes");

/* Counts down; negative: the allocation has failed, or none is to. */
static int after = -1;
module_param(after, int, 0600);
MODULE_PARM_DESC(after, "allocations to let pass; -1: all");

static bool called_by_vmnet(void)
{
	unsigned long stack[DEPTH];
	unsigned int i, n = stack_trace_save(stack, DEPTH, 0);

	for (i = 0; i < n; i++)
		if (stack[i] - begin < size)
			return true;
	return false;
}

/* Where a function goes on whose body is to be skipped. */
static noinline notrace void just_return(void)
{
	barrier();
}

struct allocator {
	struct kprobe probe;
	long failure;		/* what it returns then */
};

static int before(struct kprobe *p, struct pt_regs *regs)
{
	const struct allocator *a = container_of(p, struct allocator, probe);

	if (READ_ONCE(after) < 0 || strcmp(current->comm, comm) || !called_by_vmnet())
		return 0;
	if (after--)
		return 0;
	regs_set_return_value(regs, a->failure);
	instruction_pointer_set(regs, (unsigned long)just_return);
	return 1;
}
NOKPROBE_SYMBOL(before);

static struct allocator allocators[] = {
	{ .probe = { .symbol_name = "should_failslab" }, .failure = -ENOMEM },
	{ .probe = { .symbol_name = "get_zeroed_page" } },
	{ .probe = { .symbol_name = "__alloc_percpu_gfp" } },
};

static void unregister(unsigned int n)
{
	while (n--)
		unregister_kprobe(&allocators[n].probe);
}

static int __init failslab_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(allocators); i++) {
		allocators[i].probe.pre_handler = before;
		err = register_kprobe(&allocators[i].probe);
		if (err) {
			unregister(i);
			return err;
		}
	}
	return 0;
}

static void __exit failslab_exit(void)
{
	unregister(ARRAY_SIZE(allocators));
}

module_init(failslab_init);
module_exit(failslab_exit);

MODULE_DESCRIPTION("Failing allocations for vmnet's selftests");
MODULE_LICENSE("GPL");
