// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/misc/vmdriver/mitigations: what is done on the way into a guest and
 * out of it because the CPU's speculation would tell, or believe, too much. The
 * host's kernel decides (mitigations=, and what it knows of the CPU); here is
 * what has come of it. One value per file:
 *
 *   ibpb		no guest's branch predictions are used in another one
 *   ibrs		nor in the VMM: IBRS is written again after each exit
 *   return_stack	the return predictor is filled after each exit
 *   branch_history	the branch history is cleared after each exit
 *   cpu_buffers	internal buffers are cleared before each entry (VERW)
 *   l1d_flush		the L1 data cache is emptied before each stay
 */
#include <linux/device.h>
#include <linux/sysfs.h>
#include <asm/cpufeature.h>

#include "vmdriver.h"

static ssize_t show_feature(char *buf, int feature)
{
	bool on = feature != VMDRV_FEATURE_NEVER && boot_cpu_has(feature);

	return sysfs_emit(buf, "%s\n", on ? "on" : "off");
}

static ssize_t ibpb_show(struct device *dev, struct device_attribute *attr, char *buf)
{
#ifdef X86_FEATURE_USE_IBPB
	return show_feature(buf, X86_FEATURE_USE_IBPB);
#else
	return show_feature(buf, X86_FEATURE_IBPB);
#endif
}
static DEVICE_ATTR_RO(ibpb);

static ssize_t ibrs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return show_feature(buf, X86_FEATURE_KERNEL_IBRS);
}
static DEVICE_ATTR_RO(ibrs);

static ssize_t return_stack_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	if (boot_cpu_has(X86_FEATURE_RSB_VMEXIT_LITE))
		return sysfs_emit(buf, "one entry\n");
	return show_feature(buf, X86_FEATURE_RSB_VMEXIT);
}
static DEVICE_ATTR_RO(return_stack);

static ssize_t branch_history_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return show_feature(buf, vmdrv_ops->clears_history);
}
static DEVICE_ATTR_RO(branch_history);

static ssize_t cpu_buffers_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return show_feature(buf, vmdrv_ops->clears_buffers);
}
static DEVICE_ATTR_RO(cpu_buffers);

static ssize_t l1d_flush_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  vmdrv_ops->l1d_state ? vmdrv_ops->l1d_state() : "not needed");
}
static DEVICE_ATTR_RO(l1d_flush);

static struct attribute *mitigation_attrs[] = {
	&dev_attr_ibpb.attr, &dev_attr_ibrs.attr, &dev_attr_return_stack.attr,
	&dev_attr_branch_history.attr, &dev_attr_cpu_buffers.attr, &dev_attr_l1d_flush.attr,
	NULL
};

static const struct attribute_group mitigation_group = {
	.name = "mitigations",
	.attrs = mitigation_attrs,
};

const struct attribute_group *vmdrv_misc_groups[] = {
	&mitigation_group,
	&vmdrv_perf_group,
	NULL
};
