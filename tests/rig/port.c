/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/port.h"

#include "tests/rig/mbim-session.h"
#include "tests/rig/outlet.h"
#include "tests/rig/qmi-session.h"
#include "tests/rig/qmi-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define MOST_BYTES (1 << 20) /* a client that reads nothing is cut off */

struct Port {
    int fd;
    Framing framing;
    RigModem *modem;
    PortOwner owner;
    QmiSession *qmi;
    MbimSession *mbim;
    GByteArray *in;
    Outlet *out;
    guint in_watch;
    GHashTable *late; /* timeouts of delayed frames */
};

typedef struct {
    Port *port;
    GByteArray *frame;
    guint timeout;
} Late;

static void write_frame(Port *port, const GByteArray *frame)
{
    if (port->modem != NULL && modem_fault(port->modem, FAULT_GARBAGE) != NULL) {
        static const guint8 garbage[] = {0x7f, 0x00, 0xff, 0x55, 0xaa};
        (void)outlet_write(port->out, garbage, sizeof garbage);
    }
    (void)outlet_write(port->out, frame->data, frame->len);
}

static gboolean on_late(gpointer user)
{
    Late *late = user;
    write_frame(late->port, late->frame);
    g_hash_table_remove(late->port->late, late);
    return G_SOURCE_REMOVE;
}

static void free_late(gpointer user)
{
    Late *late = user;
    g_byte_array_unref(late->frame);
    g_free(late);
}

static void write_later(Port *port, GByteArray *frame, double ms)
{
    Late *late = g_new0(Late, 1);
    late->port = port;
    late->frame = g_byte_array_ref(frame);
    late->timeout = g_timeout_add((guint)ms, on_late, late);
    g_hash_table_add(port->late, late);
}

/* Everything that can go wrong with one answer. */
static void send_spoiled(Port *port, const GByteArray *original, gboolean answer)
{
    RigModem *modem = port->modem;
    g_autoptr(GByteArray) frame = g_byte_array_new();
    g_byte_array_append(frame, original->data, original->len);
    if (modem == NULL) {
        write_frame(port, frame);
        return;
    }
    if (modem_fault(modem, FAULT_MUTE) != NULL)
        return;
    if (spoil_applies(port->framing, frame)) {
        modem->answers++;
        if (modem_fault(modem, FAULT_UNKNOWN_TLV) != NULL)
            spoil_unknown(port->framing, frame);
        /* Every second one, so that the good ones show whether the client goes on. */
        if (modem_fault(modem, FAULT_TRUNCATE) != NULL && modem->answers % 2 == 0)
            spoil_truncate(port->framing, frame, modem->random);
        if (modem_fault(modem, FAULT_MALFORM) != NULL && modem->answers % 2 == 0)
            spoil_malform(port->framing, frame, modem->random);
        if (modem_fault(modem, FAULT_DUPLICATE) != NULL && answer)
            write_frame(port, frame);
        if (modem_fault(modem, FAULT_REORDER) != NULL && answer && modem->held == NULL) {
            /* Sent behind the next one, or alone if none comes. */
            modem->held = g_byte_array_ref(frame);
            write_later(port, frame, 200);
            return;
        }
        g_clear_pointer(&modem->held, g_byte_array_unref);
    }
    const Fault *delay = modem_fault(modem, FAULT_DELAY);
    double ms = delay != NULL ? delay->value : modem->plan->answer_ms;
    if (ms > 0 && answer)
        write_later(port, frame, ms);
    else
        write_frame(port, frame);
}

static void on_session_sends(gpointer user, const GByteArray *frame, gboolean answer)
{
    send_spoiled(user, frame, answer);
}

static void set_modem(Port *port, RigModem *modem)
{
    if (port->modem != NULL || modem == NULL)
        return;
    port->modem = modem;
    g_ptr_array_add(modem->ports, port);
}

void port_handle(Port *port, const guint8 *frame, gsize length)
{
    if (port->framing == FRAMING_MBIM) {
        g_autofree char *path = mbim_session_opens(frame, length);
        if (path != NULL) {
            set_modem(port, port->owner.find(port->owner.user, path));
            mbim_session_opened(port->mbim, port->modem, frame, length);
        } else {
            mbim_session_receive(port->mbim, frame, length);
        }
        return;
    }
    g_autofree char *path = qmi_session_opens(frame, length);
    if (path != NULL) {
        set_modem(port, port->owner.find(port->owner.user, path));
        qmi_session_opened(port->qmi, port->modem, frame, length);
    } else {
        qmi_session_receive(port->qmi, frame, length);
    }
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
    Port *port = user;
    guint8 buffer[8192];
    ssize_t n = condition & G_IO_IN ? read(fd, buffer, sizeof buffer) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        port->in_watch = 0;
        port->owner.closed(port->owner.user, port);
        return G_SOURCE_REMOVE;
    }
    g_byte_array_append(port->in, buffer, (guint)n);
    for (;;) {
        gssize length = port->framing == FRAMING_QMUX
                            ? qmi_frame_length(port->in->data, port->in->len)
                            : mbim_frame_length(port->in->data, port->in->len);
        if (length < 0)
            g_byte_array_remove_range(port->in, 0, 1); /* look for the next frame */
        if (length == 0)
            return G_SOURCE_CONTINUE;
        if (length < 0)
            continue;
        if (port->owner.admit == NULL ||
            port->owner.admit(port->owner.user, port, port->in->data, (gsize)length))
            port_handle(port, port->in->data, (gsize)length);
        g_byte_array_remove_range(port->in, 0, (guint)length);
    }
}

Port *port_new(int fd, Framing framing, RigModem *modem, const PortOwner *owner)
{
    Port *port = g_new0(Port, 1);
    port->fd = fd;
    port->framing = framing;
    port->owner = *owner;
    port->in = g_byte_array_new();
    port->out = outlet_new(fd, MOST_BYTES);
    port->late = g_hash_table_new_full(NULL, NULL, free_late, NULL);
    set_modem(port, modem);
    if (framing == FRAMING_QMUX)
        port->qmi = qmi_session_new(modem, on_session_sends, port);
    else
        port->mbim = mbim_session_new(modem, on_session_sends, port);
    port->in_watch = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, port);
    return port;
}

void port_free(Port *port)
{
    if (port == NULL)
        return;
    GHashTableIter iter;
    gpointer late = NULL;
    g_hash_table_iter_init(&iter, port->late);
    while (g_hash_table_iter_next(&iter, &late, NULL))
        g_source_remove(((Late *)late)->timeout);
    g_hash_table_unref(port->late);
    if (port->modem != NULL)
        g_ptr_array_remove(port->modem->ports, port);
    if (port->in_watch != 0)
        g_source_remove(port->in_watch);
    qmi_session_free(port->qmi);
    mbim_session_free(port->mbim);
    g_byte_array_unref(port->in);
    outlet_free(port->out);
    close(port->fd);
    g_free(port);
}

void port_send(Port *port, const GByteArray *frame)
{
    write_frame(port, frame);
}

void port_notify(Port *port, gboolean serving, gboolean levels)
{
    if (port->qmi != NULL)
        qmi_session_notify(port->qmi, serving, levels);
    else
        mbim_session_notify(port->mbim, serving, levels);
}

RigModem *port_modem(const Port *port)
{
    return port->modem;
}

int port_listen(const char *name, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    gsize length = strlen(name);
    if (length == 0 || length + 1 > sizeof address.sun_path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "\"%s\" is no name for an abstract socket", name);
        return -1;
    }
    memcpy(address.sun_path + 1, name, length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) != 0 ||
        listen(fd, 64) != 0) {
        int saved = errno;
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
                    "abstract socket %s: %s; run in a network namespace of its own (unshare -Urn)",
                    name, g_strerror(saved));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

int port_pty(char **path, int *other, GError **error)
{
    struct termios raw;
    int master = -1;
    char name[64];
    memset(&raw, 0, sizeof raw);
    cfmakeraw(&raw);
    if (openpty(&master, other, name, &raw, NULL) != 0) {
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "no pty: %s",
                    g_strerror(errno));
        return -1;
    }
    (void)fcntl(master, F_SETFD, FD_CLOEXEC);
    (void)fcntl(*other, F_SETFD, FD_CLOEXEC);
    *path = g_strdup(name);
    return master;
}
