// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vmnet: a port for VMApp (and for vmctl's capture), through the same
 * interface that vmdriver uses. Each open file is a port.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "vmnet.h"

struct vmnet_user {
	spinlock_t lock;		/* attached, mapped; vec and bit until either */
	bool attached;			/* or about to be */
	bool mapped;
	unsigned int bit;
	struct vmnet_irqvec *vec;
	struct vmnet_port *port;	/* set once; NULL before */
	bool link_event;		/* POLLPRI until the status is read */
	wait_queue_head_t wait;
};

static const struct file_operations user_fops;

static struct vmnet_port *port_of(const struct vmnet_user *user)
{
	/* Pairs with user_attach(). */
	return smp_load_acquire(&user->port);
}

static void user_notify(void *priv, u32 events)
{
	struct vmnet_user *user = priv;
	__poll_t mask = 0;

	if (events & VMNET_EVENT_LINK) {
		WRITE_ONCE(user->link_event, true);
		mask |= EPOLLPRI | EPOLLHUP;
	}
	if (events & VMNET_EVENT_RX)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (events & VMNET_EVENT_TX)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (vmnet_irqvec_raise(user->vec, user->bit, events) && wq_has_sleeper(&user->wait))
		wake_up_interruptible_poll(&user->wait, mask);
}

static const struct vmnet_port_ops user_ops = {
	.notify = user_notify,
};

static int user_open(struct inode *inode, struct file *file)
{
	struct vmnet_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (!user)
		return -ENOMEM;
	user->vec = vmnet_irqvec_alloc();
	if (!user->vec) {
		kfree(user);
		return -ENOMEM;
	}
	spin_lock_init(&user->lock);
	init_waitqueue_head(&user->wait);
	/* misc_open() had put the device there. */
	file->private_data = user;
	return nonseekable_open(inode, file);
}

static int user_release(struct inode *inode, struct file *file)
{
	struct vmnet_user *user = file->private_data;

	if (user->port)
		vmnet_port_detach(user->port);
	vmnet_irqvec_put(user->vec);
	kfree(user);
	return 0;
}

static bool is_gone(struct vmnet_port *port)
{
	return !rcu_access_pointer(port->network);
}

/* ---- frames ------------------------------------------------------------------ */

/* Copies one frame out. A frame that does not reach the user is lost, and counted. */
static ssize_t put_user_frame(struct vmnet_port *port, struct sk_buff *skb, struct iov_iter *to)
{
	struct vmnet_capture cap = { .len = skb->len };
	size_t len = skb->len, room = iov_iter_count(to), head = 0;

	if (port->kind == VMNET_PORT_MONITOR) {
		struct vmnet_capture_cb *cb = vmnet_capture_cb(skb);

		cap.time_ns = cb->time_ns;
		cap.port = cb->port;
		cap.kind = cb->kind;
		head = min(room, sizeof(cap));
		if (copy_to_iter(&cap, head, to) != head)
			goto fault;
		room -= head;
	}
	if (len > room) {
		vmnet_port_count(port, VMNET_RX_TRUNCATED);
		len = room;
	}
	if (skb_copy_datagram_iter(skb, 0, to, len))
		goto fault;
	consume_skb(skb);
	return head + len;

fault:
	vmnet_port_count(port, VMNET_RX_FAULT);
	kfree_skb(skb);
	return -EFAULT;
}

static ssize_t user_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct vmnet_user *user = file->private_data;
	struct vmnet_port *port = port_of(user);
	struct sk_buff *skb;
	int err;

	if (!port)
		return -ENOTCONN;
	for (;;) {
		skb = vmnet_port_receive(port);
		if (skb)
			return put_user_frame(port, skb, to);
		if (is_gone(port))
			return -ENODEV;
		if (file->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT)
			return -EAGAIN;
		err = wait_event_interruptible(user->wait,
					       vmnet_port_waiting(port) || is_gone(port));
		if (err)
			return err;
	}
}

static int wait_for_room(struct vmnet_user *user, struct vmnet_port *port, bool nonblock)
{
	if (likely(vmnet_port_room(port)))
		return 0;
	if (nonblock)
		return -EAGAIN;
	return wait_event_interruptible(user->wait, vmnet_port_room(port) || is_gone(port));
}

static ssize_t user_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct vmnet_user *user = file->private_data;
	struct vmnet_port *port = port_of(user);
	size_t len = iov_iter_count(from);
	struct sk_buff *skb;
	int err;

	if (!port)
		return -ENOTCONN;
	/* Checked before memory is spent on it; what is left is checked with the frame. */
	if (len < VMNET_FRAME_MIN) {
		vmnet_port_count(port, VMNET_TX_SHORT);
		return -EINVAL;
	}
	if (len > VMNET_FRAME_MAX) {
		vmnet_port_count(port, VMNET_TX_LONG);
		return -EMSGSIZE;
	}
	err = wait_for_room(user, port, file->f_flags & O_NONBLOCK ||
			    iocb->ki_flags & IOCB_NOWAIT);
	if (err)
		return err;
	skb = vmnet_port_alloc(len, GFP_KERNEL_ACCOUNT);
	if (!skb) {
		vmnet_port_count(port, VMNET_TX_NOMEM);
		return -ENOMEM;
	}
	if (!copy_from_iter_full(skb->data, len, from)) {
		kfree_skb(skb);
		return -EFAULT;
	}
	err = vmnet_port_transmit(port, skb);
	if (err == -ENOBUFS)
		return -EAGAIN;
	return err ?: len;
}

static __poll_t user_poll(struct file *file, poll_table *wait)
{
	struct vmnet_user *user = file->private_data;
	struct vmnet_port *port = port_of(user);
	__poll_t mask = 0;

	poll_wait(file, &user->wait, wait);
	if (!port)
		return EPOLLERR;
	if (rcu_access_pointer(port->borrower))
		goto link;
	if (vmnet_port_waiting(port))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (port->kind == VMNET_PORT_GUEST && vmnet_port_room(port))
		mask |= EPOLLOUT | EPOLLWRNORM;
link:
	if (READ_ONCE(user->link_event))
		mask |= EPOLLPRI;
	if (is_gone(port))
		mask |= EPOLLHUP;
	return mask;
}

/* ---- control ----------------------------------------------------------------- */

static int user_attach(struct vmnet_user *user, struct vmnet_attach __user *arg)
{
	struct net *net = current->nsproxy->net_ns;
	struct vmnet_attach how;
	struct vmnet_port *port;
	int err = 0;

	if (copy_from_user(&how, arg, sizeof(how)))
		return -EFAULT;
	if (how.flags & VMNET_ATTACH_MONITOR && !ns_capable(net->user_ns, CAP_NET_RAW))
		return -EPERM;
	spin_lock(&user->lock);
	if (user->attached)
		err = -EISCONN;
	user->attached = true;
	spin_unlock(&user->lock);
	if (err)
		return err;
	port = vmnet_port_attach(net, &how, &user_ops, user);
	if (IS_ERR(port)) {
		spin_lock(&user->lock);
		user->attached = false;
		spin_unlock(&user->lock);
		return PTR_ERR(port);
	}
	/* Pairs with port_of(). */
	smp_store_release(&user->port, port);
	/* The port is there in any case: closing the file takes it away. */
	return copy_to_user(arg, &how, sizeof(how)) ? -EFAULT : 0;
}

static int user_status(struct vmnet_user *user, struct vmnet_status __user *arg)
{
	struct vmnet_port *port = port_of(user);
	struct vmnet_status status;

	if (!port)
		return -ENOTCONN;
	/* A change after this is reported again. */
	WRITE_ONCE(user->link_event, false);
	/* The flag falls before the link is looked at. */
	smp_mb();
	vmnet_port_status(port, &status);
	return copy_to_user(arg, &status, sizeof(status)) ? -EFAULT : 0;
}

static int user_set_mac(struct vmnet_user *user, const struct vmnet_mac __user *arg)
{
	struct vmnet_port *port = port_of(user);
	struct vmnet_mac mac;

	if (!port)
		return -ENOTCONN;
	if (copy_from_user(&mac, arg, sizeof(mac)))
		return -EFAULT;
	return mac.pad ? -EINVAL : vmnet_port_set_mac(port, mac.mac);
}

static int use_irqvec(struct vmnet_user *user, struct vmnet_irqvec *vec, unsigned int bit)
{
	int err = 0;

	spin_lock(&user->lock);
	if (user->attached) {
		err = -EISCONN;
	} else if (user->mapped) {
		err = -EBUSY;
	} else {
		swap(user->vec, vec);
		user->bit = bit;
	}
	spin_unlock(&user->lock);
	vmnet_irqvec_put(vec);
	return err;
}

/* The IRQ page of an open file, with a reference. */
static struct vmnet_irqvec *irqvec_of(struct file *file, unsigned int *bit)
{
	struct vmnet_user *user = file->private_data;
	struct vmnet_irqvec *vec;

	if (file->f_op != &user_fops)
		return ERR_PTR(-EBADF);
	spin_lock(&user->lock);
	vec = vmnet_irqvec_get(user->vec);
	*bit = user->bit;
	spin_unlock(&user->lock);
	return vec;
}

static int user_share(struct vmnet_user *user, const struct vmnet_share __user *arg)
{
	struct vmnet_irqvec *vec;
	struct vmnet_share share;
	struct file *other;
	unsigned int bit;

	if (copy_from_user(&share, arg, sizeof(share)))
		return -EFAULT;
	if (share.bit >= VMNET_IRQ_BITS)
		return -EINVAL;
	other = fget(share.fd);
	if (!other)
		return -EBADF;
	vec = irqvec_of(other, &bit);
	fput(other);
	return IS_ERR(vec) ? PTR_ERR(vec) : use_irqvec(user, vec, share.bit);
}

static long user_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmnet_user *user = file->private_data;
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case VMNET_GET_VERSION:
		return VMNET_API_VERSION;
	case VMNET_ATTACH:
		return user_attach(user, p);
	case VMNET_GET_STATUS:
		return user_status(user, p);
	case VMNET_SET_MAC:
		return user_set_mac(user, p);
	case VMNET_SHARE_IRQ_PAGE:
		return user_share(user, p);
	default:
		return -ENOTTY;
	}
}

static int user_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmnet_user *user = file->private_data;
	struct vmnet_irqvec *vec;
	int err;

	spin_lock(&user->lock);
	user->mapped = true;
	vec = vmnet_irqvec_get(user->vec);
	spin_unlock(&user->lock);
	err = vmnet_irqvec_map(vec, vma);
	vmnet_irqvec_put(vec);
	return err;
}

static const struct file_operations user_fops = {
	.owner = THIS_MODULE,
	.open = user_open,
	.release = user_release,
	.read_iter = user_read,
	.write_iter = user_write,
	.poll = user_poll,
	.unlocked_ioctl = user_ioctl,
	.mmap = user_mmap,
};

static struct miscdevice user_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmnet",
	.mode = 0660,
	.fops = &user_fops,
};

struct vmnet_port *vmnet_port_of_file(struct file *file)
{
	struct vmnet_port *port;

	if (file->f_op != &user_fops)
		return ERR_PTR(-EBADF);
	port = port_of(file->private_data);
	return port ?: ERR_PTR(-ENOTCONN);
}
EXPORT_SYMBOL_GPL(vmnet_port_of_file);

int vmnet_userport_init(void)
{
	return misc_register(&user_misc);
}

void vmnet_userport_exit(void)
{
	misc_deregister(&user_misc);
}
