// SPDX-License-Identifier: GPL-2.0-only
/*
 * The switch table: which port an address is behind. Fixed entries are the
 * addresses that ports own (a guest's NIC, the host's), and no frame moves
 * them; learned ones come from source addresses and age.
 */
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "vmnet.h"

struct vmnet_fdb_entry {
	struct hlist_node node;
	struct rcu_head rcu;
	struct vmnet_port *port;	/* changes under fdb->lock */
	unsigned long seen;		/* jiffies */
	bool fixed;
	u8 mac[ETH_ALEN];
};

/* The seed keeps a guest from choosing addresses that share a bucket. */
static struct hlist_head *bucket_of(struct vmnet_fdb *fdb, const u8 *mac)
{
	return &fdb->bucket[jhash(mac, ETH_ALEN, fdb->seed) % VMNET_FDB_BUCKETS];
}

static bool is_stale(const struct vmnet_fdb_entry *e)
{
	return !e->fixed && time_after(jiffies, READ_ONCE(e->seen) + VMNET_FDB_AGE);
}

/* Under RCU or fdb->lock. */
static struct vmnet_fdb_entry *find_entry(struct vmnet_fdb *fdb, const u8 *mac)
{
	struct vmnet_fdb_entry *e;

	hlist_for_each_entry_rcu(e, bucket_of(fdb, mac), node, lockdep_is_held(&fdb->lock))
		if (ether_addr_equal(e->mac, mac))
			return e;
	return NULL;
}

/* The port that @mac is behind, or NULL. Under RCU. */
struct vmnet_port *vmnet_fdb_find(struct vmnet_fdb *fdb, const u8 *mac)
{
	struct vmnet_fdb_entry *e = find_entry(fdb, mac);

	return e && !is_stale(e) ? READ_ONCE(e->port) : NULL;
}

static void remove_locked(struct vmnet_fdb *fdb, struct vmnet_fdb_entry *e)
{
	lockdep_assert_held(&fdb->lock);
	hlist_del_rcu(&e->node);
	if (!e->fixed)
		e->port->learned--;
	fdb->count--;
	kfree_rcu(e, rcu);
}

/* @fixed entries are not bounded here: there is one per port, and few ports. */
static int add_locked(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac, bool fixed)
{
	struct vmnet_fdb_entry *e;

	lockdep_assert_held(&fdb->lock);
	e = kmalloc(sizeof(*e), GFP_ATOMIC | __GFP_NOWARN);
	if (!e)
		return -ENOMEM;
	ether_addr_copy(e->mac, mac);
	e->port = port;
	e->seen = jiffies;
	e->fixed = fixed;
	hlist_add_head_rcu(&e->node, bucket_of(fdb, mac));
	if (!fixed)
		port->learned++;
	fdb->count++;
	return 0;
}

static bool may_learn(const struct vmnet_fdb *fdb, const struct vmnet_port *port)
{
	if (port->kind == VMNET_PORT_GUEST && port->learned >= VMNET_FDB_GUEST_MAX)
		return false;
	return fdb->count < VMNET_FDB_MAX;
}

/* An address that is new, or was behind another port. */
static void learn_slow(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac)
{
	struct vmnet_fdb_entry *e;
	bool refused = false;

	spin_lock_bh(&fdb->lock);
	e = find_entry(fdb, mac);
	if (e && !e->fixed && e->port != port) {
		remove_locked(fdb, e);
		e = NULL;
	}
	if (!e)
		refused = !may_learn(fdb, port) || add_locked(fdb, port, mac, false);
	spin_unlock_bh(&fdb->lock);
	if (refused)
		vmnet_count(port, VMNET_LEARN_REFUSED);
}

/* A frame from @mac came in through @port. Under RCU. */
void vmnet_fdb_learn(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac)
{
	struct vmnet_fdb_entry *e = find_entry(fdb, mac);
	unsigned long now = jiffies;

	if (!e || (!e->fixed && READ_ONCE(e->port) != port)) {
		learn_slow(fdb, port, mac);
		return;
	}
	/* Once a tick at most: the line stays shared between CPUs. */
	if (!e->fixed && READ_ONCE(e->seen) != now)
		WRITE_ONCE(e->seen, now);
}

/* @mac belongs to @port. -EADDRINUSE: to another port, or to this one already. */
int vmnet_fdb_fix(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac)
{
	struct vmnet_fdb_entry *e;
	int err = -EADDRINUSE;

	spin_lock_bh(&fdb->lock);
	e = find_entry(fdb, mac);
	if (!e || !e->fixed) {
		if (e)
			remove_locked(fdb, e);
		err = add_locked(fdb, port, mac, true);
	}
	spin_unlock_bh(&fdb->lock);
	return err;
}

void vmnet_fdb_unfix(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac)
{
	struct vmnet_fdb_entry *e;

	spin_lock_bh(&fdb->lock);
	e = find_entry(fdb, mac);
	if (e && e->fixed && e->port == port)
		remove_locked(fdb, e);
	spin_unlock_bh(&fdb->lock);
}

/* Forget what leads to @port, or with NULL what is stale. */
void vmnet_fdb_flush(struct vmnet_fdb *fdb, struct vmnet_port *port)
{
	struct vmnet_fdb_entry *e;
	struct hlist_node *next;
	int i;

	for (i = 0; i < VMNET_FDB_BUCKETS; i++) {
		spin_lock_bh(&fdb->lock);
		hlist_for_each_entry_safe(e, next, &fdb->bucket[i], node)
			if (port ? e->port == port : is_stale(e))
				remove_locked(fdb, e);
		spin_unlock_bh(&fdb->lock);
	}
}

static void age_work(struct work_struct *work)
{
	struct vmnet_fdb *fdb = container_of(to_delayed_work(work), struct vmnet_fdb, age);

	vmnet_fdb_flush(fdb, NULL);
	queue_delayed_work(system_power_efficient_wq, &fdb->age, VMNET_FDB_AGE / 2);
}

void vmnet_fdb_init(struct vmnet_fdb *fdb)
{
	spin_lock_init(&fdb->lock);
	fdb->seed = get_random_u32();
	INIT_DELAYED_WORK(&fdb->age, age_work);
	queue_delayed_work(system_power_efficient_wq, &fdb->age, VMNET_FDB_AGE / 2);
}

/* After the last port has been flushed: there is nothing in it any more. */
void vmnet_fdb_destroy(struct vmnet_fdb *fdb)
{
	cancel_delayed_work_sync(&fdb->age);
	WARN_ON(fdb->count);
}
