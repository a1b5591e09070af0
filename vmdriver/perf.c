// SPDX-License-Identifier: GPL-2.0-only
/*
 * perf's guest callbacks. A sample that is taken because an interrupt has ended a
 * guest's turn is the guest's, at the guest's RIP: `perf kvm --guest record`.
 *
 * The kernel has one slot for such callbacks and only complains when a second user
 * wants it. KVM takes it without a question, so ours are there while KVM is not.
 */
#include <linux/device.h>
#include <linux/hardirq.h>
#include <linux/module.h>
#include <linux/perf_event.h>

#include "perf.h"
#include "vmdriver.h"

#ifdef CONFIG_GUEST_PERF_EVENTS

DEFINE_STATIC_KEY_FALSE(vmdrv_perf_on);
DEFINE_PER_CPU(struct vmdrv_vcpu *, vmdrv_perf_vcpu);

static DEFINE_MUTEX(slot_mutex);
static bool slot_taken;		/* by us; guarded by the mutex */

/* The guest whose turn the interrupt has ended that we are in, if it has. */
static struct vmdrv_vcpu *interrupted(void)
{
	struct vmdrv_vcpu *vcpu;

	if ((!in_hardirq() && !in_nmi()) || !vmdrv_hardware_enabled())
		return NULL;
	vcpu = __this_cpu_read(vmdrv_perf_vcpu);
	if (!vcpu)
		return NULL;
	if (in_nmi())
		return vmdrv_ops->left_by_nmi(vcpu) ? vcpu : NULL;
	return vcpu->exit.cause == VMDRV_CAUSE_INTR ? vcpu : NULL;
}

static unsigned int guest_state(void)
{
	struct vmdrv_vcpu *vcpu = interrupted();

	if (!vcpu)
		return 0;
	return PERF_GUEST_ACTIVE | (vmdrv_ops->get_cpl(vcpu) == 3 ? PERF_GUEST_USER : 0);
}

static unsigned long guest_ip(void)
{
	struct vmdrv_vcpu *vcpu = interrupted();

	return vcpu ? vmdrv_ops->get_rip(vcpu) : 0;
}

static struct perf_guest_info_callbacks callbacks = {
	.state = guest_state,
	.get_ip = guest_ip,
};

static void take_slot(void)
{
	int cpu;

	mutex_lock(&slot_mutex);
	if (!slot_taken) {
		/* What a CPU kept when the key was turned off in a guest's turn may be gone. */
		for_each_possible_cpu(cpu)
			per_cpu(vmdrv_perf_vcpu, cpu) = NULL;
		static_branch_enable(&vmdrv_perf_on);
		perf_register_guest_info_callbacks(&callbacks);
		slot_taken = true;
	}
	mutex_unlock(&slot_mutex);
}

static void leave_slot(void)
{
	mutex_lock(&slot_mutex);
	if (slot_taken) {
		perf_unregister_guest_info_callbacks(&callbacks);	/* nobody is in them */
		static_branch_disable(&vmdrv_perf_on);
		slot_taken = false;
	}
	mutex_unlock(&slot_mutex);
}

static bool kvm_loaded(void)
{
	if (!__symbol_get("kvm_get_kvm"))
		return false;
	__symbol_put("kvm_get_kvm");
	return true;
}

/* The vendor's module, which takes the slot, comes after "kvm" and goes before it. */
static int module_changes(struct notifier_block *nb, unsigned long state, void *module)
{
	if (strcmp(((struct module *)module)->name, "kvm"))
		return NOTIFY_OK;
	if (state == MODULE_STATE_COMING)
		leave_slot();
	else if (state == MODULE_STATE_GOING)
		take_slot();
	return NOTIFY_OK;
}

static struct notifier_block module_nb = {
	.notifier_call = module_changes,
};

void vmdrv_perf_init(void)
{
	register_module_notifier(&module_nb);
	if (!kvm_loaded())
		take_slot();
}

void vmdrv_perf_exit(void)
{
	unregister_module_notifier(&module_nb);
	leave_slot();
}

static ssize_t perf_guest_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", READ_ONCE(slot_taken) ? "on" : "off: KVM is loaded");
}
#else
static ssize_t perf_guest_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "off: the kernel has no CONFIG_GUEST_PERF_EVENTS\n");
}
#endif

static DEVICE_ATTR_RO(perf_guest);

static struct attribute *perf_attrs[] = { &dev_attr_perf_guest.attr, NULL };

const struct attribute_group vmdrv_perf_group = {
	.attrs = perf_attrs,
};
