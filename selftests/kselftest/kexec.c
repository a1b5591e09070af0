// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec crash|reboot KERNEL INITRD CMDLINE - goes on with another kernel while a
 * guest runs: after a panic, or in order. Not one of the kselftests: it does not
 * come back. selftests/run-kexec calls it.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm.h"

extern guest_sym real_spin;

static void run_guest(void)
{
	static struct vm vm;

	vm_create(&vm, VM_REAL, real_spin);
	vm_die("the guest ended: %s", vm_end_text(&vm, vm_run_guest(&vm)));
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		vm_die("%s: %m", path);
	return fd;
}

static void load(const char *kernel, const char *initrd, const char *cmdline, unsigned long flags)
{
	if (syscall(SYS_kexec_file_load, open_file(kernel), open_file(initrd),
		    strlen(cmdline) + 1, cmdline, flags))
		vm_die("kexec_file_load: %m");
}

static void crash(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, "c", 1) != 1)
		vm_die("/proc/sysrq-trigger: %m");
}

int main(int argc, char **argv)
{
	bool crashes = argc > 1 && !strcmp(argv[1], "crash");
	pid_t pid;

	if (argc != 5 || (!crashes && strcmp(argv[1], "reboot")))
		vm_die("usage: kexec crash|reboot KERNEL INITRD CMDLINE");
	load(argv[2], argv[3], argv[4], crashes ? KEXEC_FILE_ON_CRASH : 0);
	pid = fork();
	if (!pid)
		run_guest();
	sleep(2);
	if (vm_count_all() != 1 || kill(pid, 0))
		vm_die("no guest runs");
	if (crashes)
		crash();
	else if (syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			 LINUX_REBOOT_CMD_KEXEC, NULL))
		vm_die("reboot: %m");
	return 1;
}
