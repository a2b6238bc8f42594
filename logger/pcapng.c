/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/pcapng.h"

#include "formats/bytes.h"
#include "logger/flow.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define SECTION   0x0a0d0d0aU
#define INTERFACE 1U
#define PACKET    6U
#define MAGIC     0x1a2b3c4dU
#define RAW_IP    101 /* LINKTYPE_RAW */

struct Pcapng {
    char *prefix;
    guint64 max_bytes, bytes;
    unsigned files, number;
    int fd;
};

static gboolean put(Pcapng *pcapng, const guint8 *data, gsize length, GError **error)
{
    for (gsize done = 0; done < length;) {
        ssize_t n = write(pcapng->fd, data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "%s: %s",
                        pcapng->prefix, g_strerror(errno));
            return FALSE;
        }
        done += (gsize)n;
    }
    pcapng->bytes += length;
    return TRUE;
}

/* Section and interface: RAW_IP, nanoseconds. */
static gboolean put_heads(Pcapng *pcapng, GError **error)
{
    guint8 data[60];
    ByteWriter writer = byte_writer(data, sizeof data);
    byte_write_u32_le(&writer, SECTION);
    byte_write_u32_le(&writer, 28);
    byte_write_u32_le(&writer, MAGIC);
    byte_write_u16_le(&writer, 1);
    byte_write_u16_le(&writer, 0);
    byte_write_u64_le(&writer, G_MAXUINT64); /* length of the section is not said */
    byte_write_u32_le(&writer, 28);
    byte_write_u32_le(&writer, INTERFACE);
    byte_write_u32_le(&writer, 32);
    byte_write_u16_le(&writer, RAW_IP);
    byte_write_u16_le(&writer, 0);
    byte_write_u32_le(&writer, FLOW_SNAPLEN);
    byte_write_u16_le(&writer, 9); /* if_tsresol */
    byte_write_u16_le(&writer, 1);
    byte_write_u32_le(&writer, 9); /* 10^-9 s, and three bytes of padding */
    byte_write_u32_le(&writer, 0); /* end of options */
    byte_write_u32_le(&writer, 32);
    return put(pcapng, data, writer.at, error);
}

static gboolean next_file(Pcapng *pcapng, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("%s-%u.pcapng", pcapng->prefix, pcapng->number++ % pcapng->files);
    if (pcapng->fd >= 0)
        close(pcapng->fd);
    pcapng->bytes = 0;
    pcapng->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (pcapng->fd < 0) {
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    return put_heads(pcapng, error);
}

Pcapng *pcapng_new(const char *prefix, guint64 max_bytes, unsigned files, GError **error)
{
    g_autoptr(Pcapng) pcapng = g_new0(Pcapng, 1);
    pcapng->prefix = g_strdup(prefix);
    pcapng->max_bytes = max_bytes;
    pcapng->files = MAX(files, 1);
    pcapng->fd = -1;
    if (!next_file(pcapng, error))
        return NULL;
    return g_steal_pointer(&pcapng);
}

void pcapng_free(Pcapng *pcapng)
{
    if (!pcapng)
        return;
    if (pcapng->fd >= 0)
        close(pcapng->fd);
    g_free(pcapng->prefix);
    g_free(pcapng);
}

/* Copies the headers, addresses zeroed. Returns bytes kept; 0 if it is no IP packet. */
static gsize scrub(const guint8 *data, gsize captured, guint8 head[FLOW_SNAPLEN])
{
    gsize keep, ip;
    if (captured < 20)
        return 0;
    guint8 protocol;
    if (data[0] >> 4 == 4) {
        ip = (gsize)(data[0] & 15) * 4;
        if (ip < 20)
            return 0;
        protocol = data[9];
    } else if (data[0] >> 4 == 6 && captured >= 40) {
        ip = 40;
        protocol = data[6];
    } else {
        return 0;
    }
    keep = ip;
    if (protocol == 6 && captured > ip + 12)
        keep = ip + (gsize)(data[ip + 12] >> 4) * 4;
    else if (protocol == 17 || protocol == 1 || protocol == 58)
        keep = ip + 8;
    keep = MIN(keep, MIN(captured, (gsize)FLOW_SNAPLEN));
    memcpy(head, data, keep);
    if (data[0] >> 4 == 4)
        memset(head + 12, 0, MIN(keep, (gsize)20) - 12);
    else
        memset(head + 8, 0, 32);
    if (data[0] >> 4 == 4 && ip > 20) /* options may hold addresses too */
        memset(head + 20, 0, MIN(ip, keep) - 20);
    return keep;
}

gboolean pcapng_packet(Pcapng *pcapng, gboolean up, gint64 time_ns, const guint8 *data,
                       gsize captured, gsize length, GError **error)
{
    guint8 head[FLOW_SNAPLEN], block[FLOW_SNAPLEN + 64];
    gsize kept = scrub(data, captured, head);
    if (kept == 0)
        return TRUE;
    if (pcapng->bytes >= pcapng->max_bytes && !next_file(pcapng, error))
        return FALSE;
    gsize padding = (4 - kept % 4) % 4;
    guint32 size = (guint32)(28 + kept + padding + 12 + 4);
    ByteWriter writer = byte_writer(block, sizeof block);
    byte_write_u32_le(&writer, PACKET);
    byte_write_u32_le(&writer, size);
    byte_write_u32_le(&writer, 0);
    byte_write_u32_le(&writer, (guint32)((guint64)time_ns >> 32));
    byte_write_u32_le(&writer, (guint32)time_ns);
    byte_write_u32_le(&writer, (guint32)kept);
    byte_write_u32_le(&writer, (guint32)length);
    byte_write_run(&writer, head, kept);
    byte_write_zero(&writer, padding);
    byte_write_u16_le(&writer, 2); /* epb_flags: which way */
    byte_write_u16_le(&writer, 4);
    byte_write_u32_le(&writer, up ? 2 : 1);
    byte_write_u32_le(&writer, 0);
    byte_write_u32_le(&writer, size);
    return put(pcapng, block, writer.at, error);
}
