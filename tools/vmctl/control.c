// SPDX-License-Identifier: GPL-2.0-only
/* vmctl stop, kill, reset, nmi: the buttons of a PC, and its plug. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "vmctl.h"

/* How long a vmapp may take to end after "quit", in ms, before SIGKILL. */
#define QUIT_TIMEOUT_MS	2000

/* True when the process behind @pidfd is gone within @timeout_ms. */
static bool wait_gone(int pidfd, int timeout_ms)
{
	int64_t deadline = vmctl_now_ms() + timeout_ms;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	for (;;) {
		int64_t left = deadline - vmctl_now_ms();
		int n = poll(&p, 1, left > 0 ? left : 0);

		if (n > 0)
			return true;
		if (!n && left <= 0)
			return false;
	}
}

/* Done: takes a dead VM's socket away, which SIGKILL left behind. */
static int ended(struct client *c, const char *how)
{
	const char *dir = client_dir(NULL);
	struct client again;

	if (dir && !client_connect(&again, dir, c->name))
		client_close(&again);
	vmctl_puts(c->name);
	printf(": %s\n", how);
	return VMCTL_OK;
}

/* Ask vmapp to end at once; if it does not, let the kernel end it. */
static int end_by_force(struct client *c, const char *command, int pidfd)
{
	client_send(c, "quit");
	if (wait_gone(pidfd, QUIT_TIMEOUT_MS))
		return ended(c, "ended by force (quit)");
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) && errno != ESRCH)
		return vmctl_fail(command, "ask as its owner or as root",
				  "process %d cannot be killed: %m", (int)c->pid);
	if (wait_gone(pidfd, QUIT_TIMEOUT_MS))
		return ended(c, "ended by force (SIGKILL)");
	return vmctl_fail(command, "see the kernel's log", "process %d survives SIGKILL",
			  (int)c->pid);
}

/*
 * A handle on the VM's process, or -1 with @status the command's exit status.
 * As long as the connection has not been closed from over there, the pid is
 * still that of the process we are connected to, and from then on the handle
 * cannot come to mean another one.
 */
static int open_process(struct client *c, const char *command, int *status)
{
	struct pollfd p = { .fd = c->fd };
	int pidfd = pidfd_open(c->pid, 0);

	if (poll(&p, 1, 0) > 0 || (pidfd < 0 && errno == ESRCH)) {
		*status = ended(c, "ended by itself");
		if (pidfd >= 0)
			close(pidfd);
		return -1;
	}
	if (pidfd < 0)
		*status = vmctl_fail(command, "ask in the namespace where it runs",
				     "process %d of '%s' cannot be watched: %m", (int)c->pid,
				     c->name);
	return pidfd;
}

static int stop_vm(struct client *c, const char *command, int timeout_ms, bool force)
{
	int pidfd, status;
	json_t *info;

	pidfd = open_process(c, command, &status);
	if (pidfd < 0)
		return status;

	/* A guest that has been stopped looks at no button. */
	info = client_info(c, NULL);
	if (info && strcmp(client_string(info, "state"), "stopped")) {
		json_decref(client_request(c, NULL, "powerdown"));
		if (wait_gone(pidfd, timeout_ms)) {
			status = ended(c, "powered off");
			goto out;
		}
	}
	if (force)
		status = end_by_force(c, command, pidfd);
	else
		status = vmctl_fail(command, "shut it down from inside, or 'vmctl kill' it",
				    "'%s' did not react to the power button in %g s", c->name,
				    timeout_ms / 1000.0);
out:
	json_decref(info);
	close(pidfd);
	return status;
}

int cmd_stop(int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "no-force", no_argument, NULL, 'n' },
		{ }
	};
	int timeout_ms = 30000;
	bool force = true;
	struct client c;
	int opt, err;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		switch (opt) {
		case 't':
			timeout_ms = vmctl_seconds(argv[0], "--timeout", optarg);
			if (timeout_ms < 0)
				return VMCTL_USAGE;
			break;
		case 'n':
			force = false;
			break;
		default:
			return VMCTL_USAGE;
		}
	}
	err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	err = stop_vm(&c, argv[0], timeout_ms, force);
	client_close(&c);
	return err;
}

/* Options (none) and the one operand of the commands below. */
static int open_named(int argc, char **argv, struct client *c)
{
	static const struct option none[] = { { } };
	int err;

	if (vmctl_getopt(argc, argv, none) != -1)
		return VMCTL_USAGE;
	err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	return err ? err : client_open(c, argv[0], argv[optind]);
}

int cmd_kill(int argc, char **argv)
{
	struct client c;
	int pidfd, err;

	err = open_named(argc, argv, &c);
	if (err)
		return err;
	pidfd = open_process(&c, argv[0], &err);
	if (pidfd >= 0) {
		err = end_by_force(&c, argv[0], pidfd);
		close(pidfd);
	}
	client_close(&c);
	return err;
}

static int press(int argc, char **argv, const char *cmd)
{
	struct client c;
	json_t *answer;
	int err;

	err = open_named(argc, argv, &c);
	if (err)
		return err;
	answer = client_request(&c, argv[0], cmd);
	client_close(&c);
	if (!answer)
		return VMCTL_FAILED;
	json_decref(answer);
	return VMCTL_OK;
}

int cmd_reset(int argc, char **argv)
{
	return press(argc, argv, "reset");
}

int cmd_nmi(int argc, char **argv)
{
	return press(argc, argv, "nmi");
}
