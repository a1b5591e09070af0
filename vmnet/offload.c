// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's stack and its NICs leave for later (cutting large frames,
 * checksums, VLAN tags beside the frame) is done here, before a frame enters a
 * network: a guest's card gets what it would get from a wire.
 */
#include "vmnet.h"

static struct sk_buff *make_ordinary(struct sk_buff *skb)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_csum_hwoffload_help(skb, 0)) {
		kfree_skb(skb);
		return NULL;
	}
	skb->ip_summed = CHECKSUM_NONE;
	return skb_vlan_tag_present(skb) ? __vlan_hwaccel_push_inside(skb) : skb;
}

/*
 * A frame from outside enters through @port, the host's or the NIC's. It
 * begins at its MAC header. Under RCU, softirqs off. Owns @skb.
 */
void vmnet_offload_enter(struct vmnet_port *port, struct sk_buff *skb)
{
	struct vmnet_network *nw = rcu_dereference(port->network);
	struct sk_buff *segs, *next;

	if (!nw)
		return vmnet_drop(port, VMNET_TX_LINK, skb);
	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, NETIF_F_SG);
		if (IS_ERR(segs))
			return vmnet_drop(port, VMNET_TX_NOMEM, skb);
		if (segs) {
			consume_skb(skb);
			skb = segs;
		}
	}
	skb_list_walk_safe(skb, skb, next) {
		skb_mark_not_on_list(skb);
		skb = make_ordinary(skb);
		if (!skb) {
			vmnet_count(port, VMNET_TX_NOMEM);
			continue;
		}
		vmnet_count_frame(port, VMNET_TX_FRAMES, skb->len);
		vmnet_hub_forward(nw, port, skb);
	}
}
