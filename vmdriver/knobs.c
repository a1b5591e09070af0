// SPDX-License-Identifier: GPL-2.0-only
/*
 * The knobs: what can be changed while the guest runs, to see what it is worth.
 * One table; from it come the module's parameters (the values that a new VM or
 * NIC begins with), the files in sysfs, and VMDRV_SET_KNOB.
 */
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "vmdriver.h"

static const char *const paths[] = {
	[VMDRV_PATH_VMAPP] = "vmapp",
	[VMDRV_PATH_VMM] = "vmm",
	[VMDRV_PATH_DIRECT] = "direct",
};

static const struct {
	u32 min, max;
	bool of_nic;
} knobs[VMDRV_KNOB_NR] = {
	[VMDRV_KNOB_DATAPATH] = { 0, VMDRV_PATH_DIRECT, true },
	[VMDRV_KNOB_SEND_COMBINING] = { 0, 1, true },
	[VMDRV_KNOB_COMBINE_MAX] = { 1, LANCE_TX_CHAIN, true },
	[VMDRV_KNOB_COMBINE_RATE] = { 0, U32_MAX, true },
	[VMDRV_KNOB_IRQ_NOTIFICATION] = { 0, 1, false },
	[VMDRV_KNOB_HOST_IRQ_TO_VMAPP] = { 0, 1, false },
	[VMDRV_KNOB_PAIRS] = { 0, 1, false },
	[VMDRV_KNOB_ZEROCOPY_MIN] = { 0, LANCE_TX_MAX, true },
};

static u32 defaults[VMDRV_KNOB_NR] = {
	[VMDRV_KNOB_DATAPATH] = VMDRV_PATH_VMM,
	[VMDRV_KNOB_COMBINE_MAX] = 3,
	[VMDRV_KNOB_COMBINE_RATE] = 500,
	[VMDRV_KNOB_IRQ_NOTIFICATION] = 1,
};

/* ---- values as text ---- */

static int parse(u32 knob, const char *text, u32 *value)
{
	int path;

	if (knob != VMDRV_KNOB_DATAPATH)
		return kstrtou32(text, 10, value) ||
			*value < knobs[knob].min || *value > knobs[knob].max ? -EINVAL : 0;
	path = sysfs_match_string(paths, text);
	if (path < 0)
		return path;
	*value = path;
	return 0;
}

static int print(u32 knob, u32 value, char *buf)
{
	if (knob == VMDRV_KNOB_DATAPATH)
		return sysfs_emit(buf, "%s\n", paths[value]);
	return sysfs_emit(buf, "%u\n", value);
}

/* ---- module parameters ---- */

static int param_set(const char *text, const struct kernel_param *kp)
{
	u32 *slot = kp->arg, value;
	int err = parse(slot - defaults, text, &value);

	if (!err)
		WRITE_ONCE(*slot, value);
	return err;
}

static int param_get(char *buf, const struct kernel_param *kp)
{
	u32 *slot = kp->arg;

	return print(slot - defaults, READ_ONCE(*slot), buf);
}

static const struct kernel_param_ops param_ops = {
	.set = param_set,
	.get = param_get,
};

#define DEFAULT(_knob)	(&defaults[VMDRV_KNOB_##_knob])
module_param_cb(datapath, &param_ops, DEFAULT(DATAPATH), 0644);
MODULE_PARM_DESC(datapath, "where a NIC is worked on: vmapp, vmm, direct (default: vmm)");
module_param_cb(send_combining, &param_ops, DEFAULT(SEND_COMBINING), 0644);
MODULE_PARM_DESC(send_combining, "frames to send wait for a switch, or for each other on path direct (default: 0)");
module_param_cb(combine_max, &param_ops, DEFAULT(COMBINE_MAX), 0644);
MODULE_PARM_DESC(combine_max, "... at most so many (default: 3)");
module_param_cb(combine_rate, &param_ops, DEFAULT(COMBINE_RATE), 0644);
MODULE_PARM_DESC(combine_rate, "... from so many switches a second on (default: 500)");
module_param_cb(irq_notification, &param_ops, DEFAULT(IRQ_NOTIFICATION), 0644);
MODULE_PARM_DESC(irq_notification, "VMApp looks at the IRQ page, not by select() (default: 1)");
module_param_cb(host_irq_to_vmapp, &param_ops, DEFAULT(HOST_IRQ_TO_VMAPP), 0644);
MODULE_PARM_DESC(host_irq_to_vmapp, "host interrupts return to VMApp (default: 0)");
module_param_cb(pairs, &param_ops, DEFAULT(PAIRS), 0644);
MODULE_PARM_DESC(pairs, "two port accesses in one exit (default: 0)");
module_param_cb(zerocopy_min, &param_ops, DEFAULT(ZEROCOPY_MIN), 0644);
MODULE_PARM_DESC(zerocopy_min, "frames from so many bytes on are not copied (default: 0, none)");

/* What a new VM or NIC has. */
void vmdrv_knobs_init(u32 values[VMDRV_KNOB_NR])
{
	int i;

	for (i = 0; i < VMDRV_KNOB_NR; i++)
		values[i] = READ_ONCE(defaults[i]);
}

/* ---- setting them ---- */

static u32 get_nic(struct vmdrv_nic *nic, u32 knob)
{
	return knob == VMDRV_KNOB_DATAPATH ? READ_ONCE(nic->path) : READ_ONCE(nic->knobs[knob]);
}

static void set_nic(struct vmdrv_nic *nic, u32 knob, u32 value)
{
	WRITE_ONCE(nic->knobs[knob], value);
	vmdrv_nic_recheck(nic);
}

static void set_vm(struct vmdrv_vm *vm, u32 knob, u32 value)
{
	struct vmdrv_vcpu *vcpu;

	mutex_lock(&vm->lock);	/* the vCPU, if it is just being made, has it or gets it */
	WRITE_ONCE(vm->knobs[knob], value);
	vcpu = vm->vcpu;
	if (vcpu && knob == VMDRV_KNOB_IRQ_NOTIFICATION)
		WRITE_ONCE(vcpu->run->irq_notification, value);
	if (vcpu && knob == VMDRV_KNOB_PAIRS)
		WRITE_ONCE(vcpu->ctx.pairs, value);
	mutex_unlock(&vm->lock);
}

/* VMDRV_SET_KNOB and VMDRV_GET_KNOB. */
int vmdrv_knob(struct vmdrv_vm *vm, struct vmdrv_knob_value *args, bool set)
{
	u32 knob = args->knob;
	struct vmdrv_nic *nic;

	if (knob >= VMDRV_KNOB_NR || args->pad)
		return -EINVAL;
	knob = array_index_nospec(knob, VMDRV_KNOB_NR);
	nic = knobs[knob].of_nic ? vmdrv_nic_find(vm, args->nic) : NULL;
	if (knobs[knob].of_nic ? !nic : args->nic)
		return -EINVAL;
	if (!set) {
		args->value = nic ? get_nic(nic, knob) : READ_ONCE(vm->knobs[knob]);
		return 0;
	}
	if (knob == VMDRV_KNOB_DATAPATH || args->value < knobs[knob].min ||
	    args->value > knobs[knob].max)
		return -EINVAL;
	if (nic)
		set_nic(nic, knob, args->value);
	else
		set_vm(vm, knob, args->value);
	return 0;
}

/* ---- sysfs: a NIC's are in its folder ---- */

struct nic_knob {
	struct attribute attr;
	u32 knob;
};

#define NIC_KNOB(_name, _knob)							\
	static const struct nic_knob nic_##_name = {				\
		.attr = { .name = __stringify(_name), .mode = 0644 },		\
		.knob = VMDRV_KNOB_##_knob,					\
	}
NIC_KNOB(datapath, DATAPATH);
NIC_KNOB(send_combining, SEND_COMBINING);
NIC_KNOB(combine_max, COMBINE_MAX);
NIC_KNOB(combine_rate, COMBINE_RATE);
NIC_KNOB(zerocopy_min, ZEROCOPY_MIN);

const struct attribute *const vmdrv_nic_knob_attrs[] = {
	&nic_datapath.attr, &nic_send_combining.attr, &nic_combine_max.attr,
	&nic_combine_rate.attr, &nic_zerocopy_min.attr,
	NULL
};

ssize_t vmdrv_nic_knob_show(struct vmdrv_nic *nic, const struct attribute *attr, char *buf)
{
	u32 knob = container_of(attr, struct nic_knob, attr)->knob;

	return print(knob, get_nic(nic, knob), buf);
}

ssize_t vmdrv_nic_knob_store(struct vmdrv_nic *nic, const struct attribute *attr, const char *buf,
			     size_t len)
{
	u32 knob = container_of(attr, struct nic_knob, attr)->knob;
	u32 value;
	int err;

	err = parse(knob, buf, &value);
	if (!err && knob == VMDRV_KNOB_DATAPATH)
		err = vmdrv_nic_want_path(nic, value);
	else if (!err)
		set_nic(nic, knob, value);
	return err ?: len;
}

/* ---- sysfs: a VM's in one called knobs ---- */

struct vm_knob {
	struct device_attribute attr;
	u32 knob;
};

static ssize_t vm_knob_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 knob = container_of(attr, struct vm_knob, attr)->knob;

	return print(knob, READ_ONCE(container_of(dev, struct vmdrv_vm, device)->knobs[knob]), buf);
}

static ssize_t vm_knob_store(struct device *dev, struct device_attribute *attr, const char *buf,
			     size_t len)
{
	u32 knob = container_of(attr, struct vm_knob, attr)->knob;
	u32 value;
	int err = parse(knob, buf, &value);

	if (!err)
		set_vm(container_of(dev, struct vmdrv_vm, device), knob, value);
	return err ?: len;
}

#define VM_KNOB(_name, _knob)							\
	static struct vm_knob vm_##_name = {					\
		.attr = __ATTR(_name, 0644, vm_knob_show, vm_knob_store),	\
		.knob = VMDRV_KNOB_##_knob,					\
	}
VM_KNOB(irq_notification, IRQ_NOTIFICATION);
VM_KNOB(host_irq_to_vmapp, HOST_IRQ_TO_VMAPP);
VM_KNOB(pairs, PAIRS);

static struct attribute *vm_knobs[] = {
	&vm_irq_notification.attr.attr, &vm_host_irq_to_vmapp.attr.attr,
	&vm_pairs.attr.attr,
	NULL
};

const struct attribute_group vmdrv_knobs_group = {
	.name = "knobs",
	.attrs = vm_knobs,
};
