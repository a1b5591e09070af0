// SPDX-License-Identifier: GPL-2.0-only
/*
 * Beside KVM: on SVM both run; on VMX the second one to come is refused, whoever
 * that is, and the first one does not notice. KVM's module is loaded by who starts
 * this; a KVM that holds the CPUs without guests (enable_virt_at_load) is always
 * first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym long_compute;

#define TOP_PAGE	0xfffff000u	/* the CPU's first instruction is at its fff0h */
#define HLT		0xf4

/* A VM of KVM's that halts at once. */
struct other {
	int vm, vcpu;
	struct kvm_run *run;
	u8 *page;
};

FIXTURE(beside) {
	int kvm;
	bool shares, keeps;
	struct other other;
};

FIXTURE_SETUP(beside)
{
	struct vmdrv_caps caps;
	int dev = vm_open_device(), fd;
	char c = 'N';

	VM_MUST(dev, VMDRV_GET_CAPS, &caps);
	close(dev);
	self->shares = caps.arch == VMDRV_ARCH_SVM;
	fd = open("/sys/module/kvm/parameters/enable_virt_at_load", O_RDONLY);
	if (fd >= 0 && read(fd, &c, 1) == 1 && c == 'Y')
		self->keeps = true;
	close(fd);
	memset(&self->other, 0, sizeof(self->other));
	self->kvm = open("/dev/kvm", O_RDWR);
}

FIXTURE_TEARDOWN(beside)
{
	close(self->kvm);
}

static int other_create(int kvm, struct other *o)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = TOP_PAGE, .memory_size = 4096,
	};

	o->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (o->vm < 0)
		return -errno;
	o->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(o->page, HLT, 4096);
	region.userspace_addr = (unsigned long)o->page;
	VM_MUST(o->vm, KVM_SET_USER_MEMORY_REGION, &region);
	o->vcpu = vm_ioctl(o->vm, KVM_CREATE_VCPU, NULL);
	if (o->vcpu < 0)
		vm_die("KVM_CREATE_VCPU: %s", strerror(-o->vcpu));
	o->run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, o->vcpu, 0);
	return 0;
}

static u32 other_run(struct other *o)
{
	VM_MUST(o->vcpu, KVM_RUN, NULL);
	return o->run->exit_reason;
}

static void other_destroy(struct other *o)
{
	munmap(o->run, 4096);
	munmap(o->page, 4096);
	close(o->vcpu);
	close(o->vm);
}

static int create_refused(void)
{
	struct vmdrv_create_vm create = { .name = "beside" };
	int dev = vm_open_device(), fd;

	fd = vm_ioctl(dev, VMDRV_CREATE_VM, &create);
	if (fd >= 0)
		close(fd);
	close(dev);
	return fd;
}

static u32 run_ours(void)
{
	struct vm vm;
	u32 end;

	vm_create(&vm, VM_LONG, long_compute);
	end = vm_run_guest(&vm);
	vm_destroy(&vm);
	return end;
}

TEST_F(beside, kvm_first)
{
	if (self->kvm < 0)
		SKIP(return, "there is no KVM");
	ASSERT_EQ(0, other_create(self->kvm, &self->other));
	EXPECT_EQ(KVM_EXIT_HLT, other_run(&self->other));
	if (self->shares) {
		EXPECT_EQ(VM_END_PASS, run_ours());
	} else {
		EXPECT_EQ(-EBUSY, create_refused());
	}
	EXPECT_EQ(KVM_EXIT_HLT, other_run(&self->other));
	other_destroy(&self->other);
	if (self->shares || !self->keeps) {
		EXPECT_EQ(VM_END_PASS, run_ours());
	} else {
		EXPECT_EQ(-EBUSY, create_refused());
	}
}

TEST_F(beside, ours_first)
{
	struct vm vm;

	if (self->kvm < 0)
		SKIP(return, "there is no KVM");
	if (!self->shares && self->keeps)
		SKIP(return, "this KVM holds the CPUs from its load on");
	vm_create(&vm, VM_LONG, long_compute);
	if (self->shares) {
		ASSERT_EQ(0, other_create(self->kvm, &self->other));
		EXPECT_EQ(KVM_EXIT_HLT, other_run(&self->other));
		other_destroy(&self->other);
	} else {
		EXPECT_GT(0, other_create(self->kvm, &self->other));
	}
	EXPECT_EQ(VM_END_PASS, vm_run_guest(&vm));
	vm_destroy(&vm);
	ASSERT_EQ(0, other_create(self->kvm, &self->other));
	EXPECT_EQ(KVM_EXIT_HLT, other_run(&self->other));
	other_destroy(&self->other);
}

TEST_HARNESS_MAIN
