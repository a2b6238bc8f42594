/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/flow.h"

#include "formats/bytes.h"
#include "logger/pcapng.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define MS  G_GINT64_CONSTANT(1000000)
#define T0  G_GINT64_CONSTANT(1790000000000000000)
#define ACK 0x10
#define SYN 0x02

typedef struct {
    FlowBin bins[100];
    unsigned n;
    FlowBin sum;
    double rtt_ms[100];
    unsigned n_rtt;
} Out;

static void collect(const FlowBin *bin, gpointer data)
{
    Out *out = data;
    out->bins[out->n++] = *bin;
    for (int way = 0; way < 2; way++) {
        out->sum.goodput[way] += bin->goodput[way];
        out->sum.bytes[way] += bin->bytes[way];
        out->sum.retransmissions[way] += bin->retransmissions[way];
        out->sum.out_of_order[way] += bin->out_of_order[way];
    }
    out->sum.n_rtt += bin->n_rtt;
    if (bin->n_rtt)
        out->rtt_ms[out->n_rtt++] = bin->rtt_ms;
}

/* One IPv4 TCP segment; stamp 0 = no timestamp option. Returns the captured length. */
static gsize segment(guint8 *data, gboolean up, guint32 seq, guint32 ack, guint8 flags,
                     gsize payload, guint32 stamp, guint32 echo, gsize *length)
{
    guint8 ours[4] = {10, 0, 0, 1}, theirs[4] = {192, 0, 2, 7};
    gsize head = stamp ? 32 : 20;
    ByteWriter writer = byte_writer(data, 100);
    *length = 20 + head + payload;
    byte_write_u8(&writer, 0x45);
    byte_write_u8(&writer, 0);
    byte_write_u16(&writer, (guint16)*length);
    byte_write_u32(&writer, 0);
    byte_write_u8(&writer, 64);
    byte_write_u8(&writer, 6);
    byte_write_u16(&writer, 0);
    byte_write_run(&writer, up ? ours : theirs, 4);
    byte_write_run(&writer, up ? theirs : ours, 4);
    byte_write_u16(&writer, up ? 40000 : 443);
    byte_write_u16(&writer, up ? 443 : 40000);
    byte_write_u32(&writer, seq);
    byte_write_u32(&writer, ack);
    byte_write_u8(&writer, (guint8)(head / 4 << 4));
    byte_write_u8(&writer, flags);
    byte_write_zero(&writer, 6);
    if (stamp) {
        byte_write_u16(&writer, 0x0101);
        byte_write_u16(&writer, 0x080a);
        byte_write_u32(&writer, stamp);
        byte_write_u32(&writer, echo);
    }
    return writer.at;
}

static FlowShare feed(Flow *flow, gint64 at_ms, gboolean up, guint32 seq, guint32 ack, guint8 flags,
                      gsize payload, guint32 stamp, guint32 echo)
{
    guint8 data[100];
    gsize length, captured = segment(data, up, seq, ack, flags, payload, stamp, echo, &length);
    return flow_packet(flow, up, T0 + at_ms * MS, data, captured, length);
}

/* Handshake, a megabyte down with acknowledgements, one hole filled late. */
static void test_download(void)
{
    static Out out;
    memset(&out, 0, sizeof out);
    g_autoptr(Flow) flow = flow_new(collect, &out);
    feed(flow, 0, TRUE, 100, 0, SYN, 0, 0, 0);
    feed(flow, 40, FALSE, 900, 101, SYN | ACK, 0, 0, 0);
    guint32 seq = 901;
    for (int i = 0; i < 1000; i++) {
        if (i == 500) { /* lost on the way: comes 60 ms later */
            seq += 1000;
            continue;
        }
        feed(flow, 50 + i, FALSE, seq, 101, ACK, 1000, 0, 0);
        seq += 1000;
        if (i == 560)
            feed(flow, 50 + i, FALSE, 901 + 500000, 101, ACK, 1000, 0, 0);
        if (i % 2)
            feed(flow, 50 + i, TRUE, 101, seq, ACK, 0, 0, 0);
    }
    flow_finish(flow);
    g_assert_cmpuint(out.sum.goodput[0], ==, 1000000);
    g_assert_cmpuint(out.sum.goodput[1], ==, 0);
    g_assert_cmpuint(out.sum.retransmissions[0], ==, 1);
    g_assert_cmpuint(out.sum.retransmissions[1], ==, 0);
    g_assert_cmpuint(out.sum.n_rtt, ==, 1); /* only the handshake tells without timestamps */
    g_assert_cmpfloat_with_epsilon(out.rtt_ms[0], 40, 1e-6);
    for (unsigned i = 1; i + 1 < out.n; i++) { /* busy: every 100 ms */
        g_assert_cmpint(out.bins[i].duration_ns, ==, FLOW_BIN_NS);
        g_assert_cmpint(out.bins[i].start_ns % FLOW_BIN_NS, ==, 0);
    }
}

/* Timestamps give round trips while only acknowledgements go up. */
static void test_stamps(void)
{
    static Out out;
    memset(&out, 0, sizeof out);
    g_autoptr(Flow) flow = flow_new(collect, &out);
    guint32 seq = 1;
    for (int i = 0; i < 100; i++) {
        feed(flow, i * 50, TRUE, 1, seq, ACK, 0, 1000 + (guint32)i, 77);
        feed(flow, i * 50 + 35, FALSE, seq, 1, ACK, 1400, 77, 1000 + (guint32)i);
        seq += 1400;
    }
    flow_finish(flow);
    g_assert_cmpuint(out.sum.n_rtt, ==, 100);
    for (unsigned i = 0; i < out.n_rtt; i++)
        g_assert_cmpfloat_with_epsilon(out.rtt_ms[i], 35, 1e-6);
    g_assert_cmpuint(out.n, <=, 7); /* quiet: put together to a second */
    g_assert_cmpuint(out.sum.goodput[0], ==, 140000);
}

/* Up: sent again is counted and is no goodput; Karn's rule keeps its answer out of the round trips;
 * packets that only changed order are not taken for it. */
static void test_retransmission(void)
{
    static Out out;
    memset(&out, 0, sizeof out);
    g_autoptr(Flow) flow = flow_new(collect, &out);
    feed(flow, 0, TRUE, 1, 1, ACK, 1000, 0, 0);
    feed(flow, 300, TRUE, 1, 1, ACK, 1000, 0, 0);
    feed(flow, 330, FALSE, 1, 1001, ACK, 0, 0, 0);
    feed(flow, 400, TRUE, 1001, 1, ACK, 1000, 0, 0);
    feed(flow, 425, FALSE, 1, 2001, ACK, 0, 0, 0);
    feed(flow, 500, FALSE, 1001, 2001, ACK, 1000, 0, 0); /* these two have changed places */
    feed(flow, 501, FALSE, 1, 2001, ACK, 1000, 0, 0);
    flow_finish(flow);
    g_assert_cmpuint(out.sum.retransmissions[1], ==, 1);
    g_assert_cmpuint(out.sum.retransmissions[0], ==, 0);
    g_assert_cmpuint(out.sum.goodput[1], ==, 2000);
    g_assert_cmpuint(out.sum.goodput[0], ==, 2000);
    g_assert_cmpuint(out.sum.n_rtt, ==, 1);
    g_assert_cmpfloat_with_epsilon(out.rtt_ms[0], 25, 1e-6);
}

/* Each byte of ours is acknowledged once, over the end of the numbers and whatever comes twice. */
static void test_acknowledged(void)
{
    static Out out;
    g_autoptr(Flow) flow = flow_new(collect, &out);
    static const struct {
        gboolean up;
        guint32 seq, ack;
        guint8 flags;
        gsize payload;
        guint64 acked;
    } rows[] = {
        {TRUE, 0xffffff00, 0, SYN, 0, 0},    {FALSE, 1, 0xffffff01, SYN | ACK, 0, 0},
        {TRUE, 0xffffff01, 2, ACK, 1000, 0}, {FALSE, 2, 0xffffff81, ACK, 0, 128},
        {FALSE, 2, 0xffffff81, ACK, 500, 0}, {TRUE, 745, 502, ACK, 0, 500},
        {FALSE, 502, 745, ACK, 0, 872},      {FALSE, 2, 0xffffff81, ACK, 0, 0}, /* overtaken */
        {FALSE, 502, 9999, 0, 100, 0}}; /* says nothing of it */
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        FlowShare share = feed(flow, (gint64)i, rows[i].up, rows[i].seq, rows[i].ack, rows[i].flags,
                               rows[i].payload, 0, 0);
        g_assert_cmpuint(share.acked, ==, rows[i].acked);
        g_assert_cmpuint(share.goodput, ==, i == 4 || rows[i].up || i == 8 ? rows[i].payload : 0);
        g_assert_cmpuint(share.bytes, ==, 40 + rows[i].payload);
    }
}

/* Any bytes at all: no crash, and no more goodput than the packet could hold. */
static void test_garbage(void)
{
    static Out out;
    for (int i = 0; i < 20000; i++) {
        guint8 data[FLOW_SNAPLEN];
        gsize captured = (gsize)g_test_rand_int_range(0, FLOW_SNAPLEN);
        memset(&out, 0, sizeof out);
        for (gsize at = 0; at < captured; at++)
            data[at] = (guint8)g_test_rand_int();
        if (captured > 10 && i % 2) {
            data[0] = i % 4 == 1 ? 0x45 : 0x60;
            data[i % 4 == 1 ? 9 : 6] = i % 8 < 4 ? 6 : 17;
        }
        g_autoptr(Flow) flow = flow_new(collect, &out);
        flow_packet(flow, i % 3 == 0, T0 + i, data, captured, captured);
        flow_finish(flow);
        g_assert_cmpuint(out.sum.goodput[0] + out.sum.goodput[1], <=, 65536);
    }
}

/* The debug file: blocks of the right size, no address in it, rotation within the bound. */
static void test_pcapng(void)
{
    g_autofree char *folder = g_dir_make_tmp("pcapng-XXXXXX", NULL);
    g_autofree char *prefix = g_build_filename(folder, "debug", NULL);
    g_autoptr(GError) error = NULL;
    Pcapng *pcapng = pcapng_new(prefix, 5000, 2, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 300; i++) {
        guint8 data[100];
        gsize length, captured = segment(data, i % 2, 1, 1, ACK, 30, 5, 6, &length);
        memset(data + captured, 'S', 30); /* payload that must not be kept */
        g_assert_true(pcapng_packet(pcapng, i % 2, T0 + i, data, captured + 30, length, &error));
        /* headers that claim to be shorter than headers are, of every protocol */
        data[0] = (guint8)(0x40 + i % 5);
        data[9] = (guint8)i;
        g_assert_true(pcapng_packet(pcapng, i % 2, T0 + i, data, captured + 30, length, &error));
    }
    pcapng_free(pcapng);
    for (int number = 0; number < 2; number++) {
        g_autofree char *path = g_strdup_printf("%s-%d.pcapng", prefix, number);
        g_autofree char *text = NULL;
        gsize length = 0;
        g_assert_true(g_file_get_contents(path, &text, &length, NULL));
        g_assert_cmpuint(length, <=, 5200);
        ByteReader reader = byte_reader(text, length);
        guint packets = 0;
        while (byte_reader_left(&reader) > 0) {
            gsize start = reader.at;
            guint32 type = byte_read_u32_le(&reader);
            guint32 size = byte_read_u32_le(&reader);
            g_assert_cmpuint(size % 4, ==, 0);
            byte_read_skip(&reader, size - 12);
            g_assert_cmpuint(byte_read_u32_le(&reader), ==, size);
            g_assert_true(byte_reader_done(&reader));
            if (type == 6) {
                static const guint8 nothing[8] = {0};
                g_assert_true(memcmp(text + start + 28 + 12, nothing, 8) == 0);
                packets++;
            }
        }
        g_assert_cmpuint(packets, >, 10);
        g_assert_null(memchr(text, 'S', length));
        g_unlink(path);
    }
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flow/download", test_download);
    g_test_add_func("/flow/stamps", test_stamps);
    g_test_add_func("/flow/retransmission", test_retransmission);
    g_test_add_func("/flow/acknowledged", test_acknowledged);
    g_test_add_func("/flow/garbage", test_garbage);
    g_test_add_func("/flow/pcapng", test_pcapng);
    return g_test_run();
}
