/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/link-counter.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    struct nlmsghdr head;
    struct ifinfomsg info;
} Question;

static gboolean read_stats(const guint8 *data, gsize length, guint64 *received, guint64 *sent)
{
    struct nlmsghdr head;
    gsize at = NLMSG_LENGTH(sizeof(struct ifinfomsg));
    if (length < sizeof head)
        return FALSE;
    memcpy(&head, data, sizeof head);
    if (head.nlmsg_type != RTM_NEWLINK || head.nlmsg_len > length)
        return FALSE;
    while (at + sizeof(struct rtattr) <= head.nlmsg_len) {
        struct rtattr attribute;
        struct rtnl_link_stats64 stats;
        memcpy(&attribute, data + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > head.nlmsg_len)
            return FALSE;
        if (attribute.rta_type == IFLA_STATS64) {
            memset(&stats, 0, sizeof stats);
            memcpy(&stats, data + at + RTA_LENGTH(0),
                   MIN(sizeof stats, attribute.rta_len - RTA_LENGTH(0)));
            *received = stats.rx_bytes;
            *sent = stats.tx_bytes;
            return TRUE;
        }
        at += RTA_ALIGN(attribute.rta_len);
    }
    return FALSE;
}

gboolean link_counter(const char *interface, guint64 *received, guint64 *sent)
{
    guint8 answer[16384];
    unsigned index = if_nametoindex(interface);
    const Question question = {
        .head = {.nlmsg_len = sizeof question,
                 .nlmsg_type = RTM_GETLINK,
                 .nlmsg_flags = NLM_F_REQUEST},
        .info = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
    };
    if (index == 0)
        return FALSE;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return FALSE;
    gboolean good = FALSE;
    if (send(fd, &question, sizeof question, 0) == (ssize_t)sizeof question) {
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        good = n > 0 && read_stats(answer, (gsize)n, received, sent);
    }
    close(fd);
    return good;
}
