// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM: made by an ioctl, held by its descriptor and its vCPU's, gone with the
 * last of them whatever the guest was doing.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include <trace/events/ipi.h>

#include "vmdriver.h"

static DEFINE_IDA(vm_ids);

void vmdrv_vm_get(struct vmdrv_vm *vm)
{
	kref_get(&vm->kref);
}

/* The device's last reference: sysfs readers are gone, the memory may go. */
static void vm_device_release(struct device *device)
{
	struct vmdrv_vm *vm = container_of(device, struct vmdrv_vm, device);

	ida_free(&vm_ids, vm->id);
	kvfree(vm->ports);
	mutex_destroy(&vm->lock);
	kfree(vm);
}

static void vm_destroy(struct kref *kref)
{
	struct vmdrv_vm *vm = container_of(kref, struct vmdrv_vm, kref);

	vmdrv_nics_destroy(vm);
	device_del(&vm->device);
	vmdrv_devices_destroy(vm);
	vmdrv_mem_destroy(vm);
	if (vm->vcpu)
		vmdrv_vcpu_free(vm->vcpu);
	vmdrv_hardware_put();
	mmdrop(vm->mm);
	put_device(&vm->device);
}

void vmdrv_vm_put(struct vmdrv_vm *vm)
{
	kref_put(&vm->kref, vm_destroy);
}

/*
 * Something that concerns the guest has changed (the caller wrote it before):
 * a halted vCPU wakes, a running one leaves the guest and looks. Any context.
 */
void vmdrv_kick(struct vmdrv_vm *vm)
{
	struct vmdrv_vcpu *vcpu = READ_ONCE(vm->vcpu);

	if (!vcpu)
		return;
	smp_mb();	/* pairs with the one after vcpu->mode is set in run.c */
	preempt_disable();	/* a CPU seen in the guest stays online meanwhile */
	if (READ_ONCE(vcpu->mode) == VMDRV_IN_GUEST)
		smp_send_reschedule(READ_ONCE(vcpu->cpu));
	else
		rcuwait_wake_up(&vcpu->wait);
	preempt_enable();
}

static void flush_ack(void *unused)
{
}

/*
 * When this returns, the guest no longer uses translations that were taken out
 * of the nested tables before: it flushes ahead of its next entry, and if it
 * was running it has been interrupted. Does not sleep; interrupts are on.
 */
void vmdrv_flush_guest_tlb(struct vmdrv_vm *vm)
{
	struct vmdrv_vcpu *vcpu = READ_ONCE(vm->vcpu);

	if (!vcpu)
		return;
	set_bit(VMDRV_REQ_FLUSH, &vcpu->requests);
	smp_mb__after_atomic();	/* pairs with the one after vcpu->mode is set in run.c */
	if (READ_ONCE(vcpu->mode) == VMDRV_IN_GUEST)
		smp_call_function_single(READ_ONCE(vcpu->cpu), flush_ack, NULL, 1);
}

static int vm_set_irq(struct vmdrv_vm *vm, const struct vmdrv_irq *irq)
{
	if (!irq->irq || irq->irq > 15 || irq->irq == 2 || irq->level > 1)
		return -EINVAL;
	vmdrv_irq_set(vm, VMDRV_IRQ_VMAPP, irq->irq, irq->level);
	return 0;
}

static int vm_device_state(struct vmdrv_vm *vm, const struct vmdrv_device_state *state, bool set)
{
	void __user *data = u64_to_user_ptr(state->data);
	void *buf;
	int err;

	if (state->size > PAGE_SIZE)
		return -EINVAL;
	buf = kzalloc(state->size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	err = -EFAULT;
	if (set) {
		if (!copy_from_user(buf, data, state->size))
			err = vmdrv_devices_set(vm, state->device, buf, state->size);
	} else {
		err = vmdrv_devices_get(vm, state->device, buf, state->size);
		if (!err && copy_to_user(data, buf, state->size))
			err = -EFAULT;
	}
	kfree(buf);
	return err;
}

static int vm_latch(struct vmdrv_vm *vm, unsigned int cmd, struct vmdrv_latch *latch)
{
	u32 *value;
	int err = 0;

	if (latch->size != 1 && latch->size != 2 && latch->size != 4)
		return -EINVAL;
	if (latch->port & (latch->size - 1))
		return -EINVAL;
	if (cmd != VMDRV_GET_LATCH && latch->value & ~ws_all_ones(latch->size))
		return -EINVAL;

	mutex_lock(&vm->lock);
	if (cmd == VMDRV_ADD_LATCH)
		err = vm->latches < VMDRV_LATCH_MAX ?
			ws_ports_add_latch(vm->ports, latch->port, latch->size) : -ENOSPC;
	value = err ? NULL : ws_port_latch(vm->ports, latch->port, latch->size);
	if (!value)
		err = err ?: -ENOENT;
	else if (cmd == VMDRV_GET_LATCH)
		latch->value = READ_ONCE(*value);
	else
		WRITE_ONCE(*value, latch->value);
	if (cmd == VMDRV_ADD_LATCH && !err)
		vm->latches++;
	mutex_unlock(&vm->lock);
	return err;
}

union vm_arg {
	struct vmdrv_memory memory;
	struct vmdrv_dirty dirty;
	struct vmdrv_irq irq;
	struct vmdrv_latch latch;
	struct vmdrv_device_state device;
	struct vmdrv_nic_create nic_create;
	struct vmdrv_nic_decode nic_decode;
	struct vmdrv_nic_path nic_path;
	struct vmdrv_nic_access nic_access;
	struct vmdrv_nic_move nic_move;
	struct vmdrv_nic_state nic_state;
	struct vmdrv_nic_link nic_link;
	struct vmdrv_knob_value knob;
};

static int vm_call(struct vmdrv_vm *vm, unsigned int cmd, unsigned long arg, union vm_arg *u)
{
	switch (cmd) {
	case VMDRV_SET_MEMORY:
		return vmdrv_mem_set(vm, &u->memory);
	case VMDRV_GET_DIRTY:
		return vmdrv_mem_get_dirty(vm, &u->dirty);
	case VMDRV_CREATE_VCPU:
		return arg ? -EINVAL : vmdrv_vcpu_create(vm);
	case VMDRV_SET_IRQ:
		return vm_set_irq(vm, &u->irq);
	case VMDRV_ADD_LATCH:
	case VMDRV_SET_LATCH:
	case VMDRV_GET_LATCH:
		return vm_latch(vm, cmd, &u->latch);
	case VMDRV_GET_DEVICE:
	case VMDRV_SET_DEVICE:
		return vm_device_state(vm, &u->device, cmd == VMDRV_SET_DEVICE);
	case VMDRV_RESET_DEVICES:
		if (arg)
			return -EINVAL;
		vmdrv_devices_reset(vm);
		return 0;
	case VMDRV_NIC_CREATE:
		return vmdrv_nic_create(vm, &u->nic_create);
	case VMDRV_NIC_DECODE:
		return vmdrv_nic_decode(vm, &u->nic_decode);
	case VMDRV_NIC_SET_PATH:
		return vmdrv_nic_set_path(vm, &u->nic_path);
	case VMDRV_NIC_ACCESS:
		return vmdrv_nic_access(vm, &u->nic_access);
	case VMDRV_NIC_TRANSMIT:
		return vmdrv_nic_transmit(vm, &u->nic_move);
	case VMDRV_NIC_RECEIVE:
		return vmdrv_nic_receive(vm, &u->nic_move);
	case VMDRV_NIC_GET_STATE:
	case VMDRV_NIC_SET_STATE:
		return vmdrv_nic_state(vm, &u->nic_state, cmd == VMDRV_NIC_SET_STATE);
	case VMDRV_NIC_SET_LINK:
		return vmdrv_nic_set_link(vm, &u->nic_link);
	case VMDRV_NIC_RESET:
		return vmdrv_nic_reset(vm, arg);
	case VMDRV_SET_KNOB:
	case VMDRV_GET_KNOB:
		return vmdrv_knob(vm, &u->knob, cmd == VMDRV_SET_KNOB);
	default:
		return -ENOTTY;
	}
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;
	struct vmdrv_vm *vm = file->private_data;
	union vm_arg u;
	int ret;

	if (current->mm != vm->mm)
		return -EIO;
	if (_IOC_DIR(cmd) & _IOC_WRITE) {
		if (_IOC_SIZE(cmd) > sizeof(u))
			return -ENOTTY;
		if (copy_from_user(&u, argp, _IOC_SIZE(cmd)))
			return -EFAULT;
	}
	ret = vm_call(vm, cmd, arg, &u);
	if (ret >= 0 && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(argp, &u, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}

static int vm_release(struct inode *inode, struct file *file)
{
	vmdrv_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

static bool name_valid(const char *name)
{
	size_t len = strnlen(name, VMDRV_NAME_MAX);
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7e)
			return false;
	return len > 0 && len < VMDRV_NAME_MAX;
}

/* Everything but the descriptor; on failure nothing is left behind. */
static struct vmdrv_vm *vm_alloc(const char *name)
{
	struct vmdrv_vm *vm;
	int err = -ENOMEM;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->kref);
	mutex_init(&vm->lock);
	init_waitqueue_head(&vm->path_wait);
	vmdrv_knobs_init(vm->knobs);
	current_fsuid_fsgid(&vm->uid, &vm->gid);
	vm->pid = task_tgid_nr(current);
	vm->tsc_base = rdtsc();
	strscpy(vm->name, name, sizeof(vm->name));
	device_initialize(&vm->device);
	vm->device.class = &vmdrv_class;
	vm->device.release = vm_device_release;
	vm->id = ida_alloc(&vm_ids, GFP_KERNEL);
	if (vm->id < 0) {
		err = vm->id;
		kfree(vm);
		return ERR_PTR(err);
	}

	vm->ports = kvzalloc(sizeof(*vm->ports), GFP_KERNEL_ACCOUNT);
	if (!vm->ports)
		goto put_device;
	err = dev_set_name(&vm->device, "vm%d", vm->id);
	if (err)
		goto put_device;
	err = vmdrv_hardware_get();
	if (err)
		goto put_device;
	err = vmdrv_mem_init(vm);
	if (err)
		goto hardware_put;
	err = vmdrv_devices_init(vm);
	if (err)
		goto mem_destroy;
	mmgrab(current->mm);
	vm->mm = current->mm;
	err = device_add(&vm->device);
	if (err)
		goto devices_destroy;
	return vm;

devices_destroy:
	mmdrop(vm->mm);
	vmdrv_devices_destroy(vm);
mem_destroy:
	vmdrv_mem_destroy(vm);
hardware_put:
	vmdrv_hardware_put();
put_device:
	put_device(&vm->device);
	return ERR_PTR(err);
}

/* VMDRV_CREATE_VM: returns the new VM's descriptor. */
int vmdrv_vm_create(struct vmdrv_create_vm __user *argp)
{
	struct vmdrv_create_vm args;
	struct vmdrv_vm *vm;
	struct file *file;
	int fd;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	if (args.flags || !name_valid(args.name))
		return -EINVAL;
	vm = vm_alloc(args.name);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0)
		goto put_vm;
	file = anon_inode_getfile("vmdriver-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto put_vm;
	}
	if (put_user(vm->id, &argp->id)) {
		put_unused_fd(fd);
		fput(file);	/* puts the VM */
		return -EFAULT;
	}
	fd_install(fd, file);
	return fd;

put_vm:
	vmdrv_vm_put(vm);
	return fd;
}
