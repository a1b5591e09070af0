// SPDX-License-Identifier: GPL-2.0-only
#include "confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/types.h"
#include "serial.h"
#include "uapi/vmdriver.h"
#include "uapi/vmnet.h"

/* Whatever their arguments: they act on what is open, on memory, on ourselves. */
static const int allowed[] = {
	/* the loop, sockets, the terminal, files that are open */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev),
	SCMP_SYS(fdatasync), SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(accept4), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown),
	SCMP_SYS(timerfd_settime), SCMP_SYS(unlink), SCMP_SYS(memfd_create),
	SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
	SCMP_SYS(getpeername), SCMP_SYS(getsockname),
	/* memory */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	/* threads, signals to ourselves, time */
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(wait4),
};

static const unsigned long allowed_ioctls[] = { TCGETS, TCSETS, TCSETSW, TCSETSF, FIONREAD };

int confine_capabilities(struct error *err)
{
	capng_clear(CAPNG_SELECT_BOTH);
	/* Without CAP_SETPCAP (an ordinary user) the bounding set stays; it is of no use then. */
	if (capng_apply(CAPNG_SELECT_CAPS))
		return error_set(err, "cannot drop capabilities: %s", strerror(errno));
	return 0;
}

/* Only what is safe in a signal handler. */
static void on_refused(int sig, siginfo_t *info, void *context)
{
	char line[] = "vmapp: system call 0000 is not allowed; worldswitch.confine = \"FALSE\" would allow it\n";
	char *digits = strstr(line, "0000");
	int nr = info->si_syscall;

	(void)sig;
	(void)context;
	serial_restore_terminal();
	for (int i = 3; i >= 0; i--, nr /= 10)
		digits[i] = (char)('0' + nr % 10);
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(1);
	_exit(1);
}

static int add_rules(scmp_filter_ctx ctx)
{
	int ret = 0;

	for (size_t i = 0; i < WS_ARRAY_SIZE(allowed); i++)
		ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* The calls of vmdriver and vmnet by their type byte, the terminal's by name. */
	ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, VMDRV_IOC << 8));
	ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, VMNET_IOC << 8));
	for (size_t i = 0; i < WS_ARRAY_SIZE(allowed_ioctls); i++)
		ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff,
						allowed_ioctls[i]));
	/* No memory becomes executable; no signal to another process. */
	ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	ret |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, (unsigned int)getpid()));
	return ret;
}

int confine_system_calls(struct error *err)
{
	struct sigaction sa = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int ret;

	tzset();	/* gmtime_r() opens the time zone's file once: while it may */
	if (!ctx)
		return error_set(err, "cannot make a system call filter; worldswitch.confine = \"FALSE\" runs without");
	sigaction(SIGSYS, &sa, NULL);
	ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!ret)
		ret = add_rules(ctx);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	if (ret)
		return error_set(err, "cannot install the system call filter: %s; worldswitch.confine = \"FALSE\" runs without",
				 strerror(-ret));
	return 0;
}
