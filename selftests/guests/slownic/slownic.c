// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test's slow NIC, slow0: it takes frames in pieces, keeps each for `delay` ms and
 * throws it away. `changed` counts those that are not what they were when they came.
 */
#include <linux/etherdevice.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>

static unsigned int delay;
module_param(delay, uint, 0600);
MODULE_PARM_DESC(delay, "milliseconds; what has come before is meant as well");

static unsigned int pages, held, changed;
module_param(pages, uint, 0400);
MODULE_PARM_DESC(pages, "frames that came with somebody's pages");
module_param(held, uint, 0400);
MODULE_PARM_DESC(held, "frames that are kept now");
module_param(changed, uint, 0400);
MODULE_PARM_DESC(changed, "frames that have changed meanwhile");

struct kept {
	unsigned long since;
	__wsum sum;
};

static struct net_device *slow0;
static struct sk_buff_head queue;
static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(later, look);

static struct kept *kept_of(struct sk_buff *skb)
{
	return (struct kept *)skb->cb;
}

static netdev_tx_t slownic_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct kept *kept = kept_of(skb);

	kept->since = jiffies;
	kept->sum = skb_checksum(skb, 0, skb->len, 0);
	if (skb_zcopy(skb))
		pages++;
	skb_queue_tail(&queue, skb);
	WRITE_ONCE(held, skb_queue_len(&queue));
	schedule_delayed_work(&later, 1);
	return NETDEV_TX_OK;
}

/* The oldest frame, if it is time for it. */
static struct sk_buff *take(bool all)
{
	unsigned long ticks = msecs_to_jiffies(READ_ONCE(delay));
	struct sk_buff *skb;

	spin_lock_bh(&queue.lock);
	skb = skb_peek(&queue);
	if (skb && (all || time_after_eq(jiffies, kept_of(skb)->since + ticks)))
		__skb_unlink(skb, &queue);
	else
		skb = NULL;
	WRITE_ONCE(held, skb_queue_len(&queue));
	spin_unlock_bh(&queue.lock);
	return skb;
}

static void drop(bool all)
{
	struct sk_buff *skb;

	while ((skb = take(all))) {
		if (skb_checksum(skb, 0, skb->len, 0) != kept_of(skb)->sum)
			changed++;
		consume_skb(skb);
	}
}

static void look(struct work_struct *work)
{
	drop(false);
	if (!skb_queue_empty_lockless(&queue))
		schedule_delayed_work(&later, 1);
}

static const struct net_device_ops slownic_ops = {
	.ndo_start_xmit = slownic_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void slownic_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &slownic_ops;
	dev->needs_free_netdev = true;
	dev->features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA;
	eth_hw_addr_random(dev);
}

static int __init slownic_init(void)
{
	int err;

	skb_queue_head_init(&queue);
	slow0 = alloc_netdev(0, "slow0", NET_NAME_ENUM, slownic_setup);
	if (!slow0)
		return -ENOMEM;
	err = register_netdev(slow0);
	if (err)
		free_netdev(slow0);
	return err;
}

static void __exit slownic_exit(void)
{
	unregister_netdev(slow0);
	cancel_delayed_work_sync(&later);
	drop(true);
}

module_init(slownic_init);
module_exit(slownic_exit);

MODULE_DESCRIPTION("A slow NIC for the tests of path direct");
MODULE_LICENSE("GPL");
