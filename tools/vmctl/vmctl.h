/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of vmctl share: the command table's row, one form for
 * every error, options, and the way to a running VM.
 */
#ifndef VMCTL_H
#define VMCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <getopt.h>
#include <sys/types.h>
#include <jansson.h>

#define VMCTL_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit statuses of vmctl; `run` in the foreground ends with vmapp's own. */
#define VMCTL_OK	0
#define VMCTL_FAILED	1
#define VMCTL_USAGE	2

/* Bytes of a VM's name with its NUL, as in VMDRV_NAME_MAX. */
#define VMCTL_NAME_MAX	64

/**
 * struct vmctl_command - one command
 * @name: the word after `vmctl`
 * @run: called with argv[0] = @name; returns vmctl's exit status
 * @args: its arguments, for the synopsis
 * @help: one line, for `vmctl help`
 * @details: the options, for `vmctl help NAME`; lines end in '\n', may be ""
 */
struct vmctl_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *help;
	const char *details;
};

int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_nmi(int argc, char **argv);
int cmd_screenshot(int argc, char **argv);
int cmd_screentext(int argc, char **argv);
int cmd_sendkey(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_paper(int argc, char **argv);
int cmd_net(int argc, char **argv);
int cmd_cdrom(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_revert(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* ---- errors, options, output: util.c ---------------------------------- */

/*
 * Print "vmctl: WHAT: CAUSE; REMEDY" as one line on stderr. REMEDY may be
 * NULL where the cause says it all. Returns VMCTL_FAILED.
 */
__attribute__((format(printf, 3, 4)))
int vmctl_fail(const char *what, const char *remedy, const char *cause, ...);

/* The same for a wrong command line: points at `vmctl help WHAT`. Returns VMCTL_USAGE. */
__attribute__((format(printf, 2, 3)))
int vmctl_usage(const char *what, const char *cause, ...);

/*
 * getopt_long() for the command argv[0] that reports a bad option itself.
 * Returns the option, -1 after the last one, or '?' when it has complained.
 * The first call for an argv[] must find optind at 1.
 */
int vmctl_getopt(int argc, char **argv, const struct option *options);

/*
 * The operands after the options: between @min and @max of them, called @name
 * in the complaint. Returns 0 or VMCTL_USAGE.
 */
int vmctl_operands(int argc, char **argv, int min, int max, const char *name);

/*
 * A decimal number of seconds above zero (fractions allowed) up to a day, in
 * milliseconds; -1 after a complaint about option @option.
 */
int vmctl_seconds(const char *command, const char *option, const char *text);

/* Milliseconds of a clock that only goes forward. */
int64_t vmctl_now_ms(void);

/* Print @text with every control character as '?': it may come from a guest. */
void vmctl_puts(const char *text);

/* Print @json on one or more lines to stdout, and drop the reference to it. */
void vmctl_print_json(json_t *json);

/* "1d 02:03:04" or "02:03:04" into @buf. */
void vmctl_uptime(char *buf, size_t size, double seconds);

/*
 * A file's first line without its '\n', cut to @size. Returns its length or
 * -errno.
 */
ssize_t vmctl_read_line(const char *path, char *buf, size_t size);

/*
 * The monitor's program: $WS_VMAPP, the installed one, or that of the build
 * tree, whichever is there first. Returns false if none is.
 */
bool vmctl_find_vmapp(char *path, size_t size);

/* ---- a running VM: client.c --------------------------------------------- */

/**
 * struct client - a connection to a VM's control socket
 * @name: the VM's, from the socket's name
 * @fd: the socket, -1 when closed
 * @pid: of its vmapp, as the kernel tells it
 * @passed: a descriptor that came with the last answer, or -1
 * @buf: what was received and not yet consumed; @used bytes of @room
 */
struct client {
	char name[VMCTL_NAME_MAX];
	int fd;
	int passed;
	pid_t pid;
	char *buf;
	size_t used;
	size_t room;
};

/* How long a vmapp may take to answer, in ms. */
#define CLIENT_TIMEOUT_MS	5000

/*
 * The directory with the VMs' sockets: $WORLDSWITCH_DIR, /run/worldswitch for
 * root, else $XDG_RUNTIME_DIR/worldswitch. Complains for @command and returns
 * NULL when there is none. The string lives as long as the process.
 */
const char *client_dir(const char *command);

/*
 * Connect to the VM called @name. Returns 0 or -errno, without a word:
 * -ENOENT no such VM (a stale socket is removed), -EACCES another user's,
 * -EINVAL not a name, -ENAMETOOLONG.
 */
int client_connect(struct client *c, const char *dir, const char *name);

/* The same for @command, with a complaint. Returns 0 or an exit status. */
int client_open(struct client *c, const char *command, const char *name);

void client_close(struct client *c);

/* Send {"cmd": @cmd}, and do not wait for an answer. Returns 0 or -errno. */
int client_send(struct client *c, const char *cmd);

/*
 * Send {"cmd": @cmd} and wait for the answer. Returns it when it says "ok"
 * (the caller's reference), else NULL after a complaint for @command. With
 * @command NULL there is no complaint.
 */
json_t *client_request(struct client *c, const char *command, const char *cmd);

/* The same with a request of more members than "cmd", whose reference is taken. */
json_t *client_call(struct client *c, const char *command, json_t *request);

/* The same, with the open file @fd (-1: none) along with the line. */
json_t *client_call_with(struct client *c, const char *command, json_t *request, int fd);

/*
 * The answer to "info", with the name and the pid by which others know the VM
 * instead of what it says itself. NULL as from client_request().
 */
json_t *client_info(struct client *c, const char *command);

/*
 * The VM's directory in sysfs, with the driver's counters and knobs, into
 * @path of @size bytes. Returns false after a complaint for @command.
 */
bool client_sysfs(struct client *c, const char *command, char *path, size_t size);

/*
 * The name of each VM of this user, sorted; NULL-terminated, freed by
 * client_free_names(). NULL after a complaint for @command.
 */
char **client_names(const char *command);
void client_free_names(char **names);

/* Members of an answer, with a default where missing or of another type. */
const char *client_string(const json_t *object, const char *key);
json_int_t client_integer(const json_t *object, const char *key, json_int_t missing);

#endif
