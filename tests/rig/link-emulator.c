/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link-emulator: a radio link in user space, between two network namespaces.
 *
 *     link-emulator [--seed N] [--truth FILE] [--follow MODEM] CLIENT_NS:IF SERVER_NS:IF
 *
 * CLIENT_NS and SERVER_NS are paths of network namespaces (/proc/PID/ns/net, /run/netns/NAME) or
 * "-" for that of the caller. A TUN interface is made in each; addresses and routes are the
 * caller's. "ready" is printed when both stand. Packets from the client's to the server's interface
 * go "up". Standard input takes one command a line, in force at once:
 *
 *     up|down|both KEY=VALUE ...
 *
 * - rate=MBPS: serialisation, 0 = none; queue=MS: longest wait before it, beyond it dropped
 * - delay=MS: added to each packet; jitter=MS: uniform 0..MS more, order kept
 * - gate=MS: released only at multiples of MS
 * - loss=PERCENT: independent; every=N: each N-th; burst=K,N: K in a row of every N
 * - ge=P,Q,B,G: Gilbert-Elliott, good to bad P, back Q, loss in bad B, in good G
 * - swap=N: every N-th overtaken by the next; twice=N: every N-th comes twice
 * - only=MIN,MAX: loss, swap and twice hit only IP packets of these sizes; spare=K: not the first K
 * - outage=0|1: nothing passes; reset=1: all as at the start
 *
 * With --follow it also takes the lines that corridor-rig prints (docs/corridor-rig.1.scd): "link
 * MODEM delay=MS ..." of its modem is in force at once, other lines of the rig are passed over.
 *
 * Each accepted line is answered with "ok", a wrong one with "error: ...". The truth file gets one
 * line for each packet:
 *
 *     way,arrived_ns,released_ns,size,fate,source_port,destination_port,first_word
 *
 * Times are CLOCK_REALTIME; arrived_ns is the kernel's, from when the sender gave the packet to the
 * interface (a packet socket sees it), so how late this program woke up is part of the link and of
 * its truth. fate is sent, lost, queue, outage or twice; released_ns is 0 if it did
 * not pass; first_word is the start of the UDP payload, which in STAMP is the sequence number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKET 2048
#define PER_WAKE   64

typedef struct {
    double rate_bps, queue_ns, delay_ns, jitter_ns, loss, gate_ns;
    double ge_p, ge_q, ge_bad, ge_good;
    unsigned every, burst, burst_of, spare, swap, twice;
    unsigned only_min, only_max;
    gboolean outage;
} Impairment;

typedef struct Packet {
    int64_t arrived_ns, release_ns;
    uint64_t order;
    unsigned size;
    gboolean again;
    uint8_t data[];
} Packet;

typedef struct {
    const char *name;
    int in, out;
    int tap; /* packet socket on the interface packets come from; -1 = no truth wanted */
    Impairment impairment;
    double busy_until_ns, last_release_ns;
    gboolean bad;    /* state of Gilbert-Elliott */
    uint64_t hits;   /* packets that the rules of loss looked at */
    GPtrArray *heap; /* of Packet, smallest release first */
} Way;

static Way ways[2] = {{.name = "up"}, {.name = "down"}};
static GRand *chance;
static FILE *truth;
static const char *follow; /* modem of corridor-rig; NULL = none */
static uint64_t order;

static const Impairment nothing = {.queue_ns = 1e9, .only_max = UINT32_MAX};

static int64_t now_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- queue --- */

static gboolean before(const Packet *a, const Packet *b)
{
    return a->release_ns != b->release_ns ? a->release_ns < b->release_ns : a->order < b->order;
}

static void heap_push(GPtrArray *heap, Packet *packet)
{
    g_ptr_array_add(heap, packet);
    for (guint i = heap->len - 1; i > 0;) {
        guint parent = (i - 1) / 2;
        if (!before(heap->pdata[i], heap->pdata[parent]))
            break;
        gpointer swap = heap->pdata[i];
        heap->pdata[i] = heap->pdata[parent];
        heap->pdata[parent] = swap;
        i = parent;
    }
}

static Packet *heap_pop(GPtrArray *heap)
{
    Packet *top = heap->pdata[0];
    heap->pdata[0] = heap->pdata[heap->len - 1];
    g_ptr_array_set_size(heap, (gint)heap->len - 1);
    for (guint i = 0;;) {
        guint least = i, left = 2 * i + 1, right = left + 1;
        if (left < heap->len && before(heap->pdata[left], heap->pdata[least]))
            least = left;
        if (right < heap->len && before(heap->pdata[right], heap->pdata[least]))
            least = right;
        if (least == i)
            return top;
        gpointer swap = heap->pdata[i];
        heap->pdata[i] = heap->pdata[least];
        heap->pdata[least] = swap;
        i = least;
    }
}

/* --- what happens to a packet --- */

static void write_truth(const Way *way, const uint8_t *data, unsigned size, int64_t arrived_ns,
                        int64_t released_ns, const char *fate)
{
    if (!truth)
        return;
    unsigned head = data[0] >> 4 == 4 ? (data[0] & 15U) * 4 : 40;
    unsigned protocol = data[0] >> 4 == 4 ? data[9] : data[6];
    unsigned source = 0, destination = 0, word = 0;
    if ((protocol == 17 || protocol == 6) && size >= head + 12) {
        const uint8_t *l4 = data + head;
        source = (unsigned)l4[0] << 8 | l4[1];
        destination = (unsigned)l4[2] << 8 | l4[3];
        word = (unsigned)l4[8] << 24 | (unsigned)l4[9] << 16 | (unsigned)l4[10] << 8 | l4[11];
    }
    fprintf(truth, "%s,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%u,%s,%u,%u,%u\n", way->name,
            arrived_ns, released_ns, size, fate, source, destination, word);
}

static gboolean is_lost(Way *way, uint64_t hit)
{
    const Impairment *now = &way->impairment;
    gboolean lost = g_rand_double(chance) < now->loss;
    way->bad = way->bad && now->ge_p > 0;
    if (now->ge_p > 0) {
        double flip = g_rand_double(chance);
        way->bad = way->bad ? flip >= now->ge_q : flip < now->ge_p;
        lost |= g_rand_double(chance) < (way->bad ? now->ge_bad : now->ge_good);
    }
    if (now->every && hit % now->every == now->every - 1)
        lost = TRUE;
    if (now->burst_of && hit % now->burst_of >= now->burst_of - now->burst)
        lost = TRUE;
    return lost;
}

static void enqueue(Way *way, const uint8_t *data, unsigned size, double release_ns,
                    int64_t arrived_ns, gboolean again)
{
    Packet *packet = g_malloc(sizeof *packet + size);
    packet->arrived_ns = arrived_ns;
    packet->release_ns = (int64_t)release_ns;
    packet->order = order++;
    packet->size = size;
    packet->again = again;
    memcpy(packet->data, data, size);
    heap_push(way->heap, packet);
}

static void take(Way *way, const uint8_t *data, unsigned size, int64_t mono_ns, int64_t real_ns)
{
    const Impairment *now = &way->impairment;
    gboolean hit = FALSE;
    uint64_t number = 0;
    if (now->outage) {
        write_truth(way, data, size, real_ns, 0, "outage");
        return;
    }
    if (size >= now->only_min && size <= now->only_max) {
        hit = way->hits >= now->spare;
        number = way->hits++ - now->spare;
    }
    if (hit && is_lost(way, number)) {
        write_truth(way, data, size, real_ns, 0, "lost");
        return;
    }
    double start_ns = MAX((double)mono_ns, way->busy_until_ns);
    if (now->rate_bps > 0) {
        if (start_ns - (double)mono_ns > now->queue_ns) {
            write_truth(way, data, size, real_ns, 0, "queue");
            return;
        }
        start_ns += 8e9 * size / now->rate_bps;
        way->busy_until_ns = start_ns;
    }
    double release_ns = start_ns + now->delay_ns + now->jitter_ns * g_rand_double(chance);
    if (now->gate_ns > 0)
        release_ns = ((double)(int64_t)(release_ns / now->gate_ns) + 1) * now->gate_ns;
    if (hit && now->swap && number % now->swap == now->swap - 1) {
        release_ns += 50e6; /* the next audio packet, 20 ms later, overtakes it */
    } else {
        release_ns = MAX(release_ns, way->last_release_ns);
        way->last_release_ns = release_ns;
    }
    enqueue(way, data, size, release_ns, real_ns, FALSE);
    if (hit && now->twice && number % now->twice == now->twice - 1)
        enqueue(way, data, size, release_ns, real_ns, TRUE);
}

/* When the kernel saw this packet leave its sender: from the copies that the packet socket holds,
 * in the same order. Copies of packets that the interface's queue dropped are passed over. */
static int64_t kernel_time(Way *way, const uint8_t *data, unsigned size)
{
    for (int tries = 0; way->tap >= 0 && tries < 10000; tries++) {
        uint8_t head[48];
        _Alignas(struct cmsghdr) uint8_t control[128];
        struct sockaddr_ll from;
        struct iovec part = {head, sizeof head};
        struct msghdr message = {.msg_name = &from,
                                 .msg_namelen = sizeof from,
                                 .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t n = recvmsg(way->tap, &message, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0)
            break;
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
        if (from.sll_pkttype != PACKET_OUTGOING || (unsigned)n != size ||
            memcmp(head, data, MIN(size, sizeof head)) != 0 || !cmsg ||
            cmsg->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(cmsg), sizeof stamp);
        return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
    }
    return now_of(CLOCK_REALTIME);
}

static void read_packets(Way *way)
{
    uint8_t data[MAX_PACKET];
    for (int i = 0; i < PER_WAKE; i++) {
        ssize_t size = read(way->in, data, sizeof data);
        if (size < 20)
            return;
        int64_t mono_ns = now_of(CLOCK_MONOTONIC);
        take(way, data, (unsigned)size, mono_ns, kernel_time(way, data, (unsigned)size));
    }
}

/* Lets out what is due. Returns when the next is, INT64_MAX = nothing waits. */
static int64_t release(Way *way)
{
    while (way->heap->len > 0) {
        Packet *next = way->heap->pdata[0];
        if (next->release_ns > now_of(CLOCK_MONOTONIC))
            return next->release_ns;
        next = heap_pop(way->heap);
        int64_t released_ns = now_of(CLOCK_REALTIME);
        gboolean sent = write(way->out, next->data, next->size) == (ssize_t)next->size;
        write_truth(way, next->data, next->size, next->arrived_ns, sent ? released_ns : 0,
                    !sent         ? "refused"
                    : next->again ? "twice"
                                  : "sent");
        g_free(next);
    }
    return INT64_MAX;
}

/* --- commands --- */

static gboolean set_key(Impairment *to, const char *key, const char *value)
{
    double a = 0, b = 0, c = 0, d = 0;
    int n = sscanf(value, "%lf,%lf,%lf,%lf", &a, &b, &c, &d);
    if (n < 1 || a < 0)
        return FALSE;
    if (!strcmp(key, "rate"))
        to->rate_bps = a * 1e6;
    else if (!strcmp(key, "queue"))
        to->queue_ns = a * 1e6;
    else if (!strcmp(key, "delay"))
        to->delay_ns = a * 1e6;
    else if (!strcmp(key, "jitter"))
        to->jitter_ns = a * 1e6;
    else if (!strcmp(key, "loss"))
        to->loss = a / 100;
    else if (!strcmp(key, "gate"))
        to->gate_ns = a * 1e6;
    else if (!strcmp(key, "every"))
        to->every = (unsigned)a;
    else if (!strcmp(key, "swap"))
        to->swap = (unsigned)a;
    else if (!strcmp(key, "twice"))
        to->twice = (unsigned)a;
    else if (!strcmp(key, "spare"))
        to->spare = (unsigned)a;
    else if (!strcmp(key, "outage"))
        to->outage = a > 0;
    else if (!strcmp(key, "reset"))
        *to = nothing;
    else if (!strcmp(key, "burst") && n >= 2)
        to->burst = (unsigned)a, to->burst_of = (unsigned)b;
    else if (!strcmp(key, "only") && n >= 2)
        to->only_min = (unsigned)a, to->only_max = (unsigned)b;
    else if (!strcmp(key, "ge") && n >= 2)
        to->ge_p = a, to->ge_q = b, to->ge_bad = n >= 3 ? c : 1, to->ge_good = d;
    else
        return FALSE;
    return TRUE;
}

/* Gilbert's model with every packet of the bad state lost: a mean run of `burst` packets, the share
 * `loss` of all. */
static void lose(Impairment *now, double loss, double burst)
{
    gboolean bursts = burst > 1 && loss > 0 && loss < 1;
    now->loss = bursts ? 0 : loss;
    now->ge_q = bursts ? 1 / burst : 0;
    now->ge_p = bursts ? MIN(1, now->ge_q * loss / (1 - loss)) : 0;
    now->ge_bad = 1;
    now->ge_good = 0;
}

/* "link MODEM delay=20 jitter=5 loss=0.01 burst=2 up=2000 down=9000 queue=300 outage=0" of
 * corridor-rig. */
static gboolean obey_rig(const char *line)
{
    char modem[64];
    double delay_ms, jitter_ms, loss, burst, kbps[2], queue_ms;
    int outage;
    if (sscanf(line,
               "link %63s delay=%lf jitter=%lf loss=%lf burst=%lf up=%lf down=%lf queue=%lf "
               "outage=%d",
               modem, &delay_ms, &jitter_ms, &loss, &burst, &kbps[0], &kbps[1], &queue_ms,
               &outage) != 9)
        return FALSE;
    for (int way = 0; way < 2 && !strcmp(modem, follow); way++) {
        Impairment *now = &ways[way].impairment;
        now->delay_ns = delay_ms * 1e6;
        now->jitter_ns = jitter_ms * 1e6;
        lose(now, loss, burst);
        now->rate_bps = kbps[way] * 1e3;
        now->queue_ns = queue_ms * 1e6;
        now->outage = outage != 0;
    }
    return TRUE;
}

static void command(const char *line)
{
    if (follow && (obey_rig(line) || g_str_has_prefix(line, "fault ") || !strcmp(line, "ready"))) {
        printf("ok\n");
        return;
    }
    g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
    gboolean up = words[0] && (!strcmp(words[0], "up") || !strcmp(words[0], "both"));
    gboolean down = words[0] && (!strcmp(words[0], "down") || !strcmp(words[0], "both"));
    Impairment next[2] = {ways[0].impairment, ways[1].impairment};
    gboolean good = up || down;
    for (unsigned i = 1; good && words[i]; i++) {
        char *value = strchr(words[i], '=');
        if (!words[i][0])
            continue;
        if (!value) {
            good = FALSE;
            break;
        }
        *value++ = '\0';
        for (int way = 0; way < 2; way++) {
            if (way == 0 ? up : down)
                good = good && set_key(&next[way], words[i], value);
        }
    }
    if (!good) {
        printf("error: %s\n", line);
        return;
    }
    for (int way = 0; way < 2; way++) {
        if (!(way == 0 ? up : down))
            continue;
        ways[way].impairment = next[way];
        ways[way].hits = 0;
        ways[way].bad = FALSE;
    }
    printf("ok\n");
}

/* FALSE at the end of the input. */
static gboolean read_commands(void)
{
    static char line[1024];
    static size_t at;
    ssize_t n = read(STDIN_FILENO, line + at, sizeof line - 1 - at);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    at += (size_t)n;
    line[at] = '\0';
    for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        *end = '\0';
        if (line[0])
            command(line);
        at -= (size_t)(end + 1 - line);
        memmove(line, end + 1, at + 1);
    }
    if (at == sizeof line - 1)
        at = 0;
    if (truth)
        fflush(truth);
    fflush(stdout);
    return TRUE;
}

/* --- start --- */

static int open_tap(const char *name)
{
    int on = 1, room = 8 << 20;
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(name)};
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    return fd;
}

static int open_tun(const char *where, int *tap)
{
    g_autofree char *space = g_strdup(where);
    char *name = strrchr(space, ':');
    if (!name || strlen(name + 1) >= IFNAMSIZ)
        return -1;
    *name++ = '\0';
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (strcmp(space, "-") != 0) {
        int other = open(space, O_RDONLY | O_CLOEXEC);
        if (other < 0 || setns(other, CLONE_NEWNET) != 0)
            return -1;
        close(other);
    }
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    memcpy(request.ifr_name, name, strlen(name));
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        return -1;
    *tap = truth ? open_tap(name) : -1;
    if (setns(own, CLONE_NEWNET) != 0)
        return -1;
    close(own);
    return fd;
}

/* A link must not be late because the machine is busy: real-time where that is allowed. */
static void hurry(void)
{
    const struct sched_param param = {.sched_priority = 10};
    if (sched_setscheduler(0, SCHED_FIFO, &param) != 0)
        (void)setpriority(PRIO_PROCESS, 0, -20);
    (void)mlockall(MCL_CURRENT | MCL_FUTURE);
    (void)prctl(PR_SET_TIMERSLACK, 1);
}

static void loop(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct pollfd fds[] = {{ways[0].in, POLLIN, 0},
                           {ways[1].in, POLLIN, 0},
                           {timer, POLLIN, 0},
                           {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        int64_t next_ns = MIN(release(&ways[0]), release(&ways[1]));
        struct itimerspec spec = {0};
        if (next_ns != INT64_MAX) {
            spec.it_value.tv_sec = (time_t)(next_ns / 1000000000);
            spec.it_value.tv_nsec = (long)(next_ns % 1000000000);
        }
        (void)timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
            return;
        if (fds[0].revents)
            read_packets(&ways[0]);
        if (fds[1].revents)
            read_packets(&ways[1]);
        if (fds[3].revents && !read_commands())
            return;
    }
}

int main(int argc, char **argv)
{
    guint32 seed = 1;
    int at = 1;
    for (; at + 1 < argc && g_str_has_prefix(argv[at], "--"); at += 2) {
        if (!strcmp(argv[at], "--seed"))
            seed = (guint32)strtoul(argv[at + 1], NULL, 10);
        else if (!strcmp(argv[at], "--truth"))
            truth = fopen(argv[at + 1], "w");
        else if (!strcmp(argv[at], "--follow"))
            follow = argv[at + 1];
    }
    if (argc - at != 2) {
        fprintf(stderr, "link-emulator: use: [--seed N] [--truth FILE] [--follow MODEM] "
                        "CLIENT_NS:IF SERVER_NS:IF\n");
        return 2;
    }
    int client = open_tun(argv[at], &ways[0].tap);
    int server = open_tun(argv[at + 1], &ways[1].tap);
    if (client < 0 || server < 0) {
        fprintf(stderr, "link-emulator: cannot make the interfaces: %s\n", g_strerror(errno));
        return 1;
    }
    ways[0].in = ways[1].out = client;
    ways[0].out = ways[1].in = server;
    chance = g_rand_new_with_seed(seed);
    for (int way = 0; way < 2; way++) {
        ways[way].impairment = nothing;
        ways[way].heap = g_ptr_array_new();
    }
    hurry();
    printf("ready\n");
    fflush(stdout);
    loop();
    if (truth)
        fclose(truth);
    return 0;
}
