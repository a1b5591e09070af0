// SPDX-License-Identifier: GPL-2.0-only
/* vmctl console: a terminal on the VM's first serial port. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "vmctl.h"

#define KEY_LEAVE	0x1d	/* Ctrl-] */

/**
 * struct session - a console from connecting to leaving
 * @c: the VM; the connection is a raw stream of bytes
 * @sigfd: tells of signals that end vmctl, so that the terminal is restored
 * @tty: standard input is a terminal, and @saved is how it was
 * @eof: standard input has ended: only output is copied
 * @out: typed and not yet taken by the VM, @used bytes
 */
struct session {
	struct client c;
	int sigfd;
	bool tty;
	bool eof;
	bool leave;
	struct termios saved;
	char out[1024];
	size_t used;
};

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Every key goes to the guest as it is, Ctrl-C too; output is not touched. */
static void terminal_raw(struct session *s)
{
	struct termios raw;

	s->tty = !tcgetattr(STDIN_FILENO, &s->saved);
	if (!s->tty)
		return;
	raw = s->saved;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fprintf(stderr, "[%s: Ctrl-] leaves]\r\n", s->c.name);
}

static void terminal_restore(struct session *s)
{
	if (s->tty)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->saved);
}

static bool write_stdout(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

static void read_keys(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->out, sizeof(s->out));
	char *key;

	if (n <= 0) {
		/* A terminal that ended is gone; a file that ended was all. */
		s->eof = true;
		s->leave = s->tty;
		return;
	}
	s->used = n;
	key = s->tty ? memchr(s->out, KEY_LEAVE, n) : NULL;
	if (key) {
		s->used = key - s->out;
		s->leave = true;
	}
}

static void send_keys(struct session *s)
{
	ssize_t n = send(s->c.fd, s->out, s->used, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n <= 0)
		return;
	s->used -= n;
	memmove(s->out, s->out + n, s->used);
}

/* Copy what the VM sent. Returns false when it will send no more. */
static bool copy_output(struct session *s)
{
	char buf[8192];
	ssize_t n = recv(s->c.fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n && write_stdout(buf, n);
}

/* Returns 0 when the user left or the VM ended, or the number of a signal. */
static int copy_both_ways(struct session *s)
{
	struct signalfd_siginfo info;

	while (!s->leave || s->used) {
		struct pollfd p[] = {
			{ .fd = s->c.fd, .events = POLLIN | (s->used ? POLLOUT : 0) },
			{ .fd = s->eof || s->used ? -1 : STDIN_FILENO, .events = POLLIN },
			{ .fd = s->sigfd, .events = POLLIN },
		};

		if (poll(p, VMCTL_ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[2].revents && read(s->sigfd, &info, sizeof(info)) == sizeof(info))
			return info.ssi_signo;
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR) && !copy_output(s))
			return 0;
		if (p[0].revents & POLLOUT)
			send_keys(s);
		if (p[1].revents)
			read_keys(s);
	}
	return 0;
}

int cmd_console(int argc, char **argv)
{
	static const struct option none[] = { { } };
	struct session s = { };
	json_t *answer;
	int err, sig;

	if (vmctl_getopt(argc, argv, none) != -1)
		return VMCTL_USAGE;
	err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	if (!err)
		err = client_open(&s.c, argv[0], argv[optind]);
	if (err)
		return err;
	answer = client_request(&s.c, argv[0], "console");
	if (!answer) {
		client_close(&s.c);
		return VMCTL_FAILED;
	}
	json_decref(answer);

	s.sigfd = catch_signals();
	terminal_raw(&s);
	sig = 0;
	if (write_stdout(s.c.buf, s.c.used))
		sig = copy_both_ways(&s);
	terminal_restore(&s);
	if (s.tty)
		fprintf(stderr, "\n[%s: %s]\n", s.c.name, s.leave ? "left" : "connection closed");
	close(s.sigfd);
	client_close(&s.c);
	return sig ? 128 + sig : VMCTL_OK;
}
