// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl run: turn options into keys of a .vmx file, find vmapp, and become it,
 * or (--detach) start it apart and wait until it says that the VM runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "net.h"
#include "uapi/vmdriver.h"
#include "vmctl.h"

/* How long a detached vmapp may take until its VM runs, in ms. */
#define READY_TIMEOUT_MS	120000

/* Options that are short for one key. */
static const struct {
	const char *option;
	const char *key;
} keys[] = {
	{ "kernel", "worldswitch.kernel" },
	{ "initrd", "worldswitch.initrd" },
	{ "append", "worldswitch.append" },
	{ "mem", "memsize" },
	{ "name", "displayName" },
};

enum { OPT_SERIAL = 0x100, OPT_SET, OPT_DETACH, OPT_NO_REBOOT, OPT_NIC, OPT_DISK, OPT_CDROM };

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 0 },	/* val: index into keys[] */
	{ "initrd", required_argument, NULL, 1 },
	{ "append", required_argument, NULL, 2 },
	{ "mem", required_argument, NULL, 3 },
	{ "name", required_argument, NULL, 4 },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "nic", required_argument, NULL, OPT_NIC },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "cdrom", required_argument, NULL, OPT_CDROM },
	{ "set", required_argument, NULL, OPT_SET },
	{ "detach", no_argument, NULL, OPT_DETACH },
	{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
	{ }
};

void launch_add(struct launch *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(&l->argv[l->argc], format, args) < 0) {
		vmctl_fail(l->command, NULL, "out of memory");
		exit(VMCTL_FAILED);
	}
	va_end(args);
	l->argv[++l->argc] = NULL;
}

/* Where the first serial port leads, in the words of a .vmx file. */
static int add_serial(struct launch *l, const char *where)
{
	static const struct {
		const char *prefix;
		const char *type;
	} named[] = {
		{ "unix:", "pipe" },
		{ "file:", "file" },
	};

	l->serial = true;
	if (!strcmp(where, "stdio") || !strcmp(where, "pty") || !strcmp(where, "none")) {
		launch_add(l, "serial0.present=TRUE");
		launch_add(l, "serial0.fileType=%s", where);
		return 0;
	}
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(named); i++) {
		size_t len = strlen(named[i].prefix);

		if (strncmp(where, named[i].prefix, len) || !where[len])
			continue;
		launch_add(l, "serial0.present=TRUE");
		launch_add(l, "serial0.fileType=%s", named[i].type);
		launch_add(l, "serial0.fileName=%s", where + len);
		return 0;
	}
	return vmctl_usage("run", "--serial '%s' is not stdio, pty, unix:PATH, file:PATH or none",
			   where);
}

/* What follows the network in --nic: "mac=ADDRESS", "path=vmapp" or "path=vmm". */
static int add_nic_setting(struct launch *l, const char *setting)
{
	if (!strncmp(setting, "mac=", 4))
		launch_add(l, "ethernet%u.address=%s", l->nics, setting + 4);
	else if (!strncmp(setting, "path=", 5))
		launch_add(l, "worldswitch.ethernet%u.datapath=%s", l->nics, setting + 5);
	else
		return vmctl_usage(l->command, "--nic takes mac=ADDRESS and path=vmapp|vmm, not '%s'",
				   setting);
	return 0;
}

/* bridged=IF, hostonly=NET or NET; the first of the parts between commas. */
int launch_nic(struct launch *l, char *spec)
{
	char *settings = spec, *network, *setting;
	char found[VMNET_NAME_MAX];
	int err;

	strsep(&settings, ",");
	network = strchr(spec, '=');
	if (l->nics == VMDRV_NIC_MAX)
		return vmctl_usage(l->command, "a VM has %d NICs at most", VMDRV_NIC_MAX);
	if (!*spec || (network && !network[1]))
		return vmctl_usage(l->command, "--nic wants bridged=INTERFACE, hostonly=NETWORK or NETWORK");
	launch_add(l, "ethernet%u.present=TRUE", l->nics);
	if (network) {
		*network++ = '\0';
		err = net_find(l->command, spec, network, found);
		if (err)
			return err;
		launch_add(l, "ethernet%u.connectionType=%s", l->nics, spec);
		network = found;
	} else {
		launch_add(l, "ethernet%u.connectionType=custom", l->nics);
		network = spec;
	}
	launch_add(l, "ethernet%u.vnet=%s", l->nics, network);
	while ((setting = strsep(&settings, ","))) {
		err = add_nic_setting(l, setting);
		if (err)
			return err;
	}
	l->nics++;
	return 0;
}

static const char *const ide_places[] = { "ide0:0", "ide0:1", "ide1:0", "ide1:1" };

/* A disk gets the first place that is free; a CD-ROM drive first looks where a PC has it. */
int launch_drive(struct launch *l, const char *path, bool cdrom)
{
	static const unsigned int order[2][4] = { { 0, 1, 3, 2 }, { 2, 3, 1, 0 } };

	if (!*path && !cdrom)
		return vmctl_usage(l->command, "--disk wants an image");
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(ide_places); i++) {
		unsigned int n = order[cdrom][i];

		if (l->drives & 1u << n)
			continue;
		l->drives |= 1u << n;
		launch_add(l, "%s.present=TRUE", ide_places[n]);
		launch_add(l, "%s.fileName=%s", ide_places[n], path);
		launch_add(l, "%s.deviceType=%s", ide_places[n], cdrom ? "cdrom-image" : "disk");
		l->described = true;
		return 0;
	}
	return vmctl_usage(l->command, "a VM has %zu disks and CD-ROM drives at most",
			   VMCTL_ARRAY_SIZE(ide_places));
}

static int add_option(struct launch *l, int opt)
{
	switch (opt) {
	case OPT_SERIAL:
		return add_serial(l, optarg);
	case OPT_SET:
		if (*optarg == '=' || *optarg == '-' || !strchr(optarg, '='))
			return vmctl_usage("run", "--set '%s' is not KEY=VALUE", optarg);
		launch_add(l, "%s", optarg);
		l->described = true;
		return 0;
	case OPT_NIC:
		l->described = true;
		return launch_nic(l, optarg);
	case OPT_DISK:
	case OPT_CDROM:
		return launch_drive(l, optarg, opt == OPT_CDROM);
	case OPT_DETACH:
		l->detach = true;
		return 0;
	case OPT_NO_REBOOT:
		launch_add(l, "--no-reboot");
		return 0;
	case '?':
		return VMCTL_USAGE;
	default:
		launch_add(l, "%s=%s", keys[opt].key, optarg);
		l->described = true;
		return 0;
	}
}

/*
 * How many arguments vmapp may get: an option makes three at most, and --nic
 * one more for what follows a comma; the rest makes eight.
 */
size_t launch_room(int argc, char **argv)
{
	size_t room = 3 * argc + 9;

	for (int i = 0; i < argc; i++)
		for (const char *comma = argv[i]; (comma = strchr(comma, ',')); comma++)
			room++;
	return room;
}

/* The arguments for vmapp from those for run. */
static int parse(struct launch *l, int argc, char **argv)
{
	int opt, err;

	l->argv = calloc(launch_room(argc, argv), sizeof(*l->argv));
	if (!l->argv)
		return vmctl_fail("run", NULL, "out of memory");
	launch_add(l, "vmapp");
	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		err = add_option(l, opt);
		if (err)
			return err;
	}
	err = vmctl_operands(argc, argv, 0, 1, "");
	if (err)
		return err;
	l->file = argv[optind];
	if (!l->file && !l->described)
		return vmctl_usage("run", "no VM is described: neither FILE.vmx nor an option such as --kernel or --mem given");
	if (l->file) {
		launch_add(l, "-f");
		launch_add(l, "%s", l->file);
	} else if (!l->serial) {
		add_serial(l, l->detach ? "none" : "stdio");
	}
	return 0;
}

/* In the child: nothing of the caller's is kept but the directory and the log. */
static void become_detached(struct launch *l, int ready, int log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(ready, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);

	execv(l->vmapp, l->argv);
	dprintf(ready, "error %s cannot be executed: %m; reinstall vmapp\n", l->vmapp);
	_exit(VMCTL_FAILED);
}

/*
 * vmapp's line from the pipe: "ok NAME" or "error TEXT". Returns its length,
 * 0 if it ended without one, -ETIMEDOUT, or -EINTR when we were told to stop.
 */
static int wait_ready(int ready, int sigfd, char *line, size_t size)
{
	int64_t deadline = vmctl_now_ms() + READY_TIMEOUT_MS;
	struct pollfd p[] = {
		{ .fd = ready, .events = POLLIN },
		{ .fd = sigfd, .events = POLLIN },
	};
	size_t used = 0;

	while (used < size - 1 && !memchr(line, '\n', used)) {
		int64_t left = deadline - vmctl_now_ms();
		ssize_t n;

		if (left <= 0 || !poll(p, 2, left))
			return -ETIMEDOUT;
		if (p[1].revents)
			return -EINTR;
		n = read(ready, line + used, size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += n;
	}
	line[used] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return strlen(line);
}

/* The last line of the log: what a vmapp said that died without a word to us. */
static void last_words(int log, char *line, size_t size)
{
	off_t end = lseek(log, 0, SEEK_END);
	ssize_t n = pread(log, line, size - 1, end > (off_t)size - 1 ? end - (off_t)size + 1 : 0);
	char *start;

	line[n > 0 ? n : 0] = '\0';
	while (n > 0 && line[n - 1] == '\n')
		line[--n] = '\0';
	start = strrchr(line, '\n');
	if (start)
		memmove(line, start + 1, strlen(start));
}

/* Judge the child's line. Returns the exit status; *name is set on success. */
static int judge(int got, char *line, size_t size, int log, const char **name)
{
	if (got == -EINTR)
		return vmctl_fail("run", NULL, "interrupted; the VM was not started");
	if (got == -ETIMEDOUT)
		return vmctl_fail("run", "try without --detach to see more",
				  "vmapp was not ready in %d s, and was ended",
				  READY_TIMEOUT_MS / 1000);
	if (got > 3 && !strncmp(line, "ok ", 3)) {
		*name = line + 3;
		return VMCTL_OK;
	}
	if (got > 6 && !strncmp(line, "error ", 6))
		return vmctl_fail("run", NULL, "%s", line + 6);
	last_words(log, line, size);
	if (*line)
		return vmctl_fail("run", NULL, "%s", line);
	return vmctl_fail("run", "try without --detach to see more",
			  "vmapp ended without saying why");
}

static int open_log(char *path, size_t size)
{
	const char *dir = client_dir("run");
	int fd;

	if (!dir)
		return -1;
	mkdir(dir, 0700);
	snprintf(path, size, "%s/.run-%d.log", dir, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		vmctl_fail("run", "check the directory, or set WORLDSWITCH_DIR to another",
			   "%s cannot be made: %m", path);
	return fd;
}

/* The VM's log gets its name, once that is known; of the VM before, it is lost. */
static void name_log(const char *path, const char *name)
{
	char named[PATH_MAX];

	if (!strchr(name, '/') &&
	    snprintf(named, sizeof(named), "%s/%s.log", client_dir("run"), name) <
	    (int)sizeof(named))
		rename(path, named);
}

/* Signals that would end us between starting the child and knowing its fate. */
static int hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run_detached(struct launch *l)
{
	char line[1024], path[PATH_MAX];
	int ready[2], sigfd, log, status;
	const char *name = NULL;
	pid_t child;

	log = open_log(path, sizeof(path));
	if (log < 0)
		return VMCTL_FAILED;
	sigfd = hold_signals();
	if (pipe2(ready, O_CLOEXEC)) {
		unlink(path);
		return vmctl_fail("run", NULL, "no pipe: %m");
	}
	launch_add(l, "--ready-fd");
	launch_add(l, "%d", ready[1]);

	child = fork();
	if (!child)
		become_detached(l, ready[1], log);
	close(ready[1]);
	if (child < 0) {
		unlink(path);
		return vmctl_fail("run", "end other processes", "no process can be started: %m");
	}

	status = judge(wait_ready(ready[0], sigfd, line, sizeof(line)), line, sizeof(line), log,
		       &name);
	if (name) {
		name_log(path, name);
		vmctl_puts(name);
		putchar('\n');
	} else {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		unlink(path);
	}
	close(ready[0]);
	close(sigfd);
	close(log);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct launch l = { .command = "run" };
	int status;

	status = parse(&l, argc, argv);
	if (!status && !vmctl_find_vmapp(l.vmapp, sizeof(l.vmapp)))
		status = vmctl_fail("run", "reinstall, or set WS_VMAPP to its path",
				    "vmapp is not where it should be");
	if (!status && l.detach) {
		status = run_detached(&l);
	} else if (!status) {
		signal(SIGPIPE, SIG_DFL);
		execv(l.vmapp, l.argv);
		status = vmctl_fail("run", "reinstall vmapp", "%s cannot be executed: %m", l.vmapp);
	}
	for (int i = 0; i < l.argc; i++)
		free(l.argv[i]);
	free(l.argv);
	return status;
}
