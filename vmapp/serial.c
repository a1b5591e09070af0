// SPDX-License-Identifier: GPL-2.0-only
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "usock.h"

#define BATCH_NS	4000000ull	/* a batch waits this long for more */
#define CLOSE_WAIT_MS	5000
#define KEY_ESCAPE	0x01		/* Ctrl-A */

static const char *const type_names[] = {
	[SERIAL_NONE] = "none", [SERIAL_STDIO] = "stdio", [SERIAL_PTY] = "pty",
	[SERIAL_PIPE] = "pipe", [SERIAL_FILE] = "file",
};

/* There is one terminal: the process's. */
static struct termios saved_termios;
static volatile bool terminal_is_raw;

/* In a raw terminal a line feed does not go back to the first column. */
static const char *newline(void)
{
	return terminal_is_raw ? "\r\n" : "\n";
}

const char *serial_type_name(const struct serial *s)
{
	return type_names[s->type];
}

/* ---- output ---------------------------------------------------------------- */

/* How far the slowest of those who must not lose anything is behind. */
static u64 backlog(const struct serial *s)
{
	u64 most = 0;

	for (const struct serial_sink *k = s->sinks; k; k = k->next)
		if (k->lossless && k->out >= 0 && s->head - k->pos > most)
			most = s->head - k->pos;
	return most;
}

/* The guest sends a byte: on the vCPU's thread. */
static bool line_send(void *ctx, u8 byte)
{
	struct serial *s = ctx;
	u64 behind;

	s->ring[s->head++ % SERIAL_RING] = byte;
	if (s->flush.when == DEV_NEVER)
		s->flush.timer.arm(&s->flush.timer, loop_monotonic(NULL) + BATCH_NS);
	behind = backlog(s);
	if (behind == SERIAL_RING / 2)
		loop_wake(s->loop);
	s->blocked = behind > SERIAL_RING - NS16550_FIFO;
	return !s->blocked;
}

/* A client that went away, or that we have no more use for. */
static void drop_sink(struct serial_sink *k)
{
	struct serial *s = k->port;
	struct serial_sink **p;

	for (p = &s->sinks; *p != k; p = &(*p)->next)
		;
	*p = k->next;
	if (s->client == k) {
		s->client = NULL;
		s->unseen = k->pos;
		loop_watch_enable(&s->accept, true);
	}
	loop_watch_free(&k->readable);
	loop_watch_free(&k->writable);
	if (k->in > STDERR_FILENO)
		close(k->in);
	if (k->out > STDERR_FILENO && k->out != k->in)
		close(k->out);
	free(k);
}

/* Write what there is. Returns false if the sink is gone. */
static bool write_sink(struct serial_sink *k)
{
	struct serial *s = k->port;

	if (k->out < 0)
		return true;
	if (s->head - k->pos > SERIAL_RING)
		k->pos = s->head - SERIAL_RING;
	while (k->pos != s->head) {
		size_t at = k->pos % SERIAL_RING, len = SERIAL_RING - at;
		ssize_t n;

		if (len > s->head - k->pos)
			len = s->head - k->pos;
		n = write(k->out, s->ring + at, len);
		if (n > 0) {
			k->pos += (u64)n;
		} else if (n < 0 && errno == EAGAIN) {
			break;
		} else if (n < 0 && errno != EINTR) {
			if (k->attached) {
				drop_sink(k);
				return false;
			}
			fprintf(stderr, "vmapp: serial output is lost from here on: %s%s",
				strerror(errno), newline());
			loop_watch_enable(&k->writable, false);
			k->out = -1;	/* whoever read it does no more: no reason to stop */
			return true;
		}
	}
	loop_watch_enable(&k->writable, k->pos != s->head);
	return true;
}

static void flush(struct serial *s)
{
	struct serial_sink *k, *next;

	for (k = s->sinks; k; k = next) {
		next = k->next;
		write_sink(k);
	}
	if (s->blocked && backlog(s) <= SERIAL_RING / 2) {
		s->blocked = false;
		ns16550_output_ready(&s->uart);
	}
}

static void on_flush(void *dev)
{
	flush(dev);
}

static void on_writable(void *arg)
{
	struct serial_sink *k = arg;

	flush(k->port);
}

/* ---- input ------------------------------------------------------------------- */

/* The UART asks for bytes: on either thread. */
static unsigned int line_receive(void *ctx, u8 *buf, unsigned int len)
{
	struct serial *s = ctx;
	unsigned int n = 0;

	if (!s->input_len && s->pull_fd >= 0) {
		ssize_t got = read(s->pull_fd, s->input, sizeof(s->input));

		s->input_head = 0;
		s->input_len = got > 0 ? (u32)got : 0;
		if (got <= 0)
			s->pull_fd = -1;
	}
	while (n < len && s->input_len) {
		buf[n++] = s->input[s->input_head];
		s->input_head = (s->input_head + 1) % SERIAL_INPUT;
		s->input_len--;
	}
	if (s->throttled && s->input_len < SERIAL_INPUT / 2)
		loop_wake(s->loop);
	return n;
}

static void put_input(struct serial *s, u8 byte)
{
	s->input[(s->input_head + s->input_len++) % SERIAL_INPUT] = byte;
}

/* Ctrl-A x leaves, Ctrl-A Ctrl-A is one Ctrl-A, Ctrl-A and another key both. */
static void type_byte(struct serial_sink *k, u8 byte)
{
	struct serial *s = k->port;

	if (k->escapes && !k->escaped && byte == KEY_ESCAPE) {
		k->escaped = true;
		return;
	}
	if (k->escaped) {
		k->escaped = false;
		if (byte == 'x' || byte == 'X') {
			dev_signal_raise(&s->quit);
			return;
		}
		if (byte != KEY_ESCAPE)
			put_input(s, KEY_ESCAPE);
	}
	put_input(s, byte);
}

static void on_readable(void *arg)
{
	struct serial_sink *k = arg;
	struct serial *s = k->port;
	u8 buf[SERIAL_INPUT];
	u32 room = SERIAL_INPUT - s->input_len;
	ssize_t n;

	if (room < 2) {		/* a byte may become two, see above */
		loop_watch_enable(&k->readable, false);
		s->throttled = true;
		return;
	}
	n = read(k->in, buf, room / 2);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_watch_enable(&k->readable, false);
		if (k->attached)
			drop_sink(k);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		type_byte(k, buf[i]);
	ns16550_input(&s->uart);
}

void serial_wake(struct serial *s)
{
	if (!s->loop)
		return;
	if (s->throttled && s->input_len < SERIAL_INPUT / 2) {
		s->throttled = false;
		for (struct serial_sink *k = s->sinks; k; k = k->next)
			loop_watch_enable(&k->readable, true);
	}
	if (backlog(s) >= SERIAL_RING / 2)
		flush(s);
}

/* ---- who listens ------------------------------------------------------------- */

/* Owns the descriptors only if it returns a sink. */
static struct serial_sink *add_sink(struct serial *s, int in, int out, u64 pos)
{
	struct serial_sink *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	*k = (struct serial_sink){ .next = s->sinks, .port = s, .in = in, .out = out, .pos = pos };
	if ((in >= 0 && loop_watch_init(&k->readable, s->loop, in, EV_READ, on_readable, k)) ||
	    (out >= 0 && loop_watch_init(&k->writable, s->loop, out, EV_WRITE, on_writable, k))) {
		loop_watch_free(&k->readable);
		free(k);
		return NULL;
	}
	s->sinks = k;
	return k;
}

static struct serial_sink *attach(struct serial *s, int fd, u64 pos)
{
	struct serial_sink *k = add_sink(s, fd, fd, pos);

	if (!k)
		return NULL;
	k->attached = true;
	loop_watch_enable(&k->readable, true);
	return k;
}

int serial_attach(struct serial *s, int fd, const void *typed, size_t len)
{
	const u8 *bytes = typed;
	u64 replay = s->head < SERIAL_RING ? s->head : SERIAL_RING;
	struct serial_sink *k = attach(s, fd, s->head - replay);

	if (!k)
		return -1;
	while (len-- && s->input_len < SERIAL_INPUT)
		put_input(s, *bytes++);
	ns16550_input(&s->uart);
	write_sink(k);
	return 0;
}

static void on_connection(void *arg)
{
	struct serial *s = arg;
	int fd = usock_accept(s->listen_fd);

	if (fd < 0)
		return;
	s->client = attach(s, fd, s->unseen);
	if (!s->client) {
		close(fd);
		return;
	}
	loop_watch_enable(&s->accept, false);	/* until this one has gone */
	write_sink(s->client);
}

/* ---- back ends --------------------------------------------------------------- */

/*
 * Standard output without blocking: our own opening of it, so that the flag is
 * not set for everybody who shares it. What cannot be opened (a socket,
 * another user's terminal) is used as it is.
 */
static int open_stdout(void)
{
	struct stat st;
	int fd = -1;

	if (!fstat(STDOUT_FILENO, &st) && (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO)))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int open_stdio(struct serial *s, struct error *err)
{
	bool can_wait = loop_can_watch(STDIN_FILENO);
	struct serial_sink *k;
	int out = open_stdout();

	if (out < 0)
		return error_set(err, "standard output is not open; use serial0.fileType = \"none\"");
	k = add_sink(s, can_wait ? STDIN_FILENO : -1, out, 0);
	if (!k) {
		close(out);
		return error_set(err, "out of memory");
	}
	k->lossless = true;
	k->escapes = isatty(STDIN_FILENO);
	if (!can_wait)
		s->pull_fd = STDIN_FILENO;
	return 0;
}

static int open_pty(struct serial *s, struct error *err)
{
	struct termios raw;
	int master;

	cfmakeraw(memset(&raw, 0, sizeof(raw)));
	raw.c_cflag |= CREAD | CLOCAL;
	/* The slave stays open here: a master without one is always "readable". */
	if (openpty(&master, &s->pty_slave, s->path, &raw, NULL))
		return error_set(err, "cannot make a pseudo terminal: %s", strerror(errno));
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(master, F_SETFL, O_NONBLOCK);
	fcntl(s->pty_slave, F_SETFD, FD_CLOEXEC);
	if (!add_sink(s, master, master, 0)) {
		close(master);
		return error_set(err, "out of memory");
	}
	fprintf(stderr, "vmapp: the serial port is at %s\n", s->path);
	return 0;
}

static int open_output_file(struct serial *s, struct error *err)
{
	struct serial_sink *k;
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		      0644);

	if (fd < 0)
		return error_set(err, "cannot write %s: %s; check the serial port's fileName",
				 s->path, strerror(errno));
	k = add_sink(s, -1, fd, 0);
	if (!k) {
		close(fd);
		return error_set(err, "out of memory");
	}
	k->lossless = true;
	return 0;
}

static int open_pipe(struct serial *s, struct error *err)
{
	s->listen_fd = usock_listen(s->path, err);
	if (s->listen_fd < 0)
		return -1;
	if (loop_watch_init(&s->accept, s->loop, s->listen_fd, EV_READ, on_connection, s))
		return error_set(err, "out of memory");
	loop_watch_enable(&s->accept, true);
	return 0;
}

static enum serial_type find_type(const char *name)
{
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(type_names); i++)
		if (!strcasecmp(type_names[i], name))
			return i;
	return SERIAL_NONE;
}

int serial_open(struct serial *s, unsigned int n, const struct vmx *config, struct loop *loop,
		struct error *err)
{
	char present[32], type[32], file[32];

	s->listen_fd = -1;
	s->pty_slave = -1;
	s->pull_fd = -1;
	snprintf(present, sizeof(present), "serial%u.present", n);
	snprintf(type, sizeof(type), "serial%u.fileType", n);
	snprintf(file, sizeof(file), "serial%u.fileName", n);
	if (!vmx_bool(config, present))
		return 0;

	s->type = find_type(vmx_str(config, type));
	s->uart.line = (struct ns16550_line){ line_send, line_receive, s };
	s->flush.timer.expired = on_flush;
	s->flush.timer.dev = s;
	if (loop_timer_init(&s->flush, loop, CLOCK_MONOTONIC, err))
		return -1;
	s->loop = loop;
	if (s->type == SERIAL_PIPE || s->type == SERIAL_FILE) {
		vmx_path(config, file, s->path, sizeof(s->path));
		if (!*s->path)
			return error_set(err, "%s is \"%s\": set %s to a path of at most %zu characters",
					 type, serial_type_name(s), file, sizeof(s->path) - 1);
	}
	switch (s->type) {
	case SERIAL_STDIO:
		return open_stdio(s, err);
	case SERIAL_PTY:
		return open_pty(s, err);
	case SERIAL_FILE:
		return open_output_file(s, err);
	case SERIAL_PIPE:
		return open_pipe(s, err);
	default:
		return 0;
	}
}

/* ---- the terminal, start and end ----------------------------------------------- */

void serial_restore_terminal(void)
{
	if (terminal_is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_termios);
	terminal_is_raw = false;
}

static void make_terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved_termios))
		return;
	raw = saved_termios;
	cfmakeraw(&raw);
	terminal_is_raw = true;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

void serial_start(struct serial *s)
{
	for (struct serial_sink *k = s->sinks; k; k = k->next) {
		if (k->escapes)
			make_terminal_raw();
		loop_watch_enable(&k->readable, true);
	}
}

/* What a lossless sink has not got yet, as long as its reader moves. */
static void drain(struct serial_sink *k)
{
	struct pollfd p = { .fd = k->out, .events = POLLOUT };

	while (k->out >= 0 && k->pos != k->port->head) {
		if (poll(&p, 1, CLOSE_WAIT_MS) <= 0) {
			fprintf(stderr, "vmapp: the last %llu bytes of serial output are lost: nobody reads them%s",
				(unsigned long long)(k->port->head - k->pos), newline());
			return;
		}
		write_sink(k);
	}
}

void serial_close(struct serial *s)
{
	if (!s->loop)
		return;
	flush(s);
	while (s->sinks) {
		if (s->sinks->lossless)
			drain(s->sinks);
		s->sinks->attached = false;
		drop_sink(s->sinks);
	}
	loop_watch_free(&s->accept);
	loop_timer_free(&s->flush);
	if (s->listen_fd >= 0) {
		unlink(s->path);
		close(s->listen_fd);
	}
	if (s->pty_slave >= 0)
		close(s->pty_slave);
	s->loop = NULL;
}
