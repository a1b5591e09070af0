// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/vmdriver/vm<id>: who a VM is, and what it has cost. One value per
 * file; the counters are the ones that the vCPU thread increments, read as
 * they are.
 *
 *   name pid
 *   exits/<cause>	guest -> VMM
 *   switches/<reason>	VMM -> VMApp, the world switches
 *   events/<event>	what happened on the way
 *   memory/<what>	second-level page tables
 *   knobs/<knob>	what can be changed: knobs.c
 *   nic<n>/		a NIC's counters and knobs
 *
 * It all belongs to the user who made the VM.
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "vmdriver.h"

static struct vmdrv_vm *to_vm(struct device *dev)
{
	return container_of(dev, struct vmdrv_vm, device);
}

static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_vm(dev)->name);
}
static DEVICE_ATTR_RO(name);

static ssize_t pid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_vm(dev)->pid);
}
static DEVICE_ATTR_RO(pid);

static struct attribute *identity_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_pid.attr,
	NULL
};

static const struct attribute_group identity_group = {
	.attrs = identity_attrs,
};

/* A counter's file: where in the vCPU, or in the VM, its u64 is. */
struct counter_attr {
	struct device_attribute attr;
	size_t offset;
};

static u64 *counter(struct device *dev, struct device_attribute *attr, bool of_vcpu)
{
	size_t offset = container_of(attr, struct counter_attr, attr)->offset;
	struct vmdrv_vm *vm = to_vm(dev);

	if (!of_vcpu)
		return (void *)vm + offset;
	return vm->vcpu ? (void *)vm->vcpu + offset : NULL;
}

static ssize_t vcpu_counter_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 *value = counter(dev, attr, true);

	return sysfs_emit(buf, "%llu\n", value ? READ_ONCE(*value) : 0);
}

/*
 * In a halt the counter is less by the time of its begin, and so below 0: no guest has
 * been halted for longer than there has been time. One word is all that changes.
 */
static ssize_t halt_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 *counted = counter(dev, attr, true);
	s64 value = counted ? READ_ONCE(*counted) : 0;

	if (value < 0)
		value += ktime_get_ns();
	return sysfs_emit(buf, "%lld\n", value);
}

static ssize_t vm_counter_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(*counter(dev, attr, false)));
}

#define VCPU_COUNTER_SHOWN(_group, _name, _member, _show)				\
	static struct counter_attr _group##_##_name = {					\
		.attr = __ATTR(_name, 0444, _show, NULL),				\
		.offset = offsetof(struct vmdrv_vcpu, _member),				\
	}
#define VCPU_COUNTER(_group, _name, _member)						\
	VCPU_COUNTER_SHOWN(_group, _name, _member, vcpu_counter_show)
#define VM_COUNTER(_group, _name, _member)						\
	static struct counter_attr _group##_##_name = {					\
		.attr = __ATTR(_name, 0444, vm_counter_show, NULL),			\
		.offset = offsetof(struct vmdrv_vm, _member),				\
	}
#define EXIT(_name, _cause)	VCPU_COUNTER(exits, _name, exits[VMDRV_CAUSE_##_cause])
#define SWITCH(_name, _reason)	VCPU_COUNTER(switches, _name, switches[VMDRV_EXIT_##_reason])
#define EVENT(_name, _event)	VCPU_COUNTER(events, _name, events[VMDRV_EVENT_##_event])

EXIT(intr, INTR);
EXIT(nmi, NMI);
EXIT(mce, MCE);
EXIT(window, WINDOW);
EXIT(io, IO);
VCPU_COUNTER(exits, latch, ctx.latch_exits);
EXIT(npf, NPF);
EXIT(hlt, HLT);
EXIT(cpuid, CPUID);
EXIT(rdmsr, RDMSR);
EXIT(wrmsr, WRMSR);
EXIT(cr, CR);
EXIT(dr, DR);
EXIT(xsetbv, XSETBV);
EXIT(exception, EXCEPTION);
EXIT(iret, IRET);
EXIT(task, TASK);
EXIT(wbinvd, WBINVD);
EXIT(rdpmc, RDPMC);
EXIT(hypercall, HYPERCALL);
EXIT(undefined, UNDEFINED);
EXIT(shutdown, SHUTDOWN);
EXIT(invalid, INVALID);
EXIT(unknown, UNKNOWN);

static struct attribute *exits_attrs[] = {
	&exits_intr.attr.attr, &exits_nmi.attr.attr, &exits_mce.attr.attr,
	&exits_window.attr.attr, &exits_io.attr.attr, &exits_latch.attr.attr,
	&exits_npf.attr.attr, &exits_hlt.attr.attr, &exits_cpuid.attr.attr,
	&exits_rdmsr.attr.attr, &exits_wrmsr.attr.attr, &exits_cr.attr.attr,
	&exits_dr.attr.attr, &exits_xsetbv.attr.attr, &exits_exception.attr.attr,
	&exits_iret.attr.attr, &exits_task.attr.attr, &exits_wbinvd.attr.attr,
	&exits_rdpmc.attr.attr, &exits_hypercall.attr.attr, &exits_undefined.attr.attr,
	&exits_shutdown.attr.attr, &exits_invalid.attr.attr, &exits_unknown.attr.attr,
	NULL
};

static const struct attribute_group exits_group = {
	.name = "exits",
	.attrs = exits_attrs,
};

SWITCH(intr, INTR);
SWITCH(io, IO);
SWITCH(mmio, MMIO);
SWITCH(shutdown, SHUTDOWN);
SWITCH(stop, STOP);
SWITCH(nic, NIC);
SWITCH(host_irq, HOST_IRQ);
SWITCH(path, PATH);

static struct attribute *switches_attrs[] = {
	&switches_intr.attr.attr, &switches_io.attr.attr, &switches_mmio.attr.attr,
	&switches_shutdown.attr.attr, &switches_stop.attr.attr,
	&switches_nic.attr.attr, &switches_host_irq.attr.attr, &switches_path.attr.attr,
	NULL
};

static const struct attribute_group switches_group = {
	.name = "switches",
	.attrs = switches_attrs,
};

EVENT(irq, IRQ);
EVENT(nmi, NMI);
EVENT(exception, EXCEPTION);
EVENT(halt, HALT);
VCPU_COUNTER_SHOWN(events, halt_ns, events[VMDRV_EVENT_HALT_NS], halt_ns_show);
EVENT(migration, MIGRATION);
EVENT(tlb_flush, TLB_FLUSH);
EVENT(shared, SHARED);
EVENT(run, RUN);
EVENT(pair, PAIR);
VM_COUNTER(events, pit_ticks, dev.pit_ticks);
VM_COUNTER(events, pit_ticks_redelivered, dev.pit_ticks_redelivered);
VM_COUNTER(events, pit_ticks_lost, dev.pit_ticks_lost);
VM_COUNTER(events, pit_clamped, dev.pit_clamped);

static struct attribute *events_attrs[] = {
	&events_irq.attr.attr, &events_nmi.attr.attr, &events_exception.attr.attr,
	&events_halt.attr.attr, &events_halt_ns.attr.attr, &events_migration.attr.attr,
	&events_tlb_flush.attr.attr, &events_shared.attr.attr, &events_run.attr.attr,
	&events_pair.attr.attr, &events_pit_ticks.attr.attr,
	&events_pit_ticks_redelivered.attr.attr, &events_pit_ticks_lost.attr.attr,
	&events_pit_clamped.attr.attr,
	NULL
};

static const struct attribute_group events_group = {
	.name = "events",
	.attrs = events_attrs,
};

VM_COUNTER(memory, mapped_4k, mem.mapped_4k);
VM_COUNTER(memory, mapped_2m, mem.mapped_2m);
VM_COUNTER(memory, faults, mem.faults);
VM_COUNTER(memory, zaps, mem.zaps);

static struct attribute *memory_attrs[] = {
	&memory_mapped_4k.attr.attr, &memory_mapped_2m.attr.attr,
	&memory_faults.attr.attr, &memory_zaps.attr.attr,
	NULL
};

static const struct attribute_group memory_group = {
	.name = "memory",
	.attrs = memory_attrs,
};

static const struct attribute_group *vm_groups[] = {
	&identity_group,
	&exits_group,
	&switches_group,
	&events_group,
	&memory_group,
	&vmdrv_knobs_group,
	NULL
};

static void vm_ownership(VMDRV_OWNERSHIP_DEVICE dev, kuid_t *uid, kgid_t *gid)
{
	const struct vmdrv_vm *vm = container_of(dev, struct vmdrv_vm, device);

	*uid = vm->uid;
	*gid = vm->gid;
}

struct class vmdrv_class = {
	.name = "vmdriver",
	.dev_groups = vm_groups,
	.get_ownership = vm_ownership,
};

int vmdrv_class_register(void)
{
	return class_register(&vmdrv_class);
}

void vmdrv_class_unregister(void)
{
	class_unregister(&vmdrv_class);
}
