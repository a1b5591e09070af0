/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: a thin layer over libevent that holds the device lock while
 * a callback runs. libevent's objects belong to the thread that runs the loop;
 * other threads may only set a timer and wake the loop, with the lock held.
 */
#ifndef VMAPP_LOOP_H
#define VMAPP_LOOP_H

#include <event2/event.h>
#include <pthread.h>
#include <time.h>

#include "dev/dev.h"
#include "error.h"

struct loop;

/* One file descriptor, waited for in one direction. All zero: not in use. */
struct loop_watch {
	struct loop *loop;
	struct event *ev;
	void (*ready)(void *arg);
	void *arg;
	bool enabled;
};

struct loop_timer {
	struct dev_timer timer;	/* what devices see */
	struct loop_watch watch;
	int fd;
	u64 when;		/* as armed */
};

struct loop {
	struct event_base *base;
	pthread_mutex_t *lock;
	int wake_fd;
	bool woken;		/* wake_fd was written and not yet read */
	void (*on_wake)(void *arg);
	void *arg;
	struct loop_watch wake;
};

/**
 * loop_init() - make a loop
 * @lock: the device lock
 * @on_wake: called on the loop's thread after loop_wake(), once for several
 */
int loop_init(struct loop *l, pthread_mutex_t *lock, void (*on_wake)(void *arg), void *arg,
	      struct error *err);
void loop_destroy(struct loop *l);

/* Returns after loop_stop(). The caller does not hold the lock. */
void loop_run(struct loop *l);
/* From a callback. */
void loop_stop(struct loop *l);
/* From any thread that holds the lock. */
void loop_wake(struct loop *l);

/* Whether @fd can be waited for at all: files and some devices cannot. */
bool loop_can_watch(int fd);

/* @what is EV_READ, EV_WRITE, or EV_SIGNAL with a signal for @fd. Not yet enabled. */
int loop_watch_init(struct loop_watch *w, struct loop *l, int fd, short what,
		    void (*ready)(void *arg), void *arg);
void loop_watch_enable(struct loop_watch *w, bool on);
void loop_watch_free(struct loop_watch *w);	/* the descriptor stays open */

/* @timer.expired and @timer.dev are the caller's to set before. */
int loop_timer_init(struct loop_timer *t, struct loop *l, clockid_t clock, struct error *err);
void loop_timer_free(struct loop_timer *t);

/* ns of CLOCK_MONOTONIC and CLOCK_REALTIME, for struct dev_clock. */
u64 loop_monotonic(void *unused);
u64 loop_realtime(void *unused);

#endif
