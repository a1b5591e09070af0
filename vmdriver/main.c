// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading, /dev/vmdriver, and the CPUs' virtualization switch.
 *
 * The extensions are on only while there is a VM, so that other hypervisors
 * can have the CPU when we do not need it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/uaccess.h>
#include <asm/fpu/xcr.h>
#include <asm/tsc.h>

#include "compat.h"
#include "perf.h"
#include "vmdriver.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

const struct vmdrv_ops *vmdrv_ops;
DEFINE_STATIC_CALL_NULL(vmdrv_attach, vmdrv_vcpu_fn);
DEFINE_STATIC_CALL_NULL(vmdrv_detach, vmdrv_vcpu_fn);
DEFINE_STATIC_CALL_NULL(vmdrv_load, vmdrv_load_fn);
DEFINE_STATIC_CALL_NULL(vmdrv_put, vmdrv_vcpu_fn);
DEFINE_STATIC_CALL_NULL(vmdrv_enter, vmdrv_vcpu_fn);
DEFINE_STATIC_CALL_NULL(vmdrv_decode, vmdrv_decode_fn);
DEFINE_STATIC_CALL_NULL(vmdrv_advance, vmdrv_advance_fn);
struct vmdrv_caps vmdrv_caps;
u64 vmdrv_host_xcr0;

/* Users of the extensions: VMs that exist. Guarded by the mutex. */
static DEFINE_MUTEX(hardware_mutex);
static unsigned int hardware_users;
static int hardware_state;	/* of the CPU hotplug machine; valid with users */
static DEFINE_PER_CPU(bool, extension_on);
static bool hardware_down;	/* the machine reboots: never on again */

/*
 * May this CPU enter a guest? Not once the machine reboots or sleeps, while
 * tasks still run. Interrupts are off.
 */
bool vmdrv_hardware_enabled(void)
{
	return __this_cpu_read(extension_on);
}

static int hardware_online(unsigned int cpu)
{
	unsigned long flags;
	int err;

	/* Interrupts are off: hardware_reboot() comes before this as a whole, or after it. */
	local_irq_save(flags);
	err = READ_ONCE(hardware_down) ? -ESHUTDOWN : vmdrv_ops->cpu_enable();
	if (!err)
		__this_cpu_write(extension_on, true);
	local_irq_restore(flags);
	if (err == -EBUSY)
		pr_err("CPU %u is held by another hypervisor: stop its guests; a KVM that keeps the CPU without any is loaded with kvm.enable_virt_at_load=0, or unloaded\n",
		       cpu);
	return err;
}

static void cpu_disable_this(void *unused)
{
	if (__this_cpu_read(extension_on)) {
		vmdrv_ops->cpu_disable();
		__this_cpu_write(extension_on, false);
	}
}

static int hardware_offline(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	cpu_disable_this(NULL);
	local_irq_restore(flags);
	return 0;
}

/* For the first VM: switches the extensions on, on every CPU that is or comes online. */
int vmdrv_hardware_get(void)
{
	int state;

	mutex_lock(&hardware_mutex);
	if (!hardware_users) {
		state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "vmdriver:online",
					  hardware_online, hardware_offline);
		if (state < 0) {
			mutex_unlock(&hardware_mutex);
			return state;
		}
		hardware_state = state;
	}
	hardware_users++;
	mutex_unlock(&hardware_mutex);
	return 0;
}

void vmdrv_hardware_put(void)
{
	mutex_lock(&hardware_mutex);
	if (!--hardware_users)
		cpuhp_remove_state(hardware_state);
	mutex_unlock(&hardware_mutex);
}

/* The boot CPU sleeps and wakes without passing through the hotplug machine. */
static int hardware_suspend(VMDRV_SYSCORE_ARGS)
{
	cpu_disable_this(NULL);
	return 0;
}

static void hardware_resume(VMDRV_SYSCORE_ARGS)
{
	if (hardware_users && !vmdrv_ops->cpu_enable())
		__this_cpu_write(extension_on, true);
}

VMDRV_DEFINE_SYSCORE(hardware_syscore, hardware_suspend, hardware_resume);

/* A rebooting or kexec'ed machine must not be left with the extensions on. */
static int hardware_reboot(struct notifier_block *nb, unsigned long code, void *unused)
{
	WRITE_ONCE(hardware_down, true);
	on_each_cpu(cpu_disable_this, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block hardware_reboot_nb = {
	.notifier_call = hardware_reboot,
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case VMDRV_GET_CAPS:
		return copy_to_user(argp, &vmdrv_caps, sizeof(vmdrv_caps)) ? -EFAULT : 0;
	case VMDRV_CREATE_VM:
		return vmdrv_vm_create(argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice vmdrv_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmdriver",
	.fops = &dev_fops,
	.groups = vmdrv_misc_groups,
	.mode = 0660,
};

static void __init fill_caps(void)
{
	vmdrv_host_xcr0 = boot_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(XCR_XFEATURE_ENABLED_MASK) : 0;
	vmdrv_caps = (struct vmdrv_caps) {
		.version = VMDRV_API_VERSION,
		.arch = vmdrv_ops->arch,
		.max_vcpus = 1,
		.max_slots = VMDRV_SLOT_MAX,
		.phys_bits = min_t(u32, boot_cpu_data.x86_phys_bits, 46),
		.run_size = VMDRV_RUN_PAGES * PAGE_SIZE,
		.xsave_size = vmdrv_xsave_size(),
		.xcr0 = vmdrv_supported_xcr0(),
		.tsc_khz = tsc_khz,
	};
}

static const struct vmdrv_ops __init *probe(void)
{
	switch (boot_cpu_data.x86_vendor) {
	case X86_VENDOR_AMD:
	case X86_VENDOR_HYGON:
		return &svm_ops;
	case X86_VENDOR_INTEL:
	case X86_VENDOR_CENTAUR:
	case X86_VENDOR_ZHAOXIN:
		return &vmx_ops;
	default:
		return NULL;
	}
}

static int __init vmdrv_init(void)
{
	int err;

	vmdrv_ops = probe();
	if (!vmdrv_ops) {
		pr_err("this CPU is by %s: neither AMD's SVM nor Intel's VMX is to be expected\n",
		       boot_cpu_data.x86_vendor_id);
		return -EOPNOTSUPP;
	}
	err = vmdrv_ops->setup();
	if (err)
		return err;
	static_call_update(vmdrv_attach, vmdrv_ops->attach);
	static_call_update(vmdrv_detach, vmdrv_ops->detach);
	static_call_update(vmdrv_load, vmdrv_ops->load);
	static_call_update(vmdrv_put, vmdrv_ops->put);
	static_call_update(vmdrv_enter, vmdrv_ops->enter);
	static_call_update(vmdrv_decode, vmdrv_ops->decode);
	static_call_update(vmdrv_advance, vmdrv_ops->advance);
	fill_caps();
	if (!vmdrv_caps.xsave_size) {
		err = -ENOMEM;
		goto unsetup;
	}

	err = vmdrv_class_register();
	if (err)
		goto unsetup;
	err = misc_register(&vmdrv_misc);
	if (err)
		goto unregister_class;
	vmdrv_register_syscore(&hardware_syscore);
	register_reboot_notifier(&hardware_reboot_nb);
	vmdrv_perf_init();
	pr_info("%s, guest addresses of %u bits, XCR0 %llx\n", vmdrv_ops->name,
		vmdrv_caps.phys_bits, vmdrv_caps.xcr0);
	return 0;

unregister_class:
	vmdrv_class_unregister();
unsetup:
	vmdrv_ops->unsetup();
	return err;
}

static void __exit vmdrv_exit(void)
{
	vmdrv_perf_exit();
	unregister_reboot_notifier(&hardware_reboot_nb);
	vmdrv_unregister_syscore(&hardware_syscore);
	misc_deregister(&vmdrv_misc);
	vmdrv_class_unregister();
	vmdrv_ops->unsetup();
	vmdrv_loans_exit();
}

module_init(vmdrv_init);
module_exit(vmdrv_exit);

MODULE_DESCRIPTION("Worldswitch: world switches, guest memory and in-kernel devices");
MODULE_AUTHOR("The Worldswitch maintainers");
MODULE_LICENSE("GPL");
