// SPDX-License-Identifier: GPL-2.0-only
/* exitbench's machine on vmdriver. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exitbench.h"
#include "uapi/vmdriver.h"
#include "uapi/vmnet.h"

static int device, vm, vcpu;
static uint32_t id;
static struct vmdrv_run *run_page;

static void set_state(uint32_t counter)
{
	const struct vmdrv_segment code = {
		.limit = 0xffffffff, .selector = 8,
		.attrib = EXITBENCH_CODE32 | 0xc00,	/* G and D/B */
	};
	const struct vmdrv_segment data = {
		.limit = 0xffffffff, .selector = 16,
		.attrib = EXITBENCH_DATA32 | 0xc00,
	};
	struct vmdrv_regs regs = {
		.rip = EXITBENCH_ENTRY, .rsi = counter, .rflags = 2,
	};
	struct vmdrv_sregs sregs;

	if (ioctl(vcpu, VMDRV_GET_SREGS, &sregs))
		die("reading the segment registers");
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.ss = data;
	sregs.cr0 = 0x11;	/* PE, ET */
	if (ioctl(vcpu, VMDRV_SET_SREGS, &sregs) || ioctl(vcpu, VMDRV_SET_REGS, &regs))
		die("setting the registers");
}

static void add_lance(void)
{
	struct vmnet_attach attach = { .network = EXITBENCH_NETWORK };
	struct vmdrv_nic_create create = { .mac = { 0x02, 0, 0, 0, 0, 1 } };
	const struct vmdrv_nic_decode decode = { .port = EXITBENCH_LANCE, .io = 1, .irq = 11 };

	create.vmnet_fd = open(VMNET_DEVICE, O_RDWR | O_CLOEXEC);
	if (create.vmnet_fd < 0 || ioctl(create.vmnet_fd, VMNET_ATTACH, &attach))
		die("attaching to the network " EXITBENCH_NETWORK "; `vmctl net create` makes it");
	if (ioctl(vm, VMDRV_NIC_CREATE, &create) || ioctl(vm, VMDRV_NIC_DECODE, &decode))
		die("making a NIC");
	close(create.vmnet_fd);
}

static void worldswitch_create(void *memory, uint32_t counter, bool lance)
{
	struct vmdrv_create_vm create = { .name = "exitbench" };
	struct vmdrv_memory slot = {
		.size = exitbench_memory, .hva = (uintptr_t)memory,
	};

	device = open(VMDRV_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(VMDRV_DEVICE " cannot be opened; `vmctl doctor` says what is missing");
	vm = ioctl(device, VMDRV_CREATE_VM, &create);
	if (vm < 0 || ioctl(vm, VMDRV_SET_MEMORY, &slot))
		die("making a VM");
	id = create.id;
	vcpu = ioctl(vm, VMDRV_CREATE_VCPU, 0);
	if (vcpu < 0)
		die("making a vCPU");
	run_page = mmap(NULL, VMDRV_RUN_PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run_page == MAP_FAILED)
		die("mapping the run page");
	set_state(counter);
	if (lance)
		add_lance();
}

static uint16_t worldswitch_run(void)
{
	while (ioctl(vcpu, VMDRV_RUN, 0))
		if (errno != EINTR)
			die("running the guest");
	if (run_page->exit_reason != VMDRV_EXIT_IO) {
		errno = 0;
		die("exit %u at %#llx where a port access was due%s%s", run_page->exit_reason,
		    (unsigned long long)run_page->rip,
		    run_page->exit_reason == VMDRV_EXIT_STOP ? ": " : "",
		    run_page->exit_reason == VMDRV_EXIT_STOP ? run_page->stop.reason : "");
	}
	if (run_page->io.direction == VMDRV_IO_IN)
		*((uint8_t *)run_page + VMDRV_DATA_OFFSET) = 0;
	return run_page->io.port;
}

static uint64_t worldswitch_exits(void)
{
	uint64_t sum = 0, n;
	struct dirent *file;
	char path[300];
	DIR *folder;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/vmdriver/vm%u/exits", id);
	folder = opendir(path);
	if (!folder)
		die("%s", path);
	while ((file = readdir(folder))) {
		if (*file->d_name == '.' || !strcmp(file->d_name, "intr"))
			continue;
		snprintf(path, sizeof(path), "/sys/class/vmdriver/vm%u/exits/%.200s", id,
			 file->d_name);
		f = fopen(path, "r");
		if (!f || fscanf(f, "%" SCNu64, &n) != 1)
			die("%s", path);
		fclose(f);
		sum += n;
	}
	closedir(folder);
	return sum;
}

static void worldswitch_destroy(void)
{
	munmap(run_page, VMDRV_RUN_PAGES * 4096);
	close(vcpu);
	close(vm);
	close(device);
}

const struct hypervisor worldswitch_hypervisor = {
	.name = "worldswitch",
	.latches = true,
	.lance = true,
	.create = worldswitch_create,
	.run = worldswitch_run,
	.exits = worldswitch_exits,
	.destroy = worldswitch_destroy,
};
