// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's descriptor: its state in and out, complete enough to suspend a
 * guest and resume it elsewhere. Running it is run.c.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "vmdriver.h"

/* CR0 bits that exist; the others must be zero (AMD manual 2, 3.1.1 "CR0 Register"). */
#define CR0_VALID	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)
#define RUN_ORDER	get_order(VMDRV_RUN_PAGES * PAGE_SIZE)
#define RFLAGS_VALID	0x3f7fd5ul
#define RFLAGS_ONE	X86_EFLAGS_FIXED

/* The XSAVE image's legacy part as after power-on: FCW and MXCSR. */
#define FCW_OFFSET	0
#define FCW_INIT	0x037f
#define MXCSR_OFFSET	24
#define MXCSR_INIT	0x1f80

static int fpu_reset(struct vmdrv_vcpu *vcpu)
{
	u32 vpkru = 0;
	u8 *image;
	int err;

	image = kzalloc(vcpu->fpu.uabi_size, GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	*(u16 *)(image + FCW_OFFSET) = FCW_INIT;
	*(u32 *)(image + MXCSR_OFFSET) = MXCSR_INIT;
	err = fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, image, vmdrv_caps.xcr0, &vpkru);
	kfree(image);
	return err;
}

/* How large the image of VMDRV_GET_XSAVE is on this machine. */
u32 vmdrv_xsave_size(void)
{
	struct fpu_guest fpu = {};
	u32 size = 0;

	if (fpu_alloc_guest_fpstate(&fpu)) {
		size = fpu.uabi_size;
		fpu_free_guest_fpstate(&fpu);
	}
	return size;
}

static int vcpu_reset(struct vmdrv_vcpu *vcpu)
{
	memset(vcpu->ctx.gpr, 0, sizeof(vcpu->ctx.gpr));
	memset(&vcpu->pending, 0, sizeof(vcpu->pending));
	clear_bit(VMDRV_REQ_NMI, &vcpu->requests);
	memset(&vcpu->completion, 0, sizeof(vcpu->completion));
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->halted = false;
	vcpu->window = false;
	vcpu->xcr0 = XFEATURE_MASK_FP;
	vmdrv_msr_reset(vcpu);
	vmdrv_ops->reset(vcpu);
	return fpu_reset(vcpu);
}

/* CR4 bits that a guest may set: what CPUID shows it, and what every CPU has. */
u64 vmdrv_cr4_valid(void)
{
	u64 valid = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |
		    X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR |
		    X86_CR4_OSXMMEXCPT;

	if (boot_cpu_has(X86_FEATURE_UMIP))
		valid |= X86_CR4_UMIP;
	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		valid |= X86_CR4_FSGSBASE;
	if (boot_cpu_has(X86_FEATURE_PCID))
		valid |= X86_CR4_PCIDE;
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		valid |= X86_CR4_OSXSAVE;
	if (boot_cpu_has(X86_FEATURE_SMEP))
		valid |= X86_CR4_SMEP;
	if (boot_cpu_has(X86_FEATURE_SMAP))
		valid |= X86_CR4_SMAP;
	return valid;
}

const char * const vmdrv_segment_names[] = { "ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR" };

static bool canonical(u64 base)
{
	return sign_extend64(base, 47) == base;
}

/*
 * Attributes have 12 bits, and what the UAPI has no meaning for is 0. A base that is
 * not canonical would be sign-extended by SVM; VMX refuses it, and so do we.
 */
static const char *descriptor_fault(const struct vmdrv_sregs *s)
{
	const struct vmdrv_segment *seg = &s->es;
	int i;

	for (i = VMDRV_SEG_ES; i <= VMDRV_SEG_TR; i++)
		if (seg[i].attrib & ~0xfff || !canonical(seg[i].base))
			return vmdrv_segment_names[i];
	if (memchr_inv(s->gdtr.pad, 0, sizeof(s->gdtr.pad)) || !canonical(s->gdtr.base))
		return "GDTR";
	if (memchr_inv(s->idtr.pad, 0, sizeof(s->idtr.pad)) || !canonical(s->idtr.base))
		return "IDTR";
	return NULL;
}

/*
 * Names the field that the CPU would refuse, or NULL: AMD manual 2, 15.5.1
 * "Basic Operation", canonicalization and consistency checks.
 */
static const char *sregs_fault(const struct vmdrv_sregs *s)
{
	bool paging = s->cr0 & X86_CR0_PG;
	bool lme = s->efer & EFER_LME;
	const char *fault = descriptor_fault(s);

	if (fault)
		return fault;
	if (s->cr0 & ~(u64)CR0_VALID || (s->cr0 & (X86_CR0_NW | X86_CR0_CD)) == X86_CR0_NW)
		return "CR0";
	if (paging && !(s->cr0 & X86_CR0_PE))
		return "CR0.PG without CR0.PE";
	if (s->cr3 >> vmdrv_caps.phys_bits && !(s->cr4 & X86_CR4_PCIDE))
		return "CR3";
	if (s->cr4 & ~vmdrv_cr4_valid())
		return "CR4";
	if (s->cr8 > 15)
		return "CR8";
	if (s->efer & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSR))
		return "EFER";
	if (!!(s->efer & EFER_LMA) != (lme && paging))
		return "EFER.LMA: not LME and PG";
	if (lme && paging && !(s->cr4 & X86_CR4_PAE))
		return "CR4.PAE: clear in long mode";
	if (lme && paging && (s->cs.attrib & 0x600) == 0x600)
		return "CS: both L and D";
	if (!vmdrv_xcr0_valid(s->xcr0))
		return "XCR0";
	return vmdrv_ops->sregs_fault ? vmdrv_ops->sregs_fault(s) : NULL;
}

static int set_sregs(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *s)
{
	const char *fault = sregs_fault(s);

	if (fault) {
		pr_notice_ratelimited("vmdriver: %s: invalid guest state: %s\n",
				      vcpu->vm->name, fault);
		return -EINVAL;
	}
	vcpu->xcr0 = s->xcr0;
	vmdrv_ops->set_sregs(vcpu, s);
	set_bit(VMDRV_REQ_FLUSH, &vcpu->requests);
	set_bit(VMDRV_REQ_CHECK, &vcpu->requests);
	return 0;
}

static int set_regs(struct vmdrv_vcpu *vcpu, struct vmdrv_regs *regs)
{
	if (regs->rflags & ~(RFLAGS_VALID | RFLAGS_ONE))
		return -EINVAL;
	regs->rflags |= RFLAGS_ONE;
	vmdrv_ops->set_regs(vcpu, regs);
	return 0;
}

static void get_dregs(struct vmdrv_vcpu *vcpu, struct vmdrv_dregs *dregs)
{
	memcpy(dregs->dr, vcpu->dr, sizeof(dregs->dr));
	dregs->dr6 = vmdrv_ops->get_dr(vcpu, 6);
	dregs->dr7 = vmdrv_ops->get_dr(vcpu, 7);
}

static int set_dregs(struct vmdrv_vcpu *vcpu, const struct vmdrv_dregs *dregs)
{
	if (upper_32_bits(dregs->dr6) || upper_32_bits(dregs->dr7))
		return -EINVAL;
	memcpy(vcpu->dr, dregs->dr, sizeof(vcpu->dr));
	vmdrv_ops->set_dr(vcpu, 6, dregs->dr6);
	vmdrv_ops->set_dr(vcpu, 7, dregs->dr7);
	return 0;
}

static void get_events(struct vmdrv_vcpu *vcpu, struct vmdrv_events *e)
{
	struct vmdrv_pending *p = &vcpu->pending;

	if (test_and_clear_bit(VMDRV_REQ_NMI, &vcpu->requests))
		p->nmi = true;
	*e = (struct vmdrv_events) {
		.exception = p->exception,
		.vector = p->vector,
		.has_error = p->has_error,
		.error = p->error,
		.interrupt = p->irq,
		.irq_vector = p->irq_vector,
		.nmi_pending = p->nmi,
		.nmi_masked = vmdrv_ops->get_nmi_mask(vcpu),
		.shadow = vmdrv_ops->get_shadow(vcpu),
		.halted = vcpu->halted,
	};
}

static int set_events(struct vmdrv_vcpu *vcpu, const struct vmdrv_events *e)
{
	if (memchr_inv(e->pad, 0, sizeof(e->pad)))
		return -EINVAL;
	if (e->exception > 1 || e->has_error > 1 || e->interrupt > 1 || e->nmi_pending > 1 ||
	    e->nmi_masked > 1 || e->shadow > 1 || e->halted > 1)
		return -EINVAL;
	if (e->exception && (e->vector > 31 || e->vector == 2))
		return -EINVAL;
	vcpu->pending = (struct vmdrv_pending) {
		.exception = e->exception,
		.vector = e->vector,
		.has_error = e->has_error,
		.error = e->error,
		.irq = e->interrupt,
		.irq_vector = e->irq_vector,
		.nmi = e->nmi_pending,
	};
	clear_bit(VMDRV_REQ_NMI, &vcpu->requests);
	vmdrv_ops->set_nmi_mask(vcpu, e->nmi_masked);
	vmdrv_ops->set_shadow(vcpu, e->shadow);
	set_bit(VMDRV_REQ_CHECK, &vcpu->requests);
	vcpu->halted = e->halted;
	return 0;
}

static int msrs(struct vmdrv_vcpu *vcpu, const struct vmdrv_msrs *args, bool set)
{
	struct vmdrv_msr __user *entries = u64_to_user_ptr(args->data);
	struct vmdrv_msr msr;
	u32 i;

	if (args->pad || args->n > VMDRV_MSR_MAX)
		return -EINVAL;
	for (i = 0; i < args->n; i++) {
		if (copy_from_user(&msr, &entries[i], sizeof(msr)))
			return -EFAULT;
		if (msr.pad)
			return -EINVAL;
		if (set) {
			if (vmdrv_set_msr(vcpu, msr.index, msr.value))
				break;
		} else {
			if (vmdrv_get_msr(vcpu, msr.index, &msr.value))
				break;
			if (put_user(msr.value, &entries[i].value))
				return -EFAULT;
		}
	}
	return i;
}

static int get_msr_list(struct vmdrv_msr_list __user *argp, struct vmdrv_msr_list *args)
{
	u32 list[VMDRV_MSR_MAX];
	u32 n;

	if (args->pad)
		return -EINVAL;
	n = vmdrv_msr_list(list, ARRAY_SIZE(list));
	if (put_user(n, &argp->n))
		return -EFAULT;
	if (args->n < n)
		return -E2BIG;
	return copy_to_user(u64_to_user_ptr(args->data), list, n * sizeof(*list)) ? -EFAULT : 0;
}

static int xsave(struct vmdrv_vcpu *vcpu, const struct vmdrv_xsave *args, bool set)
{
	void __user *data = u64_to_user_ptr(args->data);
	u32 vpkru = 0;
	int err = -EFAULT;
	void *image;

	if (args->pad || args->size != vmdrv_caps.xsave_size)
		return -EINVAL;
	image = kvzalloc(args->size, GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	if (set) {
		if (!copy_from_user(image, data, args->size))
			err = fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, image, vmdrv_caps.xcr0,
							     &vpkru);
	} else {
		fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, image, args->size, vmdrv_caps.xcr0, 0);
		err = copy_to_user(data, image, args->size) ? -EFAULT : 0;
	}
	kvfree(image);
	return err;
}

static int translate(struct vmdrv_vcpu *vcpu, struct vmdrv_translate *t)
{
	u64 gpa = 0;
	u32 error = 0;
	int ret;

	if (t->pad || t->access & ~(VMDRV_ACCESS_WRITE | VMDRV_ACCESS_USER | VMDRV_ACCESS_FETCH))
		return -EINVAL;
	ret = vmdrv_translate(vcpu, t->gva, t->access, &gpa, &error);
	if (ret < 0)
		return ret;
	t->fault = ret;
	t->gpa = gpa;
	t->error = error;
	return 0;
}

/* The calls whose argument is one structure that u already holds (or will). */
union vcpu_arg {
	struct vmdrv_regs regs;
	struct vmdrv_sregs sregs;
	struct vmdrv_dregs dregs;
	struct vmdrv_events events;
	struct vmdrv_msrs msrs;
	struct vmdrv_msr_list msr_list;
	struct vmdrv_xsave xsave;
	struct vmdrv_cpuid cpuid;
	struct vmdrv_translate translate;
};

static int vcpu_state(struct vmdrv_vcpu *vcpu, unsigned int cmd, union vcpu_arg *u,
		      void __user *argp)
{
	switch (cmd) {
	case VMDRV_GET_REGS:
		vmdrv_ops->get_regs(vcpu, &u->regs);
		return 0;
	case VMDRV_SET_REGS:
		return set_regs(vcpu, &u->regs);
	case VMDRV_GET_SREGS:
		vmdrv_ops->get_sregs(vcpu, &u->sregs);
		u->sregs.xcr0 = vcpu->xcr0;
		return 0;
	case VMDRV_SET_SREGS:
		return set_sregs(vcpu, &u->sregs);
	case VMDRV_GET_DREGS:
		get_dregs(vcpu, &u->dregs);
		return 0;
	case VMDRV_SET_DREGS:
		return set_dregs(vcpu, &u->dregs);
	case VMDRV_GET_EVENTS:
		get_events(vcpu, &u->events);
		return 0;
	case VMDRV_SET_EVENTS:
		return set_events(vcpu, &u->events);
	case VMDRV_GET_MSRS:
	case VMDRV_SET_MSRS:
		return msrs(vcpu, &u->msrs, cmd == VMDRV_SET_MSRS);
	case VMDRV_GET_XSAVE:
	case VMDRV_SET_XSAVE:
		return xsave(vcpu, &u->xsave, cmd == VMDRV_SET_XSAVE);
	case VMDRV_GET_MSR_LIST:
		return get_msr_list(argp, &u->msr_list);
	case VMDRV_GET_CPUID:
		vmdrv_cpuid(vcpu, u->cpuid.leaf, u->cpuid.subleaf, &u->cpuid.eax);
		return 0;
	case VMDRV_TRANSLATE:
		return translate(vcpu, &u->translate);
	default:
		return -ENOTTY;
	}
}

static long vcpu_ioctl_locked(struct vmdrv_vcpu *vcpu, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;
	union vcpu_arg u;
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	memset(&u, 0, sizeof(u));	/* all of it may be copied out, padding too */
	if (cmd == VMDRV_RESET_VCPU)
		return arg ? -EINVAL : vcpu_reset(vcpu);
	if (_IOC_TYPE(cmd) != VMDRV_IOC || _IOC_SIZE(cmd) > sizeof(u))
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&u, argp, _IOC_SIZE(cmd)))
		return -EFAULT;
	ret = vcpu_state(vcpu, cmd, &u, argp);
	if (ret >= 0 && _IOC_DIR(cmd) & _IOC_READ && cmd != VMDRV_GET_MSR_LIST &&
	    copy_to_user(argp, &u, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmdrv_vcpu *vcpu = file->private_data;
	long ret;

	if (current->mm != vcpu->vm->mm)
		return -EIO;
	if (cmd == VMDRV_NMI) {
		if (arg)
			return -EINVAL;
		set_bit(VMDRV_REQ_NMI, &vcpu->requests);
		vmdrv_kick(vcpu->vm);
		return 0;
	}
	/* Whoever runs the guest may be there for long: do not wait for it. */
	if (!mutex_trylock(&vcpu->mutex))
		return -EBUSY;
	static_call_cond(vmdrv_attach)(vcpu);
	if (cmd == VMDRV_RUN)
		ret = arg ? -EINVAL : vmdrv_vcpu_run(vcpu);
	else
		ret = vcpu_ioctl_locked(vcpu, cmd, arg);
	static_call_cond(vmdrv_detach)(vcpu);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct vmdrv_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= VMDRV_RUN_PAGES)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page((void *)vcpu->run + vmf->pgoff * PAGE_SIZE);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) ||
	    vma->vm_pgoff + vma_pages(vma) > VMDRV_RUN_PAGES)
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct vmdrv_vcpu *vcpu = file->private_data;

	vmdrv_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};

/* The run pages may still be mapped: each mapping holds its own reference. */
static void free_run_pages(struct vmdrv_vcpu *vcpu)
{
	int i;

	for (i = 0; i < VMDRV_RUN_PAGES; i++)
		put_page(virt_to_page((void *)vcpu->run + i * PAGE_SIZE));
}

void vmdrv_vcpu_free(struct vmdrv_vcpu *vcpu)
{
	vmdrv_ops->destroy(vcpu);
	fpu_free_guest_fpstate(&vcpu->fpu);
	free_run_pages(vcpu);
	mutex_destroy(&vcpu->mutex);
	kfree(vcpu);
}

static struct vmdrv_vcpu *vcpu_alloc(struct vmdrv_vm *vm)
{
	struct vmdrv_vcpu *vcpu;
	struct page *pages;
	int err = -ENOMEM;

	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	vcpu->vm = vm;
	vcpu->cpu = -1;
	vcpu->ctx.port_map = vm->ports->map;
	vcpu->ctx.rows = vm->ports->rows;
	vcpu->tsc_offset = -vm->tsc_base;

	pages = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, RUN_ORDER);
	if (!pages)
		goto free_vcpu;
	split_page(pages, RUN_ORDER);
	vcpu->run = page_address(pages);
	vcpu->run->irq_notification = vm->knobs[VMDRV_KNOB_IRQ_NOTIFICATION];
	vcpu->ctx.pairs = vm->knobs[VMDRV_KNOB_PAIRS];
	if (!fpu_alloc_guest_fpstate(&vcpu->fpu))
		goto free_pages;
	err = vmdrv_ops->create(vcpu);
	if (err)
		goto free_fpu;
	static_call_cond(vmdrv_attach)(vcpu);
	err = vcpu_reset(vcpu);
	static_call_cond(vmdrv_detach)(vcpu);
	if (err)
		goto destroy;
	return vcpu;

destroy:
	vmdrv_ops->destroy(vcpu);
free_fpu:
	fpu_free_guest_fpstate(&vcpu->fpu);
free_pages:
	free_run_pages(vcpu);
free_vcpu:
	kfree(vcpu);
	return ERR_PTR(err);
}

/* VMDRV_CREATE_VCPU: returns the vCPU's descriptor, which holds the VM. */
int vmdrv_vcpu_create(struct vmdrv_vm *vm)
{
	struct vmdrv_vcpu *vcpu;
	struct file *file;
	int fd;

	mutex_lock(&vm->lock);
	fd = -EEXIST;
	if (vm->vcpu)
		goto unlock;
	vcpu = vcpu_alloc(vm);
	fd = PTR_ERR_OR_ZERO(vcpu);
	if (fd)
		goto unlock;
	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0)
		goto free_vcpu;
	file = anon_inode_getfile("vmdriver-vcpu", &vcpu_fops, vcpu, O_RDWR | O_CLOEXEC);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto free_vcpu;
	}
	vmdrv_vm_get(vm);
	WRITE_ONCE(vm->vcpu, vcpu);
	fd_install(fd, file);
	goto unlock;

free_vcpu:
	vmdrv_vcpu_free(vcpu);
unlock:
	mutex_unlock(&vm->lock);
	return fd;
}
