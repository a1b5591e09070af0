// SPDX-License-Identifier: GPL-2.0-only
#include "vnc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine.h"
#include "usock.h"

#define FRAME_NS	33000000ull	/* between two looks at the display */
#define EVENTS_US	15000		/* that the viewers' thread waits for them meanwhile */
#define STALL_MS	5000		/* a viewer who reads nothing for so long has to go */
#define VIEWERS_MAX	8
#define RECTS_MAX	64
#define KEYS_DOWN_MAX	16

struct rect {
	unsigned int x, y, w, h;
};

/* The thread's own, but for the viewers' sockets, which are the device lock's. */
struct vnc_server {
	struct vnc *vnc;
	rfbScreenInfoPtr screen;
	struct vga_surface surface;
	u64 drawn_at;
	struct rect rect[RECTS_MAX];
	unsigned int rects;
	int socket[VIEWERS_MAX];	/* -1: nobody */
	int x, y;			/* where the pointer was last */
};

/* One viewer's keys that are down: they go up when the viewer is gone. */
struct viewer {
	struct vnc_server *server;
	unsigned int n;
	u16 down[KEYS_DOWN_MAX];
	int slot;
};

/* ---- drawing ---- */

/* Lines below each other are one rectangle; with too many, one is all of them. */
static void on_changed(void *ctx, unsigned int x, unsigned int y, unsigned int w, unsigned int h)
{
	struct vnc_server *s = ctx;
	struct rect *last = s->rects ? &s->rect[s->rects - 1] : NULL;

	if (last && last->x == x && last->w == w && last->y + last->h == y) {
		last->h += h;
	} else if (s->rects < RECTS_MAX) {
		s->rect[s->rects++] = (struct rect){ x, y, w, h };
	} else {
		s->rect[0] = (struct rect){ 0, 0, s->surface.width, s->surface.height };
		s->rects = 1;
	}
}

/* The surface gets the display's size: true if it had another. */
static bool resize(struct vga_surface *f, const struct vga *v)
{
	unsigned int w, h;

	vga_size(v, &w, &h);
	if (w == f->width && h == f->height)
		return false;
	f->width = w;
	f->height = h;
	f->drawn = false;
	return true;
}

/* XRGB, which is not what the library takes for granted. */
static void set_format(rfbScreenInfoPtr screen)
{
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
}

/* The library forgets the format with the old size, and translates by the new one. */
static void tell_size(struct vnc_server *s)
{
	rfbClientIteratorPtr viewers;
	rfbClientPtr client;

	rfbNewFramebuffer(s->screen, (char *)s->surface.pixels, (int)s->surface.width,
			  (int)s->surface.height, 8, 3, 4);
	set_format(s->screen);
	viewers = rfbGetClientIterator(s->screen);
	while ((client = rfbClientIteratorNext(viewers)))
		rfbSetTranslateFunction(client);
	rfbReleaseClientIterator(viewers);
}

/* Look at the display, with the lock; tell the library, without. */
static void refresh(struct vnc_server *s)
{
	struct machine *m = s->vnc->machine;
	struct vga *v = &m->svga.vga;
	bool resized;

	pthread_mutex_lock(&m->lock);
	resized = resize(&s->surface, v);
	svga_look(&m->svga);
	s->rects = 0;
	vga_draw(v, &s->surface, true, on_changed, s);
	pthread_mutex_unlock(&m->lock);
	s->drawn_at = loop_monotonic(NULL);
	if (resized)
		tell_size(s);
	for (unsigned int i = 0; i < s->rects; i++) {
		const struct rect *r = &s->rect[i];

		rfbMarkRectAsModified(s->screen, (int)r->x, (int)r->y, (int)(r->x + r->w),
				      (int)(r->y + r->h));
	}
}

/* ---- keyboard and mouse ---- */

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
	struct viewer *w = client->clientData;
	struct machine *m = w->server->vnc->machine;
	bool shift;
	u16 code = keys_of_keysym(keysym, &shift);
	unsigned int i;

	if (!code)
		return;
	for (i = 0; i < w->n && w->down[i] != code; i++)
		;
	if (down && i == w->n) {
		if (w->n == KEYS_DOWN_MAX)
			return;
		w->down[w->n++] = code;
	} else if (!down && i < w->n) {
		w->down[i] = w->down[--w->n];
	}
	pthread_mutex_lock(&m->lock);
	keys_event(&m->keys, code, down);
	pthread_mutex_unlock(&m->lock);
}

/* A viewer tells where its pointer is, a mouse how far it went. */
static void on_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	struct vnc_server *s = ((struct viewer *)client->clientData)->server;
	struct machine *m = s->vnc->machine;
	int wheel = buttons & 8 ? -1 : buttons & 16 ? 1 : 0;
	u8 pressed = (u8)((buttons & 1 ? PS2_LEFT : 0) | (buttons & 2 ? PS2_MIDDLE : 0) |
			  (buttons & 4 ? PS2_RIGHT : 0));

	pthread_mutex_lock(&m->lock);
	i8042_mouse(&m->i8042, x - s->x, y - s->y, wheel, pressed);
	pthread_mutex_unlock(&m->lock);
	s->x = x;
	s->y = y;
	rfbDefaultPtrAddEvent(buttons, x, y, client);
}

/* ---- viewers ---- */

static void on_gone(rfbClientPtr client)
{
	struct viewer *w = client->clientData;
	struct vnc_server *s = w->server;
	struct machine *m = s->vnc->machine;

	pthread_mutex_lock(&m->lock);
	while (w->n)
		keys_event(&m->keys, w->down[--w->n], false);
	s->socket[w->slot] = -1;
	s->vnc->viewers--;
	pthread_mutex_unlock(&m->lock);
	client->clientData = NULL;
	free(w);
}

static enum rfbNewClientAction on_new(rfbClientPtr client)
{
	struct vnc_server *s = client->screen->screenData;
	struct machine *m = s->vnc->machine;
	struct viewer *w = calloc(1, sizeof(*w));

	if (!w)
		return RFB_CLIENT_REFUSE;
	w->server = s;
	pthread_mutex_lock(&m->lock);
	while (w->slot < VIEWERS_MAX && s->socket[w->slot] >= 0)
		w->slot++;
	if (w->slot < VIEWERS_MAX) {
		s->socket[w->slot] = client->sock;
		s->vnc->viewers++;
	}
	pthread_mutex_unlock(&m->lock);
	if (w->slot == VIEWERS_MAX) {
		free(w);
		return RFB_CLIENT_REFUSE;
	}
	client->clientData = w;
	client->clientGoneHook = on_gone;
	return RFB_CLIENT_ACCEPT;
}

static void accept_viewer(struct vnc_server *s)
{
	int fd = usock_accept(s->vnc->fd);

	if (fd < 0)
		return;
	if (!s->vnc->viewers) {		/* nobody has followed what happened meanwhile */
		s->surface.drawn = false;
		refresh(s);
	}
	rfbNewClient(s->screen, fd);	/* closes it if it fails */
}

static bool make_screen(struct vnc_server *s)
{
	static char *passwords[2];
	struct machine *m = s->vnc->machine;
	struct vga_surface *f = &s->surface;
	rfbScreenInfoPtr screen;

	/* Room for every mode: what none has used takes no memory. */
	f->pixels = calloc(VGA_WIDTH_MAX * VGA_HEIGHT_MAX, sizeof(*f->pixels));
	f->cells = calloc(VGA_WIDTH_MAX / 8 * VGA_HEIGHT_MAX, sizeof(*f->cells));
	resize(f, &m->svga.vga);
	screen = f->pixels && f->cells ? rfbGetScreen(NULL, NULL, (int)f->width, (int)f->height,
						      8, 3, 4) : NULL;
	if (!screen)
		return false;
	screen->frameBuffer = (char *)f->pixels;
	set_format(screen);
	screen->desktopName = m->name;
	screen->screenData = s;
	screen->port = screen->ipv6port = 0;	/* we listen ourselves */
	screen->httpPort = screen->http6Port = 0;
	screen->alwaysShared = TRUE;
	screen->cursor = NULL;			/* the guest draws its own */
	screen->maxClientWait = STALL_MS;
	screen->deferUpdateTime = 0;
	screen->kbdAddEvent = on_key;
	screen->ptrAddEvent = on_pointer;
	screen->newClientHook = on_new;
	if (*s->vnc->password) {
		passwords[0] = s->vnc->password;
		screen->authPasswdData = passwords;
		screen->passwordCheck = rfbCheckPasswordByList;
	}
	rfbInitServer(screen);
	s->screen = screen;
	return true;
}

static void serve(struct vnc_server *s)
{
	struct pollfd fds[2] = {
		{ .fd = s->vnc->wake_fd, .events = POLLIN },
		{ .fd = s->vnc->fd, .events = POLLIN },
	};

	/* With viewers their events are what is waited for, below. */
	while (poll(fds, 2, s->vnc->viewers ? 0 : -1) >= 0 || errno == EINTR) {
		if (fds[0].revents)
			break;
		if (fds[1].revents)
			accept_viewer(s);
		if (!s->vnc->viewers)
			continue;
		rfbProcessEvents(s->screen, EVENTS_US);
		if (loop_monotonic(NULL) - s->drawn_at >= FRAME_NS)
			refresh(s);
	}
}

static struct vnc_server server;	/* its sockets are closed from outside */

static void *vnc_main(void *arg)
{
	struct vnc_server *s = arg;

	serve(s);
	rfbShutdownServer(s->screen, TRUE);
	return NULL;
}

/* ---- life cycle ---- */

static int listen_tcp(struct vnc *v, struct error *err)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons((u16)v->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;

	v->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (v->fd >= 0)
		setsockopt(v->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (v->fd < 0 || bind(v->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(v->fd, VIEWERS_MAX))
		return error_set(err, "cannot listen at 127.0.0.1:%u: %s; set RemoteDisplay.vnc.port to another",
				 v->port, strerror(errno));
	return 0;
}

static int listen_at(struct vnc *v, const struct vmx *config, struct error *err)
{
	char path[PATH_MAX];

	vmx_path(config, "worldswitch.vnc.socket", path, sizeof(path));
	v->port = (unsigned int)vmx_uint(config, "RemoteDisplay.vnc.port");
	if (!*path)
		return listen_tcp(v, err);
	v->fd = usock_listen(path, err);
	if (v->fd < 0)
		return -1;
	strcpy(v->path, path);		/* it is one of a socket, so it fits */
	return 0;
}

int vnc_open(struct vnc *v, struct machine *m, const struct vmx *config, struct error *err)
{
	const char *password = vmx_str(config, "RemoteDisplay.vnc.password");

	*v = (struct vnc){ .machine = m, .fd = -1, .wake_fd = -1 };
	if (!vmx_bool(config, "RemoteDisplay.vnc.enabled"))
		return 0;
	if (!m->svga.present)
		return error_set(err, "RemoteDisplay.vnc.enabled without a display; set svga.present = \"TRUE\"");
	/* What the protocol takes: the rest would not be looked at. */
	if (strlen(password) >= sizeof(v->password))
		return error_set(err, "RemoteDisplay.vnc.password has more than %zu characters; VNC knows no longer ones",
				 sizeof(v->password) - 1);
	strcpy(v->password, password);
	v->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (v->wake_fd < 0)
		return error_set(err, "cannot make an event descriptor: %s", strerror(errno));
	return listen_at(v, config, err);
}

/* What the library does the first time only, it does before rights are given up. */
static void warm_up(void)
{
	unsigned char challenge[16] = "";
	char password[9] = "x";

	rfbLogEnable(0);
	rfbEncryptBytes(challenge, password);
	rfbRandomBytes(challenge);
}

int vnc_start(struct vnc *v, struct error *err)
{
	int ret;

	if (v->fd < 0)
		return 0;
	warm_up();
	server = (struct vnc_server){ .vnc = v };
	for (unsigned int i = 0; i < VIEWERS_MAX; i++)
		server.socket[i] = -1;
	ret = make_screen(&server) ? pthread_create(&v->thread, NULL, vnc_main, &server) : ENOMEM;
	if (ret)
		return error_set(err, "cannot start VNC: %s", strerror(ret));
	v->running = true;
	return 0;
}

void vnc_close(struct vnc *v)
{
	u64 one = 1;

	if (v->running) {
		/* Also one who does not read must not hold up the end. */
		pthread_mutex_lock(&v->machine->lock);
		for (unsigned int i = 0; i < VIEWERS_MAX; i++)
			if (server.socket[i] >= 0)
				shutdown(server.socket[i], SHUT_RDWR);
		pthread_mutex_unlock(&v->machine->lock);
		if (write(v->wake_fd, &one, sizeof(one)) == sizeof(one))
			pthread_join(v->thread, NULL);
		rfbScreenCleanup(server.screen);
		free(server.surface.pixels);
		free(server.surface.cells);
		v->running = false;
	}
	if (v->fd >= 0)
		close(v->fd);
	if (*v->path)
		unlink(v->path);
	if (v->wake_fd >= 0)
		close(v->wake_fd);
	v->fd = v->wake_fd = -1;
	*v->path = '\0';
}
