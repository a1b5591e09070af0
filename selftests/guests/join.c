// SPDX-License-Identifier: GPL-2.0-only
/* join GROUP INTERFACE - join a multicast group until it is killed */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct ip_mreqn group = { .imr_ifindex = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 3 || inet_pton(AF_INET, argv[1], &group.imr_multiaddr) != 1) {
		fprintf(stderr, "usage: join GROUP INTERFACE\n");
		return 2;
	}
	group.imr_ifindex = (int)if_nametoindex(argv[2]);
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group))) {
		perror("join");
		return 1;
	}
	pause();
	return 0;
}
