// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl's way to a running VM: the control socket of its vmapp, with one JSON
 * object a line in each direction.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vmctl.h"

#define SUFFIX		".sock"
#define ANSWER_MAX	(1024 * 1024)	/* bytes; a longer answer is not one */

/* A socket younger than this may be about to get its listener. */
#define STALE_AGE_S	2

const char *client_dir(const char *command)
{
	static char dir[PATH_MAX];
	const char *base = getenv("WORLDSWITCH_DIR");

	if (base && *base) {
		snprintf(dir, sizeof(dir), "%s", base);
	} else if (!geteuid()) {
		snprintf(dir, sizeof(dir), "/run/worldswitch");
	} else {
		base = getenv("XDG_RUNTIME_DIR");
		if (!base || !*base) {
			vmctl_fail(command, "log in with a session, or set WORLDSWITCH_DIR",
				   "XDG_RUNTIME_DIR is not set");
			return NULL;
		}
		snprintf(dir, sizeof(dir), "%s/worldswitch", base);
	}
	return dir;
}

static void remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	if (time(NULL) - st.st_mtime >= STALE_AGE_S)
		unlink(path);
}

static int connect_socket(const struct sockaddr_un *addr)
{
	const struct timeval timeout = { .tv_sec = CLIENT_TIMEOUT_MS / 1000 };
	int fd, err;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

int client_connect(struct client *c, const char *dir, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd;

	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) >= VMCTL_NAME_MAX)
		return -EINVAL;
	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s" SUFFIX, dir, name) >=
	    (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;

	fd = connect_socket(&addr);
	if (fd == -ECONNREFUSED) {
		remove_stale(addr.sun_path);
		return -ENOENT;
	}
	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len)) {
		close(fd);
		return -EIO;
	}

	*c = (struct client){ .fd = fd, .passed = -1, .pid = peer.pid };
	memcpy(c->name, name, strlen(name) + 1);
	return 0;
}

/* A VM that ended by itself may have left its last words in its log. */
static int no_such_vm(const char *command, const char *dir, const char *name)
{
	char log[PATH_MAX], remedy[PATH_MAX + 64];
	struct stat st;

	if (snprintf(log, sizeof(log), "%s/%s.log", dir, name) < (int)sizeof(log) &&
	    !stat(log, &st) && st.st_size)
		snprintf(remedy, sizeof(remedy), "what it said last is in %s", log);
	else
		snprintf(remedy, sizeof(remedy), "see 'vmctl list'");
	return vmctl_fail(command, remedy, "no VM called '%s' is running", name);
}

int client_open(struct client *c, const char *command, const char *name)
{
	const char *dir = client_dir(command);
	int err;

	if (!dir)
		return VMCTL_FAILED;
	err = client_connect(c, dir, name);
	switch (-err) {
	case 0:
		return 0;
	case ENOENT:
		return no_such_vm(command, dir, name);
	case EACCES:
	case EPERM:
		return vmctl_fail(command, "ask as that user or as root",
				  "the VM '%s' is another user's", name);
	case EINVAL:
		return vmctl_fail(command, "see 'vmctl list'", "'%s' cannot be a VM's name", name);
	case ENAMETOOLONG:
		return vmctl_fail(command, "set WORLDSWITCH_DIR to a shorter path",
				  "the path '%s' is too long for a socket", dir);
	default:
		return vmctl_fail(command, "try again, or 'vmctl kill' it",
				  "'%s' does not accept a connection: %s", name, strerror(-err));
	}
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->passed >= 0)
		close(c->passed);
	free(c->buf);
	c->fd = -1;
	c->passed = -1;
	c->buf = NULL;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

/* As recv(), and a descriptor that comes along is kept, one at most. */
static ssize_t receive_with(struct client *c, char *buf, size_t room)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { buf, room };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (c->passed >= 0)
			close(c->passed);
		memcpy(&c->passed, CMSG_DATA(h), sizeof(c->passed));
	}
	return n;
}

/* Receive what is there, at the latest when @deadline has come. */
static int receive_some(struct client *c, int64_t deadline)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int64_t left = deadline - vmctl_now_ms();
	ssize_t n;

	if (c->used == c->room) {
		size_t room = c->room ? c->room * 2 : 4096;
		char *buf = room > ANSWER_MAX ? NULL : realloc(c->buf, room);

		if (!buf)
			return -EMSGSIZE;
		c->buf = buf;
		c->room = room;
	}
	if (left <= 0 || !poll(&p, 1, left))
		return -ETIMEDOUT;
	n = receive_with(c, c->buf + c->used, c->room - c->used);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -ECONNRESET;
	c->used += n;
	return 0;
}

/* One line of the answer as an object; what follows it stays in the buffer. */
static int receive_object(struct client *c, json_t **answer)
{
	int64_t deadline = vmctl_now_ms() + CLIENT_TIMEOUT_MS;
	size_t seen = 0, len;
	char *end;

	while (!(end = c->used ? memchr(c->buf + seen, '\n', c->used - seen) : NULL)) {
		int err;

		seen = c->used;
		err = receive_some(c, deadline);
		if (err)
			return err;
	}
	len = end - c->buf;
	*answer = json_loadb(c->buf, len, 0, NULL);
	c->used -= len + 1;
	memmove(c->buf, end + 1, c->used);
	if (!json_is_object(*answer)) {
		json_decref(*answer);
		return -EPROTO;
	}
	return 0;
}

static const char *failure_text(int err)
{
	switch (-err) {
	case ETIMEDOUT:
	case EAGAIN:
		return "does not answer";
	case ECONNRESET:
	case EPIPE:
		return "ended before it answered";
	case EPROTO:
	case EMSGSIZE:
		return "gave an answer that makes no sense";
	default:
		return strerror(-err);
	}
}

/* The first byte of a line, with a file. */
static int send_file(int fd, const char *data, int file)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} space = { .bytes = "" };
	struct iovec iov = { (void *)data, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space.bytes, .msg_controllen = sizeof(space.bytes),
	};

	space.header.cmsg_level = SOL_SOCKET;
	space.header.cmsg_type = SCM_RIGHTS;
	space.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&space.header), &file, sizeof(file));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Takes @request. */
static int send_object(struct client *c, json_t *request, int file)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int err = -ENOMEM;

	json_decref(request);
	if (!text)
		return err;
	err = file >= 0 ? send_file(c->fd, text, file) : 0;
	if (!err)
		err = send_all(c->fd, text + (file >= 0), strlen(text) - (file >= 0));
	if (!err)
		err = send_all(c->fd, "\n", 1);
	free(text);
	return err;
}

int client_send(struct client *c, const char *cmd)
{
	return send_object(c, json_pack("{s:s}", "cmd", cmd), -1);
}

json_t *client_request(struct client *c, const char *command, const char *cmd)
{
	return client_call(c, command, json_pack("{s:s}", "cmd", cmd));
}

json_t *client_call(struct client *c, const char *command, json_t *request)
{
	return client_call_with(c, command, request, -1);
}

json_t *client_call_with(struct client *c, const char *command, json_t *request, int fd)
{
	json_t *answer = NULL;
	int err;

	err = send_object(c, request, fd);
	if (!err)
		err = receive_object(c, &answer);
	if (err) {
		if (command)
			vmctl_fail(command, "try again, or 'vmctl kill' it", "'%s' %s", c->name,
				   failure_text(err));
		return NULL;
	}
	if (json_is_true(json_object_get(answer, "ok")))
		return answer;

	if (command) {
		const char *text = client_string(answer, "error");

		vmctl_fail(command, NULL, "'%s' refused: %s", c->name,
			   *text ? text : "no cause given");
	}
	json_decref(answer);
	return NULL;
}

json_t *client_info(struct client *c, const char *command)
{
	json_t *info = client_request(c, command, "info");

	if (info) {
		json_object_del(info, "ok");
		json_object_set_new(info, "name", json_string(c->name));
		json_object_set_new(info, "pid", json_integer(c->pid));
	}
	return info;
}

bool client_sysfs(struct client *c, const char *command, char *path, size_t size)
{
	const char *root = getenv("WS_SYSFS");
	json_t *info = client_info(c, command);
	json_int_t id;

	if (!info)
		return false;
	id = client_integer(info, "id", -1);
	json_decref(info);
	if (!root || !*root)
		root = "/sys/class/vmdriver";
	if (snprintf(path, size, "%s/vm%lld", root, (long long)id) >= (int)size ||
	    access(path, X_OK)) {
		vmctl_fail(command, "it may have ended just now: see 'vmctl list'",
			   "the driver shows nothing of '%s' at %s", c->name, path);
		return false;
	}
	return true;
}

static int is_socket_name(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return *e->d_name != '.' && len > strlen(SUFFIX) &&
	       !strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX);
}

char **client_names(const char *command)
{
	const char *dir = client_dir(command);
	struct dirent **entries = NULL;
	char **names;
	int n;

	if (!dir)
		return NULL;
	n = scandir(dir, &entries, is_socket_name, alphasort);
	if (n < 0 && errno != ENOENT) {
		vmctl_fail(command, "check its owner and mode", "%s cannot be read: %m", dir);
		return NULL;
	}
	if (n < 0)
		n = 0;

	names = calloc(n + 1, sizeof(*names));
	if (!names)
		vmctl_fail(command, NULL, "out of memory");
	for (int i = 0; i < n; i++) {
		size_t len = strlen(entries[i]->d_name) - strlen(SUFFIX);

		if (names)
			names[i] = strndup(entries[i]->d_name, len);
		free(entries[i]);
	}
	free(entries);
	return names;
}

void client_free_names(char **names)
{
	for (char **name = names; *name; name++)
		free(*name);
	free(names);
}

const char *client_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t client_integer(const json_t *object, const char *key, json_int_t missing)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : missing;
}
