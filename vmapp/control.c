// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "screen.h"
#include "usock.h"

#define LINE_MAX_LEN	4096	/* of a request */
#define CLIENTS_MAX	16

struct control_client {
	struct control_client *next;
	struct control *control;
	int fd;
	int passed;		/* the last file that came with a line; -1: none */
	size_t len;
	char line[LINE_MAX_LEN];
	struct loop_watch readable;
};

/* The connection itself stays open if somebody else has it now. */
static void forget_client(struct control_client *k, bool close_it)
{
	struct control_client **p;

	for (p = &k->control->clients; *p != k; p = &(*p)->next)
		;
	*p = k->next;
	loop_watch_free(&k->readable);
	if (close_it)
		close(k->fd);
	if (k->passed >= 0)
		close(k->passed);
	free(k);
}

/* ---- answers ------------------------------------------------------------------- */

/* The text, and with it a descriptor unless that is -1. */
static bool send_with(int to, const char *text, size_t len, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	struct iovec iov = { (void *)text, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Takes the object, and @fd. False: the client does not read, or is gone. */
static bool answer_with(struct control_client *k, json_t *obj, int fd)
{
	char *text = obj ? json_dumps(obj, JSON_COMPACT) : NULL;
	bool sent = false;
	size_t len;

	if (text) {
		len = strlen(text);
		text[len] = '\n';	/* in place of the NUL */
		sent = send_with(k->fd, text, len + 1, fd);
	}
	if (fd >= 0)
		close(fd);
	free(text);
	json_decref(obj);
	return sent;
}

static bool answer(struct control_client *k, json_t *obj)
{
	return answer_with(k, obj, -1);
}

static json_t *ok(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *refusal(const char *why)
{
	return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

static json_t *describe_serial(const struct machine *m)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < SERIAL_PORTS; i++)
		if (m->serial[i].loop)
			json_array_append_new(list, json_pack("{s:s,s:s}", "type",
							      serial_type_name(&m->serial[i]),
							      "path", m->serial[i].path));
	return list;
}

static json_t *describe_nic(struct nic *n)
{
	struct vmnet_status status = { .link = 0 };
	char mac[18];

	nic_status(n, &status);
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0], n->mac[1],
		 n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:i,s:I,s:I,s:I}", "nic", (int)n->index,
			 "network", n->network, "address", mac, "path", nic_path_name(nic_path(n)),
			 "link", n->gone ? "gone" : n->link ? "up" : "down",
			 "irq", (int)n->irq.irq,
			 "tx_frames", (json_int_t)status.counters[VMNET_TX_FRAMES],
			 "rx_frames", (json_int_t)status.counters[VMNET_RX_FRAMES],
			 "rx_queue_full", (json_int_t)status.counters[VMNET_RX_QUEUE_FULL]);
}

static void describe_nics(struct nics *ns, json_t *obj)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++)
		if (ns->nic[i].all)
			json_array_append_new(list, describe_nic(&ns->nic[i]));
	json_object_set_new(obj, "nics", list);
	if (ns->page)
		json_object_set_new(obj, "irq_page",
				    json_pack("{s:I,s:I,s:I}", "found", (json_int_t)ns->found,
					      "spared", (json_int_t)ns->spared,
					      "selects", (json_int_t)ns->selects));
}

/* Values that are not UTF-8 are left out: JSON cannot hold them. */
static json_t *describe_config(const struct vmx *v)
{
	json_t *config = json_object();

	for (size_t i = 0; i < v->n; i++)
		json_object_set_new(config, v->entries[i].key, json_string(v->entries[i].value));
	return config;
}

static json_t *describe(struct machine *m)
{
	json_t *obj = json_pack("{s:b,s:s%,s:i,s:i,s:i,s:s,s:I}", "ok", 1,
				"name", m->name, strlen(m->name), "pid", (int)getpid(),
				"id", (int)m->id, "memory_mib", (int)(m->mem.size / MIB),
				"state", m->state == MACHINE_RUNNING ? "running" : "stopped",
				"uptime_s",
				(json_int_t)((loop_monotonic(NULL) - m->started) / 1000000000));

	json_object_set_new(obj, "reason", json_string(m->reason));
	json_object_set_new(obj, "serial", describe_serial(m));
	describe_nics(&m->nics, obj);
	if (*m->vnc.path)
		json_object_set_new(obj, "vnc", json_string(m->vnc.path));
	else if (m->vnc.fd >= 0)
		json_object_set_new(obj, "vnc", json_sprintf("127.0.0.1:%u", m->vnc.port));
	json_object_set_new(obj, "config", describe_config(m->config));
	json_object_set_new(obj, "nobody",
			    json_pack("{s:I,s:I,s:I}", "in", (json_int_t)m->bus.nobody_in,
				      "out", (json_int_t)m->bus.nobody_out,
				      "mmio", (json_int_t)m->bus.nobody_mmio));
	return obj;
}

/* ---- commands -------------------------------------------------------------------- */

/* What comes behind the line already is typed. True: the client is not ours any more. */
static bool become_console(struct control_client *k, size_t used)
{
	struct serial *s = &k->control->machine->serial[0];

	if (!s->loop) {
		answer(k, refusal("the VM has no serial0; set serial0.present = \"TRUE\""));
		return false;
	}
	if (!answer(k, ok())) {
		forget_client(k, true);
		return true;
	}
	loop_watch_enable(&k->readable, false);
	forget_client(k, serial_attach(s, k->fd, k->line + used, k->len - used) != 0);
	return true;
}

static json_t *press_power(struct machine *m)
{
	if (m->state != MACHINE_RUNNING)
		return refusal("the VM is stopped; end it with quit or start it again with reset");
	piix4pm_power_button(&m->pm);
	return ok();
}

static json_t *raise_nmi(struct machine *m)
{
	if (ioctl(m->vcpu_fd, VMDRV_NMI, 0))
		return refusal(strerror(errno));
	return ok();
}

struct datapath {
	struct nic *nic;
	u32 path;
	int failed;
	struct error err;
};

static void switch_datapath(struct machine *m, void *arg)
{
	struct datapath *d = arg;

	(void)m;
	d->failed = nic_set_path(d->nic, d->path, &d->err);
}

static json_t *set_datapath(struct machine *m, const json_t *req)
{
	json_int_t nic = json_integer_value(json_object_get(req, "nic"));
	const char *path = json_string_value(json_object_get(req, "path"));
	struct datapath d = { .failed = -1 };

	if (nic < 0 || nic >= VMDRV_NIC_MAX || !m->nics.nic[nic].all)
		return refusal("there is no such NIC; vmctl info lists those it has");
	if (!path || !nic_path_parse(path, &d.path))
		return refusal("a data path is \"vmapp\", \"vmm\" or \"direct\"");
	d.nic = &m->nics.nic[nic];
	if (!machine_call(m, switch_datapath, &d))
		return refusal("the VM is about to end");
	return d.failed ? refusal(d.err.text) : ok();
}

/* The picture goes along as a file: nobody waits for who does not read it. */
static bool send_screenshot(struct control_client *k)
{
	struct machine *m = k->control->machine;
	unsigned int width, height;
	struct error err;
	int fd = screen_picture(&m->svga, &width, &height, &err);

	if (fd < 0)
		return answer(k, refusal(err.text));
	return answer_with(k, json_pack("{s:b,s:i,s:i}", "ok", 1, "width", (int)width, "height",
					(int)height), fd);
}

static json_t *read_screen(struct machine *m)
{
	struct vga_text t;
	json_t *lines;

	if (!m->svga.present)
		return refusal("the VM has no display; set svga.present = \"TRUE\"");
	if (!vga_text(&m->svga.vga, &t))
		return refusal("the display shows no text now; see vmctl screenshot");
	lines = json_array();
	for (unsigned int row = 0; row < t.rows; row++) {
		char *line = screen_line(&m->svga.vga, &t, row);

		json_array_append_new(lines, json_string(line));
		free(line);
	}
	return json_pack("{s:b,s:i,s:i,s:i,s:o}", "ok", 1, "columns", (int)t.columns, "rows",
			 (int)t.rows, "cursor", (int)t.cursor, "text", lines);
}

/* Keys one after the other, then text; what cannot be typed leaves those before it typed. */
static json_t *send_keys(struct machine *m, const json_t *req)
{
	const json_t *list = json_object_get(req, "keys");
	const char *text = json_string_value(json_object_get(req, "text"));
	struct error err;
	size_t i;
	json_t *key;

	json_array_foreach(list, i, key)
		if (keys_press(&m->keys, json_is_string(key) ? json_string_value(key) : "", &err))
			return refusal(err.text);
	if (text && keys_type(&m->keys, text, &err))
		return refusal(err.text);
	return ok();
}

/* The image was opened by who asks: with that user's rights, and we may not. */
static json_t *change_cd(struct control_client *k, const json_t *req)
{
	struct drives *ds = &k->control->machine->drives;
	const char *path = json_string_value(json_object_get(req, "path"));
	const char *drive = json_string_value(json_object_get(req, "drive"));
	bool eject = json_is_true(json_object_get(req, "eject"));
	struct error err;
	int fd = k->passed;

	if (!eject && (fd < 0 || !path))
		return refusal("either \"eject\" or a file and its \"path\" is wanted");
	if (!eject)
		k->passed = -1;
	if (drives_change_cd(ds, drive, eject ? -1 : fd, path,
			     json_is_true(json_object_get(req, "force")), &err))
		return refusal(err.text);
	return ok();
}

static json_t *execute(struct control_client *k, const char *cmd, const json_t *req)
{
	struct machine *m = k->control->machine;

	if (!strcmp(cmd, "cdrom"))
		return change_cd(k, req);
	if (!strcmp(cmd, "datapath"))
		return set_datapath(m, req);
	if (!strcmp(cmd, "screentext"))
		return read_screen(m);
	if (!strcmp(cmd, "sendkey"))
		return send_keys(m, req);
	if (!strcmp(cmd, "info"))
		return describe(m);
	if (!strcmp(cmd, "powerdown"))
		return press_power(m);
	if (!strcmp(cmd, "nmi"))
		return raise_nmi(m);
	if (!strcmp(cmd, "reset"))
		machine_request(m, MACHINE_RESET);
	else if (!strcmp(cmd, "quit"))
		machine_request(m, MACHINE_END);
	else
		return refusal("unknown command");
	return ok();
}

/* One line of @len bytes at the start of the buffer. True: the client is gone. */
static bool handle_line(struct control_client *k, size_t len)
{
	json_t *req = json_loadb(k->line, len, 0, NULL);
	const char *cmd = json_string_value(json_object_get(req, "cmd"));
	bool alive;

	if (cmd && !strcmp(cmd, "console")) {
		json_decref(req);
		return become_console(k, len + 1);
	}
	if (!cmd)
		alive = answer(k, refusal("a line must be {\"cmd\":\"...\"}"));
	else if (!strcmp(cmd, "screenshot"))
		alive = send_screenshot(k);
	else
		alive = answer(k, execute(k, cmd, req));
	if (!alive)
		forget_client(k, true);
	json_decref(req);
	return !alive;
}

/* Of several files that come, the last one counts. */
static void take_files(struct control_client *k, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (k->passed >= 0)
				close(k->passed);
			k->passed = fd;
		}
	}
}

static ssize_t receive(struct control_client *k)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} space;
	struct iovec iov = { k->line + k->len, sizeof(k->line) - k->len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space.bytes, .msg_controllen = sizeof(space.bytes),
	};
	ssize_t n = recvmsg(k->fd, &msg, MSG_CMSG_CLOEXEC);

	if (n >= 0)
		take_files(k, &msg);
	return n;
}

static void on_readable(void *arg)
{
	struct control_client *k = arg;
	char *nl;
	ssize_t n;

	n = receive(k);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		forget_client(k, true);
		return;
	}
	k->len += (size_t)n;
	while ((nl = memchr(k->line, '\n', k->len))) {
		size_t len = (size_t)(nl - k->line);

		if (handle_line(k, len))
			return;
		k->len -= len + 1;
		memmove(k->line, nl + 1, k->len);
	}
	if (k->len == sizeof(k->line)) {
		answer(k, refusal("the line is too long"));
		forget_client(k, true);
	}
}

static void on_connection(void *arg)
{
	struct control *c = arg;
	struct control_client *k;
	unsigned int n = 0;
	int fd = usock_accept(c->fd);

	if (fd < 0)
		return;
	for (k = c->clients; k; k = k->next)
		n++;
	k = n < CLIENTS_MAX ? calloc(1, sizeof(*k)) : NULL;
	if (!k || loop_watch_init(&k->readable, &c->machine->loop, fd, EV_READ, on_readable, k)) {
		free(k);
		close(fd);
		return;
	}
	k->control = c;
	k->fd = fd;
	k->passed = -1;
	k->next = c->clients;
	c->clients = k;
	loop_watch_enable(&k->readable, true);
}

/* ---- the socket -------------------------------------------------------------------- */

static int find_directory(char *dir, size_t size, struct error *err)
{
	const char *env = getenv("WORLDSWITCH_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");

	if (env && *env)
		snprintf(dir, size, "%s", env);
	else if (!geteuid())
		snprintf(dir, size, "/run/worldswitch");
	else if (runtime && *runtime)
		snprintf(dir, size, "%s/worldswitch", runtime);
	else
		return error_set(err, "no directory for the control socket: set WORLDSWITCH_DIR or XDG_RUNTIME_DIR");
	if (mkdir(dir, 0700) && errno != EEXIST)
		return error_set(err, "cannot make %s: %s; set WORLDSWITCH_DIR to another", dir,
				 strerror(errno));
	return 0;
}

int control_open(struct control *c, const char *name, struct error *err)
{
	char dir[96];
	int n;

	*c = (struct control){ .fd = -1 };
	if (find_directory(dir, sizeof(dir), err))
		return -1;
	n = snprintf(c->path, sizeof(c->path), "%s/%s.sock", dir, name);
	if (n < 0 || (size_t)n >= sizeof(c->path))
		return error_set(err, "%s/%s.sock is too long for a socket; choose a shorter displayName",
				 dir, name);
	c->fd = usock_listen(c->path, err);
	if (c->fd < 0 && errno == EADDRINUSE)
		return error_set(err, "a VM named \"%s\" is running; choose another displayName or stop that one (vmctl stop)",
				 name);
	return c->fd < 0 ? -1 : 0;
}

int control_start(struct control *c, struct machine *m, struct error *err)
{
	c->machine = m;
	json_object_seed(0);	/* reads the kernel's random numbers: while it may */
	if (loop_watch_init(&c->accept, &m->loop, c->fd, EV_READ, on_connection, c))
		return error_set(err, "out of memory");
	loop_watch_enable(&c->accept, true);
	return 0;
}

void control_close(struct control *c)
{
	while (c->clients)
		forget_client(c->clients, true);
	loop_watch_free(&c->accept);
	if (c->fd < 0)
		return;
	unlink(c->path);
	close(c->fd);
	c->fd = -1;
}
