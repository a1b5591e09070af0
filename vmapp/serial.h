/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A serial port and where it leads. All output goes through a ring of the last
 * 64 KiB; everyone who listens (the back end, attached consoles) has a place in
 * it. stdio and files hold the guest's transmitter up when they are behind by
 * a ring's length, so nothing is lost; others skip what they missed.
 *
 * Output is written in batches, a few milliseconds after a batch's first byte.
 */
#ifndef VMAPP_SERIAL_H
#define VMAPP_SERIAL_H

#include "dev/ns16550.h"
#include "error.h"
#include "loop.h"
#include "vmx.h"

#define SERIAL_PORTS	2
#define SERIAL_RING	65536u
#define SERIAL_INPUT	4096u

enum serial_type { SERIAL_NONE, SERIAL_STDIO, SERIAL_PTY, SERIAL_PIPE, SERIAL_FILE };

struct serial;

/* One who listens, and may talk. Allocated; on the port's list. */
struct serial_sink {
	struct serial_sink *next;
	struct serial *port;
	int in, out;			/* -1: none; may be the same */
	u64 pos;			/* of the stream: what was written to out */
	bool lossless;
	bool escapes;			/* Ctrl-A is ours, as on a terminal */
	bool escaped;			/* it was the last byte */
	bool attached;			/* a client: it goes when its connection does */
	struct loop_watch readable, writable;
};

struct serial {
	struct ns16550 uart;
	enum serial_type type;
	char path[256];			/* pipe, file; of a pty its name */
	u8 ring[SERIAL_RING];
	u64 head;			/* bytes the guest has sent in all */
	u8 input[SERIAL_INPUT];
	u32 input_head, input_len;
	bool throttled;			/* a sink's input waits for room */
	bool blocked;			/* the UART waits for room */
	struct serial_sink *sinks;
	struct serial_sink *client;	/* of a pipe: one at a time */
	u64 unseen;			/* of a pipe: where its next client starts */
	int listen_fd, pty_slave;	/* -1: none */
	int pull_fd;			/* standard input that cannot be waited for: -1: none */
	struct loop *loop;
	struct loop_watch accept;
	struct loop_timer flush;
	struct dev_signal quit;		/* Ctrl-A x */
};

/**
 * serial_open() - set up port @n (0 is COM1) as the configuration says
 *
 * irq of the UART and quit are the caller's to set before. A terminal on
 * standard input becomes raw at serial_start(). Not present: nothing is done.
 * serial_close() after either outcome.
 */
int serial_open(struct serial *s, unsigned int n, const struct vmx *config, struct loop *loop,
		struct error *err);

/* Take input from now on, and switch the terminal. */
void serial_start(struct serial *s);

/* Write what is left (a reader who does not read has 5 s) and let go. */
void serial_close(struct serial *s);

/* From the loop's wake: room for input, or a batch that should not wait. */
void serial_wake(struct serial *s);

/**
 * serial_attach() - give a connection the port's stream, both ways
 * @fd: non-blocking; the port's from now on
 * @typed: what it has sent already
 */
int serial_attach(struct serial *s, int fd, const void *typed, size_t len);

/* "stdio", "pty", ... */
const char *serial_type_name(const struct serial *s);

/* The terminal as it was before serial_start(); safe in a signal handler. */
void serial_restore_terminal(void);

#endif
