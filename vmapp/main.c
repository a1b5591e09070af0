// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmapp: one process, one VM. Options, the order in which things are set up
 * and taken down, and what the process says and returns at its end.
 */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"
#include "machine.h"
#include "stats.h"

#define EXIT_ENDED	0	/* powered off, told to quit, or rebooted with --no-reboot */
#define EXIT_BAD	1	/* the arguments, the configuration, the environment */
#define EXIT_STOPPED	3	/* the guest could not go on */

struct options {
	const char *file;
	int ready_fd;		/* -1: nobody waits */
	bool no_reboot;
};

/* Signals that end us in good order. */
static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

struct app {
	struct options opt;
	struct vmx config;
	struct machine machine;
	struct control control;
	struct stats stats;
	struct end_signal {
		struct app *app;
		int number;
		struct loop_watch watch;
	} signals[WS_ARRAY_SIZE(end_signals)];
	int signal;		/* the one that came, or 0 */
};

static void print_usage(FILE *f)
{
	fputs("usage: vmapp [-f FILE.vmx] [KEY=VALUE]... [--ready-fd N] [--no-reboot]\n"
	      "       vmapp --keys | --version | --help\n"
	      "\n"
	      "Runs one VM. KEY=VALUE is a key of FILE.vmx and goes before it.\n"
	      "  --ready-fd N  write \"ok NAME\" or \"error TEXT\" there when it is known, and\n"
	      "                keep a VM that stopped for a reason until it is told to quit\n"
	      "  --no-reboot   a reboot of the guest ends vmapp\n"
	      "  --keys        list the keys\n"
	      "On a terminal Ctrl-A x ends the VM; Ctrl-A Ctrl-A types Ctrl-A.\n"
	      "Exit status: 0 powered off, 1 error, 3 the guest stopped for a reason.\n", f);
}

/* -1: go on; else the exit status. */
static int parse_options(struct app *app, int argc, char **argv, struct error *err)
{
	enum { OPT_READY_FD = 256, OPT_NO_REBOOT, OPT_KEYS, OPT_VERSION, OPT_HELP };
	static const struct option options[] = {
		{ "ready-fd", required_argument, NULL, OPT_READY_FD },
		{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
		{ "keys", no_argument, NULL, OPT_KEYS },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ "help", no_argument, NULL, OPT_HELP },
		{ }
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "f:h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			app->opt.file = optarg;
			break;
		case OPT_READY_FD:
			app->opt.ready_fd = (int)strtol(optarg, &end, 10);
			if (!*optarg || *end || app->opt.ready_fd < 0) {
				error_set(err, "--ready-fd %s is not a file descriptor", optarg);
				app->opt.ready_fd = -1;
				return EXIT_BAD;
			}
			break;
		case OPT_NO_REBOOT:
			app->opt.no_reboot = true;
			break;
		case OPT_KEYS:
			vmx_print_keys(stdout);
			exit(0);
		case OPT_VERSION:
			puts("vmapp " WS_VERSION);
			exit(0);
		case 'h':
		case OPT_HELP:
			print_usage(stdout);
			exit(0);
		default:
			error_set(err, "vmapp --help shows the usage");
			return EXIT_BAD;
		}
	}
	return -1;
}

/* The file, then what goes before it. */
static int read_config(struct app *app, char **assignments, struct error *err)
{
	char unknown[400];
	size_t n;

	if (app->opt.file && vmx_load(&app->config, app->opt.file, err))
		return -1;
	for (; *assignments; assignments++)
		if (vmx_override(&app->config, *assignments, err))
			return -1;
	if (app->opt.no_reboot && vmx_override(&app->config, "worldswitch.reboot=exit", err))
		return -1;
	if (vmx_check(&app->config, err))
		return -1;
	n = vmx_unknown(&app->config, unknown, sizeof(unknown));
	if (n)
		fprintf(stderr, "vmapp: warning: %zu unknown %s kept without effect: %s\n", n,
			n == 1 ? "key is" : "keys are", unknown);
	return 0;
}

/* displayName, else the file's name, else one of our own. */
static int choose_name(struct app *app, struct error *err)
{
	const char *name = vmx_str(&app->config, "displayName");
	char *buf = app->machine.name;
	char own[32];
	size_t len;

	if (!*name && app->opt.file) {
		name = strrchr(app->opt.file, '/');
		name = name ? name + 1 : app->opt.file;
	} else if (!*name) {
		snprintf(own, sizeof(own), "vm-%d", (int)getpid());
		name = own;
	}
	len = strlen(name);
	if (len > 4 && !strcmp(name + len - 4, ".vmx") && name != vmx_str(&app->config, "displayName"))
		len -= 4;
	if (!len || len >= VMDRV_NAME_MAX || *name == '.')
		return error_set(err, "\"%s\" cannot be a VM's name: 1 to %d characters, no dot first; set displayName",
				 name, VMDRV_NAME_MAX - 1);
	for (size_t i = 0; i < len; i++)
		if (name[i] == '/' || (unsigned char)name[i] < ' ' || (unsigned char)name[i] > '~')
			return error_set(err, "\"%s\" cannot be a VM's name: only printable ASCII without '/'; set displayName",
					 name);
	memcpy(buf, name, len);
	buf[len] = '\0';
	return 0;
}

static void on_end_signal(void *arg)
{
	struct end_signal *s = arg;

	s->app->signal = s->number;
	machine_request(&s->app->machine, MACHINE_END);
}

static int watch_signals(struct app *app, struct error *err)
{
	struct loop *loop = &app->machine.loop;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < WS_ARRAY_SIZE(end_signals); i++) {
		struct end_signal *s = &app->signals[i];

		*s = (struct end_signal){ .app = app, .number = end_signals[i] };
		if (loop_watch_init(&s->watch, loop, s->number, EV_SIGNAL, on_end_signal, s))
			return error_set(err, "out of memory");
		loop_watch_enable(&s->watch, true);
	}
	return 0;
}

/* A crash must not leave the terminal raw. */
static void on_crash(int sig)
{
	serial_restore_terminal();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void say_ready(const struct app *app, const struct error *err)
{
	if (app->opt.ready_fd < 0)
		return;
	if (err)
		dprintf(app->opt.ready_fd, "error %s\n", err->text);
	else
		dprintf(app->opt.ready_fd, "ok %s\n", app->machine.name);
	close(app->opt.ready_fd);
}

/*
 * Everything up to the guest's first instruction. The order is: what the user
 * wrote, the name, the VM; then give up rights; then the threads. The device
 * lock is held throughout, so that the vCPU's thread waits at its start.
 */
static int set_up(struct app *app, char **assignments, struct error *err)
{
	struct machine *m = &app->machine;

	if (read_config(app, assignments, err) || choose_name(app, err) ||
	    control_open(&app->control, m->name, err) || machine_create(m, err) ||
	    watch_signals(app, err) || control_start(&app->control, m, err))
		return -1;
	if (vmx_bool(&app->config, "worldswitch.stats"))
		stats_open(&app->stats, m->id);
	if (confine_capabilities(err))
		return -1;
	pthread_mutex_lock(&m->lock);
	if (machine_start(m, err))
		goto unlock;
	if (vmx_bool(&app->config, "worldswitch.confine") && confine_system_calls(err))
		goto stop;
	say_ready(app, NULL);
	pthread_mutex_unlock(&m->lock);
	return 0;
stop:
	machine_request(m, MACHINE_END);
	pthread_mutex_unlock(&m->lock);
	pthread_join(m->vcpu_thread, NULL);
	return -1;
unlock:
	pthread_mutex_unlock(&m->lock);
	return -1;
}

static void take_down(struct app *app)
{
	control_close(&app->control);
	for (size_t i = 0; i < WS_ARRAY_SIZE(app->signals); i++)
		loop_watch_free(&app->signals[i].watch);
	machine_destroy(&app->machine);
	stats_close(&app->stats);
	vmx_free(&app->config);
}

int main(int argc, char **argv)
{
	static struct app app = { .opt.ready_fd = -1, .control.fd = -1 };
	struct error err = { "" };
	int status = EXIT_ENDED;

	mallopt(M_ARENA_MAX, 1);	/* two threads do not need an arena each */
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	signal(SIGABRT, on_crash);

	machine_init(&app.machine, &app.config);
	if (parse_options(&app, argc, argv, &err) >= 0)
		goto fail;
	app.machine.stay = app.opt.ready_fd >= 0;
	if (set_up(&app, argv + optind, &err))
		goto fail;

	machine_loop(&app.machine);
	if (app.stats.n) {
		/* After the guest's last words, on a terminal that is itself again. */
		for (unsigned int i = 0; i < SERIAL_PORTS; i++)
			serial_close(&app.machine.serial[i]);
		serial_restore_terminal();
		stats_print(&app.stats, stderr);
	}
	if (app.machine.state == MACHINE_STOPPED)
		status = EXIT_STOPPED;
	take_down(&app);
	if (status == EXIT_STOPPED && !app.machine.stay)
		fprintf(stderr, "vmapp: %s stopped: %s\n", app.machine.name, app.machine.reason);
	if (app.signal)
		return 128 + app.signal;
	return status;

fail:
	take_down(&app);
	say_ready(&app, &err);
	fprintf(stderr, "vmapp: %s\n", err.text);
	return EXIT_BAD;
}
