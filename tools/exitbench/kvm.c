// SPDX-License-Identifier: GPL-2.0-only
/* exitbench's machine on KVM, to compare with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exitbench.h"

/* Intel CPUs want three pages for a TSS and one for page tables of KVM's own. */
#define KVM_TSS_ADDRESS		0xfffbd000
#define KVM_IDENTITY_MAP	0xfffbc000ull

static int device, vm, vcpu, run_size;
static struct kvm_run *run_page;

static void set_state(uint32_t counter)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .present = 1, .s = 1,
		.type = EXITBENCH_CODE32 & 0xf, .db = 1, .g = 1,
	};
	const struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .present = 1, .s = 1,
		.type = EXITBENCH_DATA32 & 0xf, .db = 1, .g = 1,
	};
	struct kvm_regs regs = {
		.rip = EXITBENCH_ENTRY, .rsi = counter, .rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		die("reading the segment registers");
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.ss = data;
	sregs.cr0 = 0x11;	/* PE, ET */
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		die("setting the registers");
}

static void kvm_create(void *memory, uint32_t counter, bool lance __attribute__((unused)))
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = exitbench_memory, .userspace_addr = (uintptr_t)memory,
	};
	uint64_t identity = KVM_IDENTITY_MAP;

	device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/kvm cannot be opened; load kvm_amd or kvm_intel");
	vm = ioctl(device, KVM_CREATE_VM, 0);
	if (vm < 0)
		die("making a VM");
	if (ioctl(vm, KVM_SET_TSS_ADDR, KVM_TSS_ADDRESS) ||
	    ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) ||
	    ioctl(vm, KVM_CREATE_IRQCHIP, 0) ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot))
		die("setting up a VM");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run_size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vcpu < 0 || run_size < 0)
		die("making a vCPU");
	run_page = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run_page == MAP_FAILED)
		die("mapping the run page");
	set_state(counter);
}

static uint16_t kvm_run(void)
{
	while (ioctl(vcpu, KVM_RUN, 0))
		if (errno != EINTR)
			die("running the guest");
	if (run_page->exit_reason != KVM_EXIT_IO) {
		errno = 0;
		die("exit %u where a port access was due", run_page->exit_reason);
	}
	if (run_page->io.direction == KVM_EXIT_IO_IN)
		*((uint8_t *)run_page + run_page->io.data_offset) = 0;
	return run_page->io.port;
}

static void kvm_destroy(void)
{
	munmap(run_page, run_size);
	close(vcpu);
	close(vm);
	close(device);
}

const struct hypervisor kvm_hypervisor = {
	.name = "kvm",
	.create = kvm_create,
	.run = kvm_run,
	.destroy = kvm_destroy,
};
