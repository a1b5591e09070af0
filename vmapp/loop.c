// SPDX-License-Identifier: GPL-2.0-only
#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NSEC_PER_SEC	1000000000ull

static u64 read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

u64 loop_monotonic(void *unused)
{
	(void)unused;
	return read_clock(CLOCK_MONOTONIC);
}

u64 loop_realtime(void *unused)
{
	(void)unused;
	return read_clock(CLOCK_REALTIME);
}

/* ---- watches ----------------------------------------------------------------- */

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;
	pthread_mutex_t *lock = w->loop->lock;	/* the callback may free the watch */

	(void)fd;
	(void)what;
	pthread_mutex_lock(lock);
	w->ready(w->arg);
	pthread_mutex_unlock(lock);
}

int loop_watch_init(struct loop_watch *w, struct loop *l, int fd, short what,
		    void (*ready)(void *arg), void *arg)
{
	*w = (struct loop_watch){ .loop = l, .ready = ready, .arg = arg };
	w->ev = event_new(l->base, fd, (short)(what | EV_PERSIST), on_event, w);
	return w->ev ? 0 : -1;
}

void loop_watch_enable(struct loop_watch *w, bool on)
{
	if (!w->ev || w->enabled == on)
		return;
	if (on)
		event_add(w->ev, NULL);
	else
		event_del(w->ev);
	w->enabled = on;
}

void loop_watch_free(struct loop_watch *w)
{
	if (w->ev)
		event_free(w->ev);
	memset(w, 0, sizeof(*w));
}

bool loop_can_watch(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	bool can;

	can = ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	if (ep >= 0)
		close(ep);
	return can;
}

/* ---- timers -------------------------------------------------------------------- */

static void arm(struct dev_timer *timer, u64 when)
{
	struct loop_timer *t = (struct loop_timer *)timer;
	struct itimerspec its = { 0 };

	if (t->when == when)
		return;
	t->when = when;
	if (when != DEV_NEVER) {
		its.it_value.tv_sec = (time_t)(when / NSEC_PER_SEC);
		its.it_value.tv_nsec = (long)(when % NSEC_PER_SEC);
		if (!when)	/* zero would disarm it */
			its.it_value.tv_nsec = 1;
	}
	timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void on_timer(void *arg)
{
	struct loop_timer *t = arg;
	u64 count;

	/* Nothing to read: it was set again after it had expired. */
	if (read(t->fd, &count, sizeof(count)) != sizeof(count))
		return;
	t->when = DEV_NEVER;
	t->timer.expired(t->timer.dev);
}

int loop_timer_init(struct loop_timer *t, struct loop *l, clockid_t clock, struct error *err)
{
	_Static_assert(offsetof(struct loop_timer, timer) == 0, "arm() relies on it");
	t->timer.arm = arm;
	t->when = DEV_NEVER;
	t->fd = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->fd < 0)
		return error_set(err, "cannot make a timer: %s; raise the limit of open files (ulimit -n)",
				 strerror(errno));
	if (loop_watch_init(&t->watch, l, t->fd, EV_READ, on_timer, t))
		return error_set(err, "out of memory");
	loop_watch_enable(&t->watch, true);
	return 0;
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t->watch.ev)
		return;
	loop_watch_free(&t->watch);
	close(t->fd);
}

/* ---- the loop -------------------------------------------------------------------- */

static void on_wake_fd(void *arg)
{
	struct loop *l = arg;
	u64 count;

	if (read(l->wake_fd, &count, sizeof(count)) != sizeof(count))
		return;
	l->woken = false;
	l->on_wake(l->arg);
}

int loop_init(struct loop *l, pthread_mutex_t *lock, void (*on_wake)(void *arg), void *arg,
	      struct error *err)
{
	*l = (struct loop){ .lock = lock, .on_wake = on_wake, .arg = arg };
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->base = event_base_new();
	if (l->wake_fd < 0 || !l->base ||
	    loop_watch_init(&l->wake, l, l->wake_fd, EV_READ, on_wake_fd, l))
		return error_set(err, "cannot make an event loop: %s; raise the limit of open files (ulimit -n)",
				 strerror(errno));
	loop_watch_enable(&l->wake, true);
	return 0;
}

void loop_destroy(struct loop *l)
{
	loop_watch_free(&l->wake);
	if (l->base) {
		event_base_free(l->base);
		close(l->wake_fd);
	}
	l->base = NULL;
}

void loop_run(struct loop *l)
{
	event_base_dispatch(l->base);
}

void loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

void loop_wake(struct loop *l)
{
	const u64 one = 1;

	if (l->woken)
		return;
	l->woken = write(l->wake_fd, &one, sizeof(one)) == sizeof(one);
}
