// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU's thread: runs the guest, and does what an exit asks for. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "machine.h"
#include "mmio.h"

#define KICK_SIGNAL	SIGUSR1

/* It has done its work when a system call returns EINTR. */
static void on_kick(int sig)
{
	(void)sig;
}

void vcpu_init_signals(void)
{
	struct sigaction sa = { .sa_handler = on_kick };	/* no SA_RESTART */

	sigaction(KICK_SIGNAL, &sa, NULL);
}

/*
 * The thread clears immediate_exit with the lock held, before it looks at the
 * requests; here both are set with the lock held. So it either sees the
 * request, or enters the guest with the flag set, or is there already and gets
 * the signal.
 */
void vcpu_kick(struct machine *m)
{
	pthread_cond_signal(&m->changed);
	if (!m->vcpu_thread || pthread_equal(pthread_self(), m->vcpu_thread))
		return;
	m->run->immediate_exit = 1;
	pthread_kill(m->vcpu_thread, KICK_SIGNAL);
}

/* ---- device memory --------------------------------------------------------------- */

static int translate(void *ctx, u64 gva, u32 access, u64 *gpa, u32 *error)
{
	struct vmdrv_translate t = { .gva = gva, .access = access };
	struct machine *m = ctx;

	if (ioctl(m->vcpu_fd, VMDRV_TRANSLATE, &t))
		return -1;
	*gpa = t.gpa;
	*error = t.error;
	return t.fault ? 1 : 0;
}

static u64 read_memory(void *ctx, u64 gpa, unsigned int size)
{
	struct machine *m = ctx;
	const void *there = map_ptr(&m->map, gpa, size, false);
	u64 val = 0;

	if (!there)
		return bus_mmio_read(&m->bus, gpa, size);
	memcpy(&val, there, size);
	return val;
}

static void write_memory(void *ctx, u64 gpa, unsigned int size, u64 val)
{
	struct machine *m = ctx;
	void *there = map_ptr(&m->map, gpa, size, true);

	if (!there)
		there = firmware_write_ptr(&m->i440fx, &m->mem, gpa, size);
	if (there)
		memcpy(there, &val, size);
	else
		bus_mmio_write(&m->bus, gpa, size, val);
}

/* Have a page fault delivered at the next entry. */
static int inject_fault(struct machine *m, struct vmdrv_sregs *sregs,
			const struct mmio_fault *fault)
{
	struct vmdrv_events ev;

	sregs->cr2 = fault->address;
	if (ioctl(m->vcpu_fd, VMDRV_SET_SREGS, sregs) ||
	    ioctl(m->vcpu_fd, VMDRV_GET_EVENTS, &ev))
		return -1;
	ev.exception = 1;
	ev.vector = 14;
	ev.has_error = 1;
	ev.error = fault->error;
	return ioctl(m->vcpu_fd, VMDRV_SET_EVENTS, &ev);
}

static void handle_mmio(struct machine *m)
{
	const struct mmio_env env = { translate, read_memory, write_memory, m };
	const struct vmdrv_run *run = m->run;
	u8 insn[sizeof(run->mmio.insn)];
	unsigned int len = run->mmio.insn_len, mode = run->mmio.mode;
	u64 gpa = run->mmio.gpa, rip = run->rip;
	struct vmdrv_sregs sregs;
	struct vmdrv_regs regs;
	struct mmio_fault fault;
	char text[128];
	int ret = 0;

	memcpy(insn, run->mmio.insn, sizeof(insn));
	if (ioctl(m->vcpu_fd, VMDRV_GET_REGS, &regs) ||
	    ioctl(m->vcpu_fd, VMDRV_GET_SREGS, &sregs)) {
		machine_stop(m, "the VMM does not give its registers: %s", strerror(errno));
		return;
	}
	switch (mmio_emulate(&env, &regs, &sregs, insn, len, mode, &fault)) {
	case MMIO_FAULT:
		ret = inject_fault(m, &sregs, &fault);
		/* fall through */
	case MMIO_DONE:
		if (ret || ioctl(m->vcpu_fd, VMDRV_SET_REGS, &regs))
			machine_stop(m, "the VMM does not take its registers: %s",
				     strerror(errno));
		break;
	case MMIO_HOST_ERROR:
		machine_stop(m, "the VMM cannot walk the guest's page tables: %s",
			     strerror(errno));
		break;
	default:
		mmio_format(insn, len, mode, rip, text, sizeof(text));
		machine_stop(m, "cannot emulate \"%s\" at %llxh on address %llxh, where there is no memory",
			     text, (unsigned long long)rip, (unsigned long long)gpa);
	}
}

/* ---- exits ----------------------------------------------------------------------- */

static void handle_shutdown(struct machine *m)
{
	if (!strcasecmp(vmx_str(m->config, "worldswitch.tripleFault"), "reset"))
		machine_reboot(m);
	else
		machine_stop(m, "triple fault at %llxh (worldswitch.tripleFault = \"reset\" restarts instead)",
			     (unsigned long long)m->run->rip);
}

static void handle_exit(struct machine *m)
{
	struct vmdrv_run *run = m->run;

	switch (run->exit_reason) {
	case VMDRV_EXIT_INTR:
		break;
	case VMDRV_EXIT_IO:
		bus_io(&m->bus, run, (u8 *)run + VMDRV_DATA_OFFSET);
		break;
	case VMDRV_EXIT_MMIO:
		handle_mmio(m);
		break;
	case VMDRV_EXIT_SHUTDOWN:
		handle_shutdown(m);
		break;
	case VMDRV_EXIT_STOP:
		machine_stop(m, "%.*s", (int)sizeof(run->stop.reason), run->stop.reason);
		break;
	case VMDRV_EXIT_NIC:
		break;
	case VMDRV_EXIT_HOST_IRQ:
		nics_select(&m->nics);
		break;
	case VMDRV_EXIT_PATH:
		nics_set_path(&m->nics, run->path.nic, run->path.path);
		break;
	default:
		machine_stop(m, "the VMM left for an unknown reason %u", run->exit_reason);
	}
}

static void restart(struct machine *m)
{
	struct error err;

	m->requests &= ~MACHINE_RESET;
	if (machine_reset(m, &err))
		machine_stop(m, "%s", err.text);
}

/* Run the guest once, without the lock. */
static void run_guest(struct machine *m)
{
	int ret, failed;

	m->run->immediate_exit = 0;
	pthread_mutex_unlock(&m->lock);
	ret = ioctl(m->vcpu_fd, VMDRV_RUN, 0);
	failed = errno;
	pthread_mutex_lock(&m->lock);
	m->nics.irq_notification = m->run->irq_notification;
	nics_enter(&m->nics);
	if (m->run->nics)
		nics_move(&m->nics, m->run->nics);
	if (!ret)
		handle_exit(m);
	else if (failed != EINTR)
		machine_stop(m, "the VMM cannot run it: %s", strerror(failed));
	nics_leave(&m->nics);
}

static void do_call(struct machine *m)
{
	m->call(m, m->call_arg);
	m->requests &= ~MACHINE_CALL;
	pthread_cond_signal(&m->called);
}

void *vcpu_main(void *machine)
{
	struct machine *m = machine;

	pthread_mutex_lock(&m->lock);
	while (!(m->requests & MACHINE_END)) {
		if (m->requests & MACHINE_CALL)
			do_call(m);
		else if (m->requests & MACHINE_RESET)
			restart(m);
		else if (m->state == MACHINE_STOPPED)
			pthread_cond_wait(&m->changed, &m->lock);
		else
			run_guest(m);
	}
	if (m->requests & MACHINE_CALL)
		do_call(m);
	loop_wake(&m->loop);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}
