/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/limit.h"

#include <string.h>

#define SILENT_NS G_GINT64_CONSTANT(10000000000)
#define WAYS      8 /* places an address may have in the table */

struct Peers {
    GPtrArray *masks; /* GInetAddressMask */
};

/* GLib takes any length of prefix and complains aloud; NULL if it is no network. */
static GInetAddressMask *mask_of(const char *text)
{
    const char *slash = strchr(text, '/');
    guint64 most = strchr(text, ':') ? 128 : 32;
    if (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, most, NULL, NULL))
        return NULL;
    return g_inet_address_mask_new_from_string(text, NULL);
}

Peers *peers_new(const char *const *networks, GError **error)
{
    g_autoptr(Peers) peers = g_new0(Peers, 1);
    peers->masks = g_ptr_array_new_with_free_func(g_object_unref);
    for (unsigned i = 0; networks && networks[i]; i++) {
        GInetAddressMask *mask = mask_of(networks[i]);
        if (!mask) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "\"%s\" is no network; write it like 192.0.2.0/24 or 2001:db8::/32",
                        networks[i]);
            return NULL;
        }
        g_ptr_array_add(peers->masks, mask);
    }
    return g_steal_pointer(&peers);
}

void peers_free(Peers *peers)
{
    if (!peers)
        return;
    g_ptr_array_unref(peers->masks);
    g_free(peers);
}

static const guint8 *address_bytes(const UdpAddress *address, GSocketFamily *family)
{
    if (address->address.ss_family == AF_INET) {
        *family = G_SOCKET_FAMILY_IPV4;
        return (const guint8 *)&((const struct sockaddr_in *)(const void *)&address->address)
            ->sin_addr;
    }
    *family = G_SOCKET_FAMILY_IPV6;
    return (const guint8 *)&((const struct sockaddr_in6 *)(const void *)&address->address)
        ->sin6_addr;
}

gboolean peers_have(const Peers *peers, const UdpAddress *address)
{
    GSocketFamily family;
    const guint8 *bytes = address_bytes(address, &family);
    if (peers->masks->len == 0)
        return FALSE;
    g_autoptr(GInetAddress) inet = g_inet_address_new_from_bytes(bytes, family);
    for (unsigned i = 0; i < peers->masks->len; i++) {
        if (g_inet_address_mask_matches(peers->masks->pdata[i], inet))
            return TRUE;
    }
    return FALSE;
}

typedef struct {
    guint64 address; /* IPv4, or the upper half of IPv6; 0 = free */
    double tokens;
    gint64 used_ns;
} Bucket;

struct Limit {
    double rate_per_s, burst;
    unsigned n; /* a power of two */
    guint64 salt;
    Bucket *buckets;
};

Limit *limit_new(double rate_per_s, double burst, unsigned addresses)
{
    Limit *limit = g_new0(Limit, 1);
    limit->rate_per_s = rate_per_s;
    limit->burst = burst;
    limit->n = WAYS;
    while (limit->n < addresses)
        limit->n *= 2;
    limit->salt = (guint64)g_random_int() << 32 | g_random_int();
    limit->buckets = g_new0(Bucket, limit->n);
    return limit;
}

void limit_free(Limit *limit)
{
    if (!limit)
        return;
    g_free(limit->buckets);
    g_free(limit);
}

/* The address as a number that is not 0. */
static guint64 address_number(const UdpAddress *address)
{
    GSocketFamily family;
    const guint8 *bytes = address_bytes(address, &family);
    guint64 number = 0;
    if (family == G_SOCKET_FAMILY_IPV4) {
        guint32 word;
        memcpy(&word, bytes, sizeof word);
        return (guint64)word | G_GUINT64_CONSTANT(1) << 32;
    }
    memcpy(&number, bytes, sizeof number);
    return number ? number : 1;
}

/* The bucket of the address: its own, a free one, or one silent for long. */
static Bucket *find(Limit *limit, guint64 number, gint64 now_ns)
{
    guint64 hash = (number ^ limit->salt) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    unsigned first = (unsigned)(hash >> 33) & (limit->n - 1) & ~(unsigned)(WAYS - 1);
    Bucket *free_one = NULL;
    for (unsigned i = first; i < first + WAYS; i++) {
        Bucket *bucket = &limit->buckets[i];
        if (bucket->address == number)
            return bucket;
        if (bucket->address == 0 || now_ns - bucket->used_ns > SILENT_NS)
            free_one = bucket;
    }
    if (free_one)
        *free_one = (Bucket){.address = number, .tokens = limit->burst, .used_ns = now_ns};
    return free_one;
}

gboolean limit_take(Limit *limit, const UdpAddress *address, double cost, gint64 now_ns)
{
    Bucket *bucket = find(limit, address_number(address), now_ns);
    if (!bucket)
        return FALSE;
    double gained = (double)(now_ns - bucket->used_ns) * limit->rate_per_s / 1e9;
    bucket->tokens = MIN(limit->burst, bucket->tokens + MAX(gained, 0));
    bucket->used_ns = now_ns;
    if (bucket->tokens < cost)
        return FALSE;
    bucket->tokens -= cost;
    return TRUE;
}
