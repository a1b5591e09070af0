// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vmapp without a VM: takes vmapp's command line, speaks its control
 * protocol, and misbehaves as told. The tests of vmctl run it.
 *
 * FAKE, a comma-separated list in the environment:
 *	error	fail before being ready, with a line on the ready descriptor
 *	crash	end before being ready, with a line on stderr only
 *	silent	the same without a word
 *	stuck	never become ready
 *	deaf	accept connections, answer nothing
 *	garbage	answer with what is no JSON
 *	flood	answer without end
 *	hangup	close a connection at the first request
 *	refuse	answer every request with an error
 *	nopower	ignore the power button
 *	noquit	ignore "quit"
 *	stopped	say that the guest was stopped
 *	half	give the answer to "console" and the first output in one piece
 *	strange	answer "info" with values of other types
 *	short	send a picture shorter than it says
 *	nofile	send none
 *	exit3	end with status 3 when ready
 * FAKE_ID is the VM's number in sysfs; the arguments go to FAKE_ARGS, a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX	16

struct peer {
	int fd;
	bool console;
	size_t used;
	char line[256];
};

static struct peer peers[CLIENTS_MAX];
static const char *name = "fake";
static int ready = -1;
static struct sockaddr_un addr = { .sun_family = AF_UNIX };

static bool told(const char *what)
{
	const char *list = getenv("FAKE");
	size_t len = strlen(what);

	for (const char *p = list; p && (p = strstr(p, what)); p += len)
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
	return false;
}

static void end(int status)
{
	unlink(addr.sun_path);
	exit(status);
}

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		perror("fakevmapp: send");
}

static void flood(int fd)
{
	char junk[4096];

	memset(junk, '{', sizeof(junk));
	while (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
		;
}

static void answer_info(int fd)
{
	const char *id = getenv("FAKE_ID");
	json_t *info = json_pack("{s:b,s:s,s:i,s:i,s:i,s:s,s:s,s:f,s:[{s:s,s:s}],s:{s:s},s:{s:i}}",
				 "ok", 1, "name", name, "pid", (int)getpid(),
				 "id", id ? atoi(id) : 0, "memory_mib", 256,
				 "state", told("stopped") ? "stopped" : "running",
				 "reason", told("stopped") ? "triple\tfault\x1b" : "",
				 "uptime_s", 93784.5, "serial", "type", "none", "path", "",
				 "config", "memsize", "256", "nobody", "in", 7);
	char *text = json_dumps(info, JSON_COMPACT);

	say(fd, text);
	say(fd, "\n");
	free(text);
	json_decref(info);
}

/* Two dots, red and blue; FAKE=short says that there are more, nofile has none. */
static void answer_screenshot(int fd)
{
	const uint32_t dots[2] = { 0xff0000, 0x0000ff };
	int file = memfd_create("screen", MFD_CLOEXEC);
	char text[] = "{\"ok\":true,\"width\":2,\"height\":1}\n";
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (write(file, dots, sizeof(dots)) < 0)
		exit(1);
	if (told("short"))
		*strchr(text, '2') = '3';
	if (!told("nofile")) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &file, sizeof(file));
	}
	sendmsg(fd, &msg, MSG_NOSIGNAL);
	close(file);
}

static void drop(struct peer *p)
{
	close(p->fd);
	p->fd = -1;
}

static void answer(struct peer *p, const char *cmd)
{
	if (told("deaf"))
		return;
	if (!strcmp(cmd, "quit") && !told("noquit"))
		end(0);
	if (told("hangup")) {
		drop(p);
	} else if (told("garbage")) {
		say(p->fd, "ok, I will\n");
	} else if (told("flood")) {
		flood(p->fd);
	} else if (told("refuse")) {
		say(p->fd, "{\"ok\":false,\"error\":\"not\\ntoday\"}\n");
	} else if (!strcmp(cmd, "info") && told("strange")) {
		say(p->fd, "{\"ok\":true,\"name\":5,\"pid\":\"x\",\"id\":1.5,\"state\":[],"
		    "\"uptime_s\":-1e300,\"serial\":[1],\"config\":[2],"
		    "\"reason\":\"\\u009b\\u00e9\"}\n");
	} else if (!strcmp(cmd, "info")) {
		answer_info(p->fd);
	} else if (!strcmp(cmd, "console")) {
		p->console = true;
		say(p->fd, told("half") ? "{\"ok\":true}\nlogin: " : "{\"ok\":true}\n");
	} else if (!strcmp(cmd, "powerdown")) {
		say(p->fd, "{\"ok\":true}\n");
		if (!told("nopower"))
			end(0);
	} else if (!strcmp(cmd, "screentext")) {
		say(p->fd, "{\"ok\":true,\"columns\":3,\"rows\":2,\"cursor\":0,"
		    "\"text\":[\"a\\u001bb\",\"\\u2554\",5]}\n");
	} else if (!strcmp(cmd, "screenshot")) {
		answer_screenshot(p->fd);
	} else if (!strcmp(cmd, "sendkey")) {
		say(p->fd, "{\"ok\":true}\n");
		fprintf(stderr, "fakevmapp: %s", p->line);
	} else if (!strcmp(cmd, "quit")) {
		say(p->fd, "{\"ok\":true}\n");
	} else if (!strcmp(cmd, "reset") || !strcmp(cmd, "nmi")) {
		say(p->fd, "{\"ok\":true}\n");
		fprintf(stderr, "fakevmapp: %s\n", cmd);
	} else {
		say(p->fd, "{\"ok\":false,\"error\":\"no such command\"}\n");
	}
}

/* The console's far end: says what it hears in capitals; Q ends the VM. */
static void echo_console(struct peer *p, const char *data, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++) {
		char ch = data[i] >= 'a' && data[i] <= 'z' ? data[i] - 'a' + 'A' : data[i];

		if (send(p->fd, &ch, 1, MSG_NOSIGNAL) < 0)
			return;
		if (ch == 'Q')
			end(0);
	}
}

static void serve(struct peer *p)
{
	ssize_t n = recv(p->fd, p->line + p->used, sizeof(p->line) - 1 - p->used, 0);
	char *newline;
	json_t *request;

	if (n <= 0) {
		drop(p);
		return;
	}
	if (p->console) {
		echo_console(p, p->line, n);
		return;
	}
	p->used += n;
	p->line[p->used] = '\0';
	newline = strchr(p->line, '\n');
	if (!newline)
		return;
	request = json_loadb(p->line, newline - p->line, 0, NULL);
	p->used = 0;
	if (json_is_string(json_object_get(request, "cmd")))
		answer(p, json_string_value(json_object_get(request, "cmd")));
	else
		say(p->fd, "{\"ok\":false,\"error\":\"no JSON\"}\n");
	json_decref(request);
}

static int listen_control(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s.sock", getenv("WORLDSWITCH_DIR"),
		 name);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8)) {
		dprintf(ready >= 0 ? ready : STDERR_FILENO,
			"%sthe name '%s' is in use; end that VM or take another name\n",
			ready >= 0 ? "error " : "vmapp: ", name);
		exit(1);
	}
	return fd;
}

static void loop(int listener)
{
	for (;;) {
		struct pollfd p[CLIENTS_MAX + 1] = { { .fd = listener, .events = POLLIN } };

		for (int i = 0; i < CLIENTS_MAX; i++)
			p[i + 1] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
		poll(p, CLIENTS_MAX + 1, -1);
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (peers[i].fd >= 0 && p[i + 1].revents)
				serve(&peers[i]);
		for (int i = 0; p[0].revents && i < CLIENTS_MAX; i++) {
			if (peers[i].fd >= 0)
				continue;
			peers[i] = (struct peer){ .fd = accept(listener, NULL, NULL) };
			break;
		}
	}
}

static void record_args(int argc, char **argv)
{
	FILE *file = getenv("FAKE_ARGS") ? fopen(getenv("FAKE_ARGS"), "w") : NULL;

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "displayName=", 12))
			name = argv[i] + 12;
		else if (!strcmp(argv[i], "--ready-fd") && i + 1 < argc)
			ready = atoi(argv[i + 1]);
		if (file)
			fprintf(file, "%s\n", argv[i]);
	}
	if (file)
		fclose(file);
}

/* Every descriptor that a detached vmapp got and should not have. */
static void report_descriptors(void)
{
	if (ready < 0)
		return;
	for (int fd = 3; fd < 64; fd++)
		if (fd != ready && fcntl(fd, F_GETFD) >= 0)
			fprintf(stderr, "fakevmapp: descriptor %d is open\n", fd);
}

int main(int argc, char **argv)
{
	int listener;

	for (int i = 0; i < CLIENTS_MAX; i++)
		peers[i].fd = -1;
	record_args(argc, argv);
	report_descriptors();
	if (told("error")) {
		dprintf(ready >= 0 ? ready : STDERR_FILENO,
			"%skernel 'k': no such file; check the path\n",
			ready >= 0 ? "error " : "vmapp: ");
		return 1;
	}
	if (told("crash")) {
		fprintf(stderr, "first\nvmapp: out of luck; buy some\n");
		return 1;
	}
	if (told("silent"))
		return 1;
	while (told("stuck"))
		pause();
	listener = listen_control();
	if (ready >= 0) {
		dprintf(ready, "ok %s\n", name);
		close(ready);
	} else {
		puts("fakevmapp runs");
		fflush(stdout);
	}
	if (told("exit3"))
		end(3);
	loop(listener);
}
